//! Where journals are.

use crate::append::{self, LAST_NAME};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use sys::environment;

/// A journal to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This server's directory, by its configuration.
    Own(PathBuf),
    /// A directory or a file that the user named: perhaps another server's.
    Named(PathBuf),
}

/// One name of a journal: a file, and those that it was renamed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) path: PathBuf,
    /// Whether it is in a directory where anybody may have put it.
    pub(crate) in_directory: bool,
    /// Whose it must be: the user in its name.
    pub(crate) user: Option<u32>,
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Named(path) => path,
        }
    }

    /// Its names.
    pub(crate) fn names(&self) -> io::Result<Vec<Name>> {
        let is_own = matches!(self, Self::Own(_));
        if !is_own && self.path().metadata()?.is_file() {
            return Ok(vec![Name {
                path: self.path().to_owned(),
                in_directory: false,
                user: None,
            }]);
        }
        let paths = match names(self.path()) {
            // Directories of mode 1733 can be listed by root alone. Others know the names of their own files.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => own_names(self.path()),
            names => names?,
        };
        let name = |path: PathBuf| Name {
            in_directory: true,
            // A copy belongs to whoever has copied it.
            user: user(&path).filter(|_| is_own),
            path,
        };
        Ok(paths.into_iter().map(name).collect())
    }
}

/// The user in a name: `UID-N.jsonl`.
fn user(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}

fn names(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        if let Some(name) = base(&name) {
            names.push(directory.join(name));
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// `UID-N.jsonl` of `UID-N.jsonl` and of `UID-N.jsonl.1`, which may be there alone.
fn base(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?;
    let end = name.find(".jsonl")? + ".jsonl".len();
    let (user, number) = name[..end - ".jsonl".len()].split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(user) && is_number(number)).then_some(&name[..end])
}

fn own_names(directory: &Path) -> Vec<PathBuf> {
    let user = environment::effective_user();
    (0..=LAST_NAME)
        .map(|number| append::name(directory, user, number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_journal_s_names_are_taken() {
        for (name, taken) in [
            ("0-0.jsonl", Some("0-0.jsonl")),
            ("1000-3.jsonl.4", Some("1000-3.jsonl")),
            ("acknowledged", None),
            ("x-0.jsonl", None),
            ("0-.jsonl", None),
            ("0.jsonl", None),
        ] {
            assert_eq!(base(OsStr::new(name)), taken, "{name}");
        }
    }
}
