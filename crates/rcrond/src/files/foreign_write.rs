//! Notices that another program has written a state file.

use policy::display::clipped;
use policy::state::State;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use sys::file::{Unreadable, read_beginning};

/// In bytes. More than rcrond writes.
const MAX_SIZE: usize = 4096;

/// A state file as rcrond has written it.
#[derive(Clone, Debug)]
pub(crate) struct WrittenFile {
    pub(crate) state: State,
    /// The version of the file that was last found to have this content, so that an unchanged file need not be read.
    known: Arc<Mutex<Option<Version>>>,
}

/// What changes with each write of a file: device, inode, size and the time of the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version(u64, u64, u64, i64, i64);

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self(
            metadata.dev(),
            metadata.ino(),
            metadata.size(),
            metadata.ctime(),
            metadata.ctime_nsec(),
        )
    }
}

impl WrittenFile {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state,
            known: Arc::default(),
        }
    }

    /// What the file contains instead, as a clause for a message; `None` if it is as it was written. Reads the file, so it must
    /// run in the thread that writes it.
    pub(crate) fn foreign_content(&self, path: &Path) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let version = std::fs::metadata(path).ok().as_ref().map(Version::of);
        if version.is_some() && *known == version {
            return None;
        }
        match read_beginning(path.as_os_str(), MAX_SIZE) {
            Ok(found) if found.bytes == self.state.line() => {
                *known = version;
                None
            }
            Ok(found) => {
                let line = found.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
                Some(format!("it says `{}`", clipped(line)))
            }
            Err(Unreadable::Missing) => Some("it is missing".to_owned()),
            Err(error) => Some(format!("it cannot be read: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inputs::state_file;
    use std::fs;

    #[test]
    fn a_file_is_foreign_unless_it_has_the_content_that_was_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state");
        let state = State::parse(b"passive by=n1").expect("a state");
        state_file::write(&path, &state, state_file::Owner::Unchanged).expect("written");
        let written = WrittenFile::new(state.clone());
        assert_eq!(written.foreign_content(&path), None);
        assert_eq!(written.foreign_content(&path), None);
        fs::write(&path, "active by=\u{7}\nx").expect("written");
        let found = written.foreign_content(&path);
        assert_eq!(found.as_deref(), Some("it says `active by=\\x07`"));
        // The same content from another program does no harm.
        fs::write(&path, state.line()).expect("written");
        assert_eq!(written.foreign_content(&path), None);
        fs::remove_file(&path).expect("removed");
        assert_eq!(written.foreign_content(&path).as_deref(), Some("it is missing"));
        fs::create_dir(&path).expect("made");
        let found = written.foreign_content(&path).expect("foreign");
        assert!(found.starts_with("it cannot be read: "), "{found}");
    }
}
