//! The places of journals.

use crate::names::{self, LAST_NUMBER};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use sys::environment;

/// A journal to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This server's directory, by its configuration.
    Own(PathBuf),
    /// A directory or a file that the user named, which may be a copy from another server.
    Named(PathBuf),
}

/// One name of a journal: a file and its rotated files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) path: PathBuf,
    /// Whether it was found in a directory, where any user may have created it.
    pub(crate) in_directory: bool,
    /// The user in its name, who must own it; `None` for a copy, which belongs to whoever made it.
    pub(crate) user: Option<u32>,
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Named(path) => path,
        }
    }

    pub(crate) fn names(&self) -> io::Result<Vec<Name>> {
        let is_own = matches!(self, Self::Own(_));
        if !is_own && self.path().metadata()?.is_file() {
            return Ok(vec![Name {
                path: self.path().to_owned(),
                in_directory: false,
                user: None,
            }]);
        }
        let found = match names_in(self.path()) {
            // Only root can list a directory of mode 1733. Other users know the names of their own files.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => own_names(self.path()),
            found => found?,
        };
        let name = |(path, user)| Name {
            path,
            in_directory: true,
            user: Some(user).filter(|_| is_own),
        };
        Ok(found.into_iter().map(name).collect())
    }
}

fn names_in(directory: &Path) -> io::Result<BTreeMap<PathBuf, u32>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        if let Some((name, user)) = entry?.file_name().to_str().and_then(names::parse) {
            found.insert(directory.join(name), user);
        }
    }
    Ok(found)
}

fn own_names(directory: &Path) -> BTreeMap<PathBuf, u32> {
    let user = environment::effective_user();
    let path = |number| (names::path(directory, user, number), user);
    (0..=LAST_NUMBER).map(path).collect()
}
