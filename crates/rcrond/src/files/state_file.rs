//! A cluster's state file: reading what an earlier process has left, and writing it.

use super::WriteError;
use inputs::clock;
use inputs::state_file::{self, Owner, Written};
use lease::{SessionId, StateFileContent};
use policy::decide::FARTHEST_LEASE;
use policy::moment::BootTime;
use policy::state::{Lease, State, Word};
use std::path::Path;
use sys::file::Unreadable;

/// What a state file says before this process has written it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PreviousState {
    /// What it says, if it is active or shared with a lease of this boot. The lease may have expired.
    pub(crate) content: Option<StateFileContent>,
    /// The text of its `since=`, if there is such a content.
    pub(crate) since: Option<Vec<u8>>,
}

impl PreviousState {
    /// For a file that cannot be read. It may contain any state, so it counts as active for as long as any lease can last.
    pub(crate) fn unknown() -> Self {
        Self {
            content: Some(StateFileContent::Active {
                until: clock::boot_time().after(FARTHEST_LEASE),
                epoch: 0,
                draining: false,
            }),
            since: None,
        }
    }
}

/// Reads the file; see [`PreviousState::unknown`] if that is not possible.
pub(crate) fn read_previous(path: &Path, boot: &[u8]) -> PreviousState {
    let farthest = clock::boot_time().after(FARTHEST_LEASE);
    match state_file::read(path) {
        Ok(content) => content
            .state
            .map_or_else(|_| PreviousState::default(), |state| from_state(state, boot, farthest)),
        Err(Unreadable::Missing) => PreviousState::default(),
        Err(_) => PreviousState::unknown(),
    }
}

fn from_state(state: State, boot: &[u8], farthest: BootTime) -> PreviousState {
    let until = match state.lease {
        Lease::Until { end, boot: of } if of == boot && end <= farthest => end,
        _ => return PreviousState::default(),
    };
    let draining = state.draining;
    let session = state.shared.as_deref().and_then(SessionId::parse);
    let content = match (state.word, session) {
        (Word::Active, _) => StateFileContent::Active {
            until,
            epoch: state.epoch.unwrap_or(0),
            draining,
        },
        (Word::Passive, Some(session)) => StateFileContent::Shared {
            until,
            session,
            draining,
        },
        (Word::Passive, None) => return PreviousState::default(),
    };
    PreviousState {
        content: Some(content),
        since: state.since,
    }
}

/// Replaces the file. It is an error if that fails and the file could only be made passive in place: a node that cannot write
/// `active` must not win the cluster.
///
/// # Errors
/// [`WriteError`].
pub(crate) fn write(path: &Path, state: &State) -> Result<(), WriteError> {
    match state_file::write(path, state, Owner::Unchanged) {
        Ok(Written::Replaced) => Ok(()),
        Ok(Written::PassiveInPlace(error)) => Err(WriteError::MadePassiveInPlace(error)),
        Err(error) => Err(WriteError::StateFile(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    const BOOT: &[u8] = b"7c1e";

    fn found(content: &[u8]) -> PreviousState {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state");
        fs::write(&path, content).expect("written");
        read_previous(&path, BOOT)
    }

    #[test]
    fn an_active_lease_of_this_boot_is_found_with_its_since() {
        let end = clock::boot_time().after(Duration::from_secs(5)).0.as_secs();
        let line = format!("active until={end}.250 boot=7c1e epoch=42 by=n1 since=2026-11-24T03:00:00Z\n");
        let previous = found(line.as_bytes());
        let until = BootTime(Duration::from_millis(end * 1000 + 250));
        let active = StateFileContent::Active {
            until,
            epoch: 42,
            draining: false,
        };
        assert_eq!(previous.content, Some(active));
        assert_eq!(previous.since.as_deref(), Some(&b"2026-11-24T03:00:00Z"[..]));
    }

    #[test]
    fn a_file_that_is_passive_stale_or_without_a_lease_holds_nothing() {
        let far = clock::boot_time().0.as_secs() + 3600;
        let other = "active until=99.0 boot=other epoch=42\n".to_owned();
        let lines = [
            "passive\n".to_owned(),
            "active\n".to_owned(),
            "junk".to_owned(),
            String::new(),
            other,
            format!("active until={far}.0 boot=7c1e epoch=42\n"),
            "active until=99.0 boot=7c1e epoch=x\n".to_owned(),
        ];
        for line in lines {
            assert_eq!(found(line.as_bytes()), PreviousState::default(), "{line}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_counts_as_active() {
        let directory = tempfile::tempdir().expect("a directory");
        let before = clock::boot_time();
        let Some(StateFileContent::Active { until, epoch: 0, .. }) = read_previous(directory.path(), BOOT).content
        else {
            panic!("unknown")
        };
        assert!(until >= before.after(FARTHEST_LEASE));
    }

    #[test]
    fn a_shared_lease_of_this_boot_is_found_with_its_session() {
        let end = clock::boot_time().after(Duration::from_secs(5)).0.as_secs();
        let id = "0123456789abcdef0123456789abcdef";
        let line = |attributes: &str| format!("passive shared {attributes} session={id} since=x\n");
        let shared = |draining| StateFileContent::Shared {
            until: BootTime(Duration::from_secs(end)),
            session: SessionId::parse(id).expect("an identity"),
            draining,
        };
        for (line, content) in [
            (line(&format!("until={end} boot=7c1e")), Some(shared(false))),
            (line(&format!("draining until={end} boot=7c1e")), Some(shared(true))),
            (line(&format!("until={end} boot=other")), None),
            (line(""), None),
        ] {
            assert_eq!(found(line.as_bytes()).content, content, "{line}");
        }
    }

    #[test]
    fn a_device_is_not_replaced() {
        let state = State::parse(b"passive").expect("a state");
        assert!(write(Path::new("/dev/null"), &state).is_err());
    }
}
