//! What is keepalived's own in a state file: the lease, the writer's name, and what to do if the file cannot be written.

use crate::desired::Desired;
use crate::targets::Target;
use inputs::diagnostic::shown;
use inputs::state_file::{self, Owner, WriteError};
use policy::moment::BootTime;
use policy::state::{Lease, State, Word};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
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
    /// The files whose latest write failed. Each failure is logged once.
    failing: BTreeSet<PathBuf>,
}

/// What is new about a file and must be logged.
#[derive(Debug)]
pub(crate) enum WriteReport {
    Fails {
        file: PathBuf,
        error: WriteError,
        lease: Duration,
    },
    /// The previous write failed, and this one did not.
    Recovered(PathBuf),
}

impl StateFiles {
    pub(crate) fn new(lease: Duration, boot: Vec<u8>) -> Self {
        Self {
            lease,
            boot,
            by: [BY, environment::node_name().as_slice()].concat(),
            failing: BTreeSet::new(),
        }
    }

    /// Writes one file. The lease counts from `checked`, when keepalived was last checked, however long a stalled disk delays the
    /// writing.
    pub(crate) fn write(&mut self, desired: &Desired, checked: BootTime) -> Option<WriteReport> {
        let file = desired.target.file.clone();
        let state = State {
            word: desired.word,
            lease: Lease::Until {
                end: checked.after(self.lease),
                boot: self.boot.clone(),
            },
            draining: false,
            epoch: None,
            by: Some(self.by.clone()),
            since: Some(desired.since.as_bytes().to_vec()),
        };
        match state_file::write(&file, &state, Owner::Writer) {
            // A file that could only be made passive in place says what it should.
            Ok(_) => self.failing.remove(&file).then_some(WriteReport::Recovered(file)),
            Err(error) => self.failing.insert(file.clone()).then_some(WriteReport::Fails {
                file,
                error,
                lease: self.lease,
            }),
        }
    }

    /// Makes a file passive that is not renewed from now on.
    pub(crate) fn give_up(&mut self, target: &Target, since: &str, checked: BootTime) -> Option<WriteReport> {
        // A failure is logged even if the file has failed before: this is the last attempt.
        self.failing.remove(&target.file);
        let desired = Desired {
            target,
            word: Word::Passive,
            since,
        };
        let report = self.write(&desired, checked);
        self.failing.remove(&target.file);
        report
    }
}

/// Whether the file contains a state that neither this service nor another daemon has written.
pub(crate) fn is_by_hand(file: &Path) -> bool {
    let state = state_file::read(file).ok().and_then(|content| content.state.ok());
    let is_ours = |by: &Vec<u8>| by.starts_with(BY);
    state.is_some_and(|state| state.lease == Lease::None && !state.by.as_ref().is_some_and(is_ours))
}

impl fmt::Display for WriteReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails { file, error, lease } => write!(
                out,
                "cannot write {}: {error}; its old state expires within {} s",
                shown(file.as_os_str()),
                lease.as_secs()
            ),
            Self::Recovered(file) => write!(out, "{} can be written again", shown(file.as_os_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inputs::clock;

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
        };
        let before = clock::boot_time();
        assert!(files().write(&desired, clock::boot_time()).is_none());
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
    fn report_a_failure_once_and_the_recovery() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = target(directory.path().join("state"));
        std::fs::create_dir(&target.file).expect("made");
        let mut files = files();
        let mut write = || files.write(&passive(&target), clock::boot_time());
        assert!(matches!(write(), Some(WriteReport::Fails { .. })));
        assert!(write().is_none());
        std::fs::remove_dir(&target.file).expect("removed");
        assert!(matches!(write(), Some(WriteReport::Recovered(_))));
        assert!(write().is_none());
    }

    #[test]
    fn that_are_given_up_are_passive_or_a_failure() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = target(directory.path().join("state"));
        std::fs::write(&target.file, "active until=99.5 boot=7c1e by=x\n").expect("written");
        let mut files = files();
        assert!(files.give_up(&target, "now", clock::boot_time()).is_none());
        let text = std::fs::read_to_string(&target.file).expect("there");
        assert!(text.starts_with("passive "), "{text}");
        std::fs::remove_file(&target.file).expect("removed");
        std::fs::create_dir(&target.file).expect("made");
        for _ in 0..2 {
            let report = files.give_up(&target, "now", clock::boot_time());
            assert!(matches!(report, Some(WriteReport::Fails { .. })));
        }
    }

    #[test]
    fn by_hand_have_neither_a_lease_nor_the_name_of_this_service() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state");
        for (text, by_hand) in [
            ("active since monday\n", true),
            ("passive by=alice@server1\n", true),
            ("active until=99.5 boot=7c1e by=keepalived@x\n", false),
            ("passive by=keepalived@x\n", false),
            ("junk\n", false),
        ] {
            std::fs::write(&file, text).expect("written");
            assert_eq!(is_by_hand(&file), by_hand, "{text}");
        }
        assert!(!is_by_hand(&directory.path().join("none")));
    }

    #[test]
    fn that_cannot_be_replaced_become_passive_in_place() {
        let directory = tempfile::tempdir().expect("a directory");
        // No file can be created beside a name of this length.
        let target = target(directory.path().join("s".repeat(250)));
        std::fs::write(&target.file, "active until=99.5 boot=7c1e by=x\n").expect("written");
        assert!(files().write(&passive(&target), clock::boot_time()).is_none());
        let state = State::parse(&std::fs::read(&target.file).expect("there")).expect("a state");
        assert_eq!((state.word, state.lease), (Word::Passive, Lease::None));
        assert!(!is_by_hand(&target.file));
    }
}
