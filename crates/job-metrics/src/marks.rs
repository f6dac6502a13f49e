//! Which interrupted runs this user has marked as seen.

use journal::marks::{self, LARGEST, RunKey};
use std::collections::{BTreeMap, HashSet};
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::environment::effective_user;
use sys::file::{self, Links};

/// The marks of the files in the journals' directories. Each is read again when it has changed.
#[derive(Debug, Default)]
pub(crate) struct SeenRuns(BTreeMap<PathBuf, (Print, HashSet<RunKey>)>);

/// Device, inode, size and time of a file.
type Print = (u64, u64, u64, i64, i64);

impl SeenRuns {
    /// Reads the files of these directories that have changed. One that cannot be used has no marks: `rcronctl interrupted` says why.
    pub(crate) fn refresh<'a>(&mut self, directories: impl Iterator<Item = &'a Path>) {
        for directory in directories {
            if self.refresh_one(directory).is_none() {
                self.0.remove(directory);
            }
        }
    }

    fn refresh_one(&mut self, directory: &Path) -> Option<()> {
        let user = effective_user();
        let (file, metadata) = file::open_regular(&marks::path(directory, user), Links::Refused).ok()?;
        if metadata.uid() != user || metadata.len() > LARGEST {
            return None;
        }
        let print = print(&metadata);
        if self.0.get(directory).is_some_and(|(known, _)| *known == print) {
            return Some(());
        }
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text).ok()?;
        self.0
            .insert(directory.to_owned(), (print, marks::seen(&text).collect()));
        Some(())
    }

    /// Whether the run of this owner is marked.
    pub(crate) fn has(&self, owner: u32, run: u128) -> bool {
        self.0.values().any(|(_, seen)| seen.contains(&(owner, run)))
    }
}

fn print(metadata: &Metadata) -> Print {
    let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
    (metadata.dev(), metadata.ino(), metadata.len(), seconds, nanoseconds)
}
