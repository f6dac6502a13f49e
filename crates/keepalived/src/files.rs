//! Writing the state files.

use crate::targets::Target;
use inputs::diagnostic::shown;
use inputs::state_file::{self, Owner};
use policy::moment::BootTime;
use policy::state::{Lease, State, Word};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use sys::environment;

/// What one of the files should say.
pub(crate) struct Wanted {
    pub(crate) target: Target,
    pub(crate) word: Word,
    pub(crate) since: String,
}

/// The writer of all of them.
pub(crate) struct Files {
    lease: Duration,
    boot: Vec<u8>,
    by: Vec<u8>,
    /// Those that could not be written; each is told once.
    failing: BTreeSet<PathBuf>,
}

/// What is to be told about a file.
pub(crate) enum Outcome {
    /// It cannot be written: what is wrong, and what becomes of it.
    Fails(String),
    /// It could not be, and now is.
    Again(String),
}

impl Files {
    pub(crate) fn new(lease: Duration, boot: Vec<u8>) -> Self {
        Self {
            lease,
            boot,
            by: [b"keepalived@", environment::node_name().as_slice()].concat(),
            failing: BTreeSet::new(),
        }
    }

    /// Writes one; returns what is new about it. `vouched` is when keepalived was last looked at: from then on the lease counts,
    /// however long a stalled disk holds the writing up.
    pub(crate) fn write(&mut self, wanted: &Wanted, vouched: BootTime) -> Option<Outcome> {
        let file = &wanted.target.file;
        let state = self.state(wanted, vouched);
        let name = shown(file.as_os_str());
        // A file that could only be made passive in place says what it should.
        match state_file::write(file, &state, Owner::Writer) {
            Ok(_) => self
                .failing
                .remove(file)
                .then(|| Outcome::Again(format!("{name} is written again"))),
            Err(refused) => self.failing.insert(file.clone()).then(|| {
                let lease = self.lease.as_secs();
                Outcome::Fails(format!(
                    "cannot write {name}: {refused}; what it says ends within {lease} s; trying again"
                ))
            }),
        }
    }

    fn state(&self, wanted: &Wanted, vouched: BootTime) -> State {
        State {
            word: wanted.word,
            lease: Lease::Until {
                end: vouched.after(self.lease),
                boot: self.boot.clone(),
            },
            draining: false,
            epoch: None,
            by: Some(self.by.clone()),
            since: Some(wanted.since.as_bytes().to_vec()),
        }
    }
}

/// Whether the file has a state that neither this service nor another daemon has written.
pub(crate) fn is_by_hand(file: &Path) -> bool {
    let state = state_file::read(file).ok().and_then(|content| content.state.ok());
    let is_ours = |by: &Vec<u8>| by.starts_with(b"keepalived@");
    state.is_some_and(|state| state.lease == Lease::None && !state.by.as_ref().is_some_and(is_ours))
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

    #[test]
    fn a_state_has_a_lease_its_writer_and_the_time_of_its_change() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = target(directory.path().join("deep/state"));
        let mut files = Files::new(Duration::from_secs(10), b"7c1e".to_vec());
        let wanted = Wanted {
            target,
            word: Word::Active,
            since: "2026-11-23T09:15:02Z".to_owned(),
        };
        let before = clock::boot_time();
        assert!(files.write(&wanted, clock::boot_time()).is_none());
        let state = State::parse(&std::fs::read(&wanted.target.file).expect("there")).expect("a state");
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
    fn what_cannot_be_written_is_told_once_and_so_is_its_return() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = target(directory.path().join("state"));
        std::fs::create_dir(&target.file).expect("made");
        let mut files = Files::new(Duration::from_secs(10), b"b".to_vec());
        let wanted = Wanted {
            target,
            word: Word::Passive,
            since: "now".to_owned(),
        };
        assert!(matches!(
            files.write(&wanted, clock::boot_time()),
            Some(Outcome::Fails(_))
        ));
        assert!(files.write(&wanted, clock::boot_time()).is_none());
        std::fs::remove_dir(&wanted.target.file).expect("removed");
        assert!(matches!(
            files.write(&wanted, clock::boot_time()),
            Some(Outcome::Again(_))
        ));
        assert!(files.write(&wanted, clock::boot_time()).is_none());
    }

    #[test]
    fn a_state_by_hand_is_known_as_such() {
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
    fn an_active_file_that_cannot_be_replaced_is_made_passive_where_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        // No file can be created beside a name of this length.
        let target = target(directory.path().join("s".repeat(250)));
        let file = target.file.clone();
        std::fs::write(&file, "active until=99.5 boot=7c1e by=x\n").expect("written");
        let mut files = Files::new(Duration::from_secs(10), b"7c1e".to_vec());
        let wanted = Wanted {
            target,
            word: Word::Passive,
            since: "now".to_owned(),
        };
        assert!(files.write(&wanted, clock::boot_time()).is_none());
        let state = State::parse(&std::fs::read(&file).expect("there")).expect("a state");
        assert_eq!((state.word, state.lease), (Word::Passive, Lease::None));
        assert!(!is_by_hand(&file));
    }
}
