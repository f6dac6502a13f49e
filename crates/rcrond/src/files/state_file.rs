//! A cluster's state file: reading what an earlier process has left, and writing it.

use super::WriteError;
use inputs::clock;
use policy::decide::FARTHEST_LEASE;
use policy::moment::BootTime;
use policy::state::{LONGEST_LINE, Lease, State, Word};
use std::path::Path;
use sys::file::{self, Unreadable};
use sys::replace;

/// The jobs of all users read it.
const MODE: u32 = 0o644;

/// What a state file says before this process has written it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PreviousState {
    /// The end of its lease and its epoch, if it is active with a lease of this boot.
    pub(crate) active: Option<(BootTime, u64)>,
    /// The text of its `since=`, if it is active with a lease of this boot.
    pub(crate) since: Option<Vec<u8>>,
}

impl PreviousState {
    /// For a file that cannot be read. It may contain any state, so it counts as active for as long as any lease can last.
    pub(crate) fn unknown() -> Self {
        Self {
            active: Some((clock::boot_time().after(FARTHEST_LEASE), 0)),
            since: None,
        }
    }
}

/// Reads the file; see [`PreviousState::unknown`] if that is not possible.
pub(crate) fn read_previous(path: &Path, boot: &[u8]) -> PreviousState {
    let farthest = clock::boot_time().after(FARTHEST_LEASE);
    match file::read_beginning(path.as_os_str(), LONGEST_LINE + 1) {
        Ok(contents) => State::parse(&contents.bytes)
            .map_or_else(|_| PreviousState::default(), |state| from_state(state, boot, farthest)),
        Err(Unreadable::Missing) => PreviousState::default(),
        Err(_) => PreviousState::unknown(),
    }
}

fn from_state(state: State, boot: &[u8], farthest: BootTime) -> PreviousState {
    match state.lease {
        Lease::Until { end, boot: of } if state.word == Word::Active && of == boot && end <= farthest => {
            PreviousState {
                active: Some((end, state.epoch.unwrap_or(0))),
                since: state.since,
            }
        }
        _ => PreviousState::default(),
    }
}

/// Replaces the file. A symbolic link is followed and stays.
///
/// If the new content is passive and no new file can be written, the old file is overwritten in place, which works on a full disk, too.
/// Then no more jobs are started. It is an error anyway: a node that cannot write `active` must not win the cluster.
///
/// # Errors
/// [`WriteError`].
pub(crate) fn write(path: &Path, state: &State) -> Result<(), WriteError> {
    let file = replace::target(path).map_err(WriteError::Path)?;
    // Root could replace /dev/null by a regular file, for all programs.
    if file.exists() && !file.is_file() {
        return Err(WriteError::NotRegular);
    }
    let Err(error) = replace::replace_keeping_owner(&file, &state.line(), MODE) else {
        return Ok(());
    };
    if state.word == Word::Passive && replace::overwrite(&file, b"passive\n").is_ok() {
        return Err(WriteError::MadePassiveInPlace(error));
    }
    Err(WriteError::System(error))
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
        assert_eq!(previous.active, Some((until, 42)));
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
        let (until, epoch) = read_previous(directory.path(), BOOT).active.expect("unknown");
        assert!(until >= before.after(FARTHEST_LEASE) && epoch == 0);
    }

    #[test]
    fn a_device_is_not_replaced() {
        let state = State::parse(b"passive").expect("a state");
        assert!(write(Path::new("/dev/null"), &state).is_err());
    }
}
