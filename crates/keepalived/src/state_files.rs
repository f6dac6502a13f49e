//! What is keepalived's own in a state file: the lease and the name of the writer.

use crate::desired::Desired;
use inputs::state_file::{self, Owner, WriteError};
use policy::moment::BootTime;
use policy::state::{Lease, State};
use std::path::Path;
use std::time::Duration;
use sys::environment;

/// The beginning of the attribute `by`, before the host name.
const BY: &[u8] = b"keepalived@";

pub(crate) struct StateFiles {
    /// How long a state is valid if it is not renewed.
    lease: Duration,
    /// The boot on which the leases count.
    boot: Vec<u8>,
    by: Vec<u8>,
}

impl StateFiles {
    pub(crate) fn new(lease: Duration, boot: Vec<u8>) -> Self {
        let by = [BY, environment::node_name().as_slice()].concat();
        Self { lease, boot, by }
    }

    /// Writes one file. The lease counts from `checked`, when keepalived was last checked, however long a stalled disk delays the
    /// writing.
    pub(crate) fn write(&self, desired: &Desired, checked: BootTime) -> Result<(), WriteError> {
        let state = State {
            lease: Lease::Until {
                end: checked.after(self.lease),
                boot: self.boot.clone(),
            },
            by: Some(self.by.clone()),
            since: Some(desired.since.as_bytes().to_vec()),
            reason: desired.reason,
            ..State::new(desired.word)
        };
        // A file that could only be made passive in place says what it should.
        state_file::write(&desired.target.file, &state, Owner::Writer).map(drop)
    }
}

/// Whether the file contains a state that this service has not written: a person, `rcronctl set` or rcrond has.
pub(crate) fn is_foreign(file: &Path) -> bool {
    let state = state_file::read(file).ok().and_then(|content| content.state.ok());
    let is_ours = |by: &Vec<u8>| by.starts_with(BY);
    state.is_some_and(|state| !state.by.as_ref().is_some_and(is_ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Target;
    use inputs::clock;
    use policy::state::Word;
    use std::path::PathBuf;

    fn target(file: PathBuf) -> Target {
        Target {
            instance: b"web".to_vec(),
            file,
        }
    }

    fn passive(target: &Target) -> Desired<'_> {
        Desired {
            target,
            word: Word::Passive,
            since: "now",
            reason: None,
        }
    }

    fn files() -> StateFiles {
        StateFiles::new(Duration::from_secs(10), b"7c1e".to_vec())
    }

    #[test]
    fn have_a_lease_the_writer_and_the_time_of_the_change() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = target(directory.path().join("deep/state"));
        let desired = Desired {
            target: &target,
            word: Word::Active,
            since: "2026-11-23T09:15:02Z",
            reason: None,
        };
        let before = clock::boot_time();
        assert!(files().write(&desired, clock::boot_time()).is_ok());
        let state = State::parse(&std::fs::read(&target.file).expect("there")).expect("a state");
        assert_eq!(state.word, Word::Active);
        let Lease::Until { end, boot } = state.lease else {
            panic!("no lease");
        };
        assert!(end >= before.after(Duration::from_millis(9_999)), "{end:?}");
        assert_eq!(boot, b"7c1e");
        assert!(state.by.is_some_and(|by| by.starts_with(b"keepalived@")));
        assert_eq!(state.since.as_deref(), Some(&b"2026-11-23T09:15:02Z"[..]));
    }

    #[test]
    fn foreign_ones_lack_the_name_of_this_service() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state");
        for (text, foreign) in [
            ("active since monday\n", true),
            ("passive by=alice@server1\n", true),
            ("active until=99.5 boot=7c1e epoch=4 by=server1\n", true),
            ("active until=99.5 boot=7c1e by=keepalived@x\n", false),
            ("passive by=keepalived@x\n", false),
            ("junk\n", false),
        ] {
            std::fs::write(&file, text).expect("written");
            assert_eq!(is_foreign(&file), foreign, "{text}");
        }
        assert!(!is_foreign(&directory.path().join("none")));
    }

    #[test]
    fn that_cannot_be_replaced_become_passive_in_place() {
        let directory = tempfile::tempdir().expect("a directory");
        // No file can be created beside a name of this length.
        let target = target(directory.path().join("s".repeat(250)));
        std::fs::write(&target.file, "active until=99.5 boot=7c1e by=x\n").expect("written");
        assert!(files().write(&passive(&target), clock::boot_time()).is_ok());
        let state = State::parse(&std::fs::read(&target.file).expect("there")).expect("a state");
        assert_eq!((state.word, state.lease), (Word::Passive, Lease::None));
        assert!(!is_foreign(&target.file));
    }
}
