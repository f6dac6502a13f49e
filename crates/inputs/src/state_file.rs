//! The state file of a cluster: the one reader and the one writer. `rcron` reads it; `rcrond`, `rcron-keepalived` and `rcronctl set`
//! also write it, and they must do that in the same way.

use policy::moment::WallTime;
use policy::state::{LONGEST_LINE, Lease, NoState, State, Word};
use std::fmt;
use std::io;
use std::path::Path;
use sys::file::{self, Contents, Unreadable};
use sys::output::error_text;
use sys::replace::{self, Refused};

/// Jobs of every user read it.
const MODE: u32 = 0o644;

/// How much of a state file is read, in bytes: what follows the longest first line does not count.
pub const READ_BYTES: usize = LONGEST_LINE + 1;

/// What a state file contains.
#[derive(Debug)]
pub struct Content {
    /// Its first line, or why that line is not a state.
    pub state: Result<State, NoState>,
    /// The time of its last modification; for a link, that of the file it leads to.
    pub modified: WallTime,
    /// The file was removed or replaced, and only a mount of the single file still leads to it. What it says is out of date.
    pub is_removed: bool,
}

/// How often a file is read again that was replaced between opening and reading it. A mount that leads to a removed file leads to it
/// each time.
const RETRIES: usize = 8;

/// Reads a state file. Never waits: only a regular file is opened.
///
/// # Errors
/// [`Unreadable`].
pub fn read(path: &Path) -> Result<Content, Unreadable> {
    let read = || file::read_beginning(path.as_os_str(), READ_BYTES).map(Content::from);
    let mut content = read()?;
    for _ in 0..RETRIES {
        if !content.is_removed {
            break;
        }
        content = read()?;
    }
    Ok(content)
}

impl From<Contents> for Content {
    fn from(contents: Contents) -> Self {
        Self {
            state: State::parse(&contents.bytes),
            modified: WallTime(contents.modified),
            is_removed: contents.is_removed,
        }
    }
}

/// Who owns the file after it was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The same user as before, if we may change that: a script of this user that also writes the file is not locked out.
    Unchanged,
    /// The user who writes.
    Writer,
}

/// How a state got into its file.
#[derive(Debug)]
pub enum Written {
    /// The file was replaced: no reader saw half of it.
    Replaced,
    /// The file could not be replaced, for this reason, but its first line was overwritten: it says `passive`.
    PassiveInPlace(io::Error),
}

/// Why the file says what it said before.
#[derive(Debug)]
pub enum WriteError {
    /// The path does not lead to a file that may be replaced.
    Refused(Refused),
    /// The system's error while replacing it.
    System(io::Error),
}

/// Replaces the state file. Symbolic links that only root or we could have made are followed and stay.
///
/// Where a passive state cannot be written to a new file, the old file is made passive in place: a full disk has no room for a new
/// file, but the old one takes these few bytes. (To remove it would be worse: without a file `default_state` counts.)
///
/// # Errors
/// [`WriteError`].
pub fn write(path: &Path, state: &State, owner: Owner) -> Result<Written, WriteError> {
    let file = replace::target(path).map_err(WriteError::Refused)?;
    let line = state.line();
    let replaced = match owner {
        Owner::Unchanged => replace::replace_keeping_owner(&file, &line, MODE),
        Owner::Writer => replace::replace(&file, &line, MODE),
    };
    match replaced {
        Ok(()) => Ok(Written::Replaced),
        Err(error) if state.word == Word::Passive && replace::overwrite(&file, &bare_passive(state)).is_ok() => {
            Ok(Written::PassiveInPlace(error))
        }
        Err(error) => Err(WriteError::System(error)),
    }
}

/// The shortest line that says `passive`. A service that writes leases also needs its name in it, to recognize its own file later.
fn bare_passive(state: &State) -> Vec<u8> {
    let by = state.by.clone().filter(|_| state.lease != Lease::None);
    State {
        by,
        ..State::new(Word::Passive)
    }
    .line()
}

impl fmt::Display for WriteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused @ Refused::NotRegular(_)) => write!(out, "{refused}: name another state_file"),
            Self::Refused(refused) => refused.fmt(out),
            Self::System(error) => out.write_str(&error_text(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn state(line: &str) -> State {
        State::parse(line.as_bytes()).expect("a state")
    }

    #[test]
    fn is_read_again_as_it_was_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link) = (directory.path().join("deep/state"), directory.path().join("link"));
        symlink("deep/state", &link).expect("linked");
        let active = state("active until=99.5 boot=7c1e epoch=42 by=n1 since=2026-11-24T03:00:00Z");
        for owner in [Owner::Unchanged, Owner::Writer] {
            assert!(matches!(write(&link, &active, owner), Ok(Written::Replaced)));
            assert_eq!(read(&link).expect("a file").state.as_ref(), Ok(&active));
        }
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o644);
    }

    #[test]
    fn is_removed_only_if_the_path_still_leads_to_the_old_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state");
        fs::write(&file, "active\n").expect("written");
        let opened = fs::File::open(&file).expect("open");
        // As a mount of the single file does, this name leads to the file itself and not to its name.
        let mount = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&opened));
        assert!(!read(Path::new(&mount)).expect("a file").is_removed);
        assert!(write(&file, &state("passive"), Owner::Writer).is_ok());
        assert!(read(Path::new(&mount)).expect("a file").is_removed);
        assert!(!read(&file).expect("a file").is_removed);
    }

    #[test]
    fn is_never_removed_while_it_is_being_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state");
        let is_over = std::sync::atomic::AtomicBool::new(false);
        assert!(write(&file, &state("active"), Owner::Writer).is_ok());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2000 {
                    fs::write(directory.path().join("new"), "active\n").expect("written");
                    fs::rename(directory.path().join("new"), &file).expect("renamed");
                }
                is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                assert!(!read(&file).expect("a file").is_removed);
            }
        });
    }

    #[test]
    fn is_a_regular_file_or_stays_as_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        for path in [Path::new("/dev/null"), directory.path()] {
            let refused = write(path, &state("passive"), Owner::Writer).expect_err("refused");
            assert!(
                matches!(refused, WriteError::Refused(Refused::NotRegular(_))),
                "{refused}"
            );
        }
    }

    #[test]
    fn is_not_written_through_a_link_of_another_user() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).expect("chmod");
        let link = directory.path().join("link");
        symlink("state", &link).expect("linked");
        let refused = write(&link, &state("passive"), Owner::Writer);
        assert!(matches!(refused, Err(WriteError::Refused(Refused::ForeignLink(_)))));
        assert!(!directory.path().join("state").exists());
    }

    #[test]
    fn where_it_cannot_be_replaced_only_passive_is_written_in_place() {
        let directory = tempfile::tempdir().expect("a directory");
        // No file can be created beside a name of this length.
        let file = directory.path().join("s".repeat(250));
        let active = "active until=99.5 boot=7c1e by=another\n";
        for (line, first) in [
            ("passive by=alice@server1 since=2026-11-24T03:00:00Z", "passive"),
            (
                "passive until=99.5 boot=7c1e by=keepalived@server1",
                "passive by=keepalived@server1",
            ),
        ] {
            fs::write(&file, active).expect("written");
            let written = write(&file, &state(line), Owner::Unchanged);
            assert!(matches!(written, Ok(Written::PassiveInPlace(_))), "{written:?}");
            let text = fs::read_to_string(&file).expect("there");
            assert_eq!(text.lines().next(), Some(first));
        }
        fs::write(&file, "passive\n").expect("written");
        let written = write(&file, &state(active), Owner::Unchanged);
        assert!(matches!(written, Err(WriteError::System(_))), "{written:?}");
        assert_eq!(fs::read_to_string(&file).expect("there"), "passive\n");
    }
}
