//! The crontabs of a system: those of Debian's cron(8), and of cronie.

use crate::cron::Cron;
use crate::root::Root;
use crate::unread::Unread;
use ::crontab::schedule::Dialect;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::file::Unreadable;

/// The longest crontab that is read to its end, in bytes.
pub const LARGEST: usize = 1 << 20;
/// How many names of a directory are looked at.
const MOST_FILES: usize = 10_000;
/// The crontabs of packages.
const DROP_INS: &str = "/etc/cron.d";
/// The users' own crontabs: Debian's directory and cronie's. Debian's is inside the other one.
const SPOOLS: [&str; 2] = ["/var/spool/cron/crontabs", "/var/spool/cron"];

/// A file that may be a crontab.
#[derive(Clone, Debug)]
pub struct Source {
    file: PathBuf,
    /// `None` for a system crontab.
    user: Option<OsString>,
}

/// A crontab as it was read.
#[derive(Debug)]
pub struct CrontabFile {
    /// Its path in the examined system, by which it was found.
    pub inside: PathBuf,
    /// Its path in this system, for messages.
    pub outside: PathBuf,
    /// Its content, without the lines after [`LARGEST`] bytes.
    pub text: Vec<u8>,
    /// Of the file itself, if a link leads to it.
    pub metadata: Metadata,
    /// The owner of the symbolic link that leads to it.
    pub link_owner: Option<u32>,
    /// The first line that was left out, from 1.
    pub cut: Option<usize>,
    user: Option<OsString>,
}

/// Why a crontab was not read.
#[derive(Debug)]
pub enum NotRead {
    /// It was removed meanwhile.
    Missing,
    /// A user's crontab is a symbolic link. Debian's cron ignores it, and whoever has made the link must not get the file that it
    /// leads to into a report.
    Link,
    /// This process may not read it.
    Denied(io::Error),
    /// cron cannot read it either.
    Unreadable(Unreadable),
}

impl CrontabFile {
    /// Whose crontab it is. `None` for a system crontab.
    #[must_use]
    pub fn user(&self) -> Option<&[u8]> {
        self.user.as_deref().map(OsStr::as_bytes)
    }

    /// Where the users of its jobs are named.
    #[must_use]
    pub fn kind(&self) -> crontab::Kind<'_> {
        match &self.user {
            Some(user) => crontab::Kind::User(user.as_bytes()),
            None => crontab::Kind::System,
        }
    }

    /// Whether it is a file of packages.
    #[must_use]
    pub fn is_drop_in(&self) -> bool {
        self.inside.parent() == Some(Path::new(DROP_INS))
    }
}

impl Source {
    /// Its path in the examined system.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// Lists all crontabs. They are read one by one: together they may be large. What cannot be listed is added to `unread`.
pub fn list(root: &Root, unread: &mut Vec<Unread>) -> Vec<Source> {
    let system = |file| Source { file, user: None };
    let of_user = |file: PathBuf| Source {
        user: file.file_name().map(ToOwned::to_owned),
        file,
    };
    let mut sources = vec![system("/etc/crontab".into())];
    sources.extend(files_in(root, DROP_INS, unread).into_iter().map(system));
    for spool in SPOOLS {
        sources.extend(files_in(root, spool, unread).into_iter().map(of_user));
    }
    sources
}

/// The files of a directory, sorted, without hidden files, directories, and files that somebody put aside.
fn files_in(root: &Root, directory: &str, unread: &mut Vec<Unread>) -> Vec<PathBuf> {
    let path = Path::new(directory);
    let names = match root.locate(path).and_then(|located| located.names(MOST_FILES)) {
        Ok(names) => names,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                unread.push(Unread::Directory(root.outside(path), error));
            }
            return Vec::new();
        }
    };
    if names.len() > MOST_FILES {
        unread.push(Unread::Files(root.outside(path), MOST_FILES));
    }
    let mut files: Vec<PathBuf> = names
        .into_iter()
        .filter(|name| {
            let bytes = name.name.as_bytes();
            !name.is_directory && !bytes.starts_with(b".") && !is_put_aside(bytes)
        })
        .map(|name| path.join(name.name))
        .collect();
    files.sort();
    files
}

/// Reads a crontab, at most [`LARGEST`] bytes of it.
///
/// # Errors
/// [`NotRead`].
pub fn read(root: &Root, cron: &Cron, source: Source) -> Result<CrontabFile, NotRead> {
    let Source { file, user } = source;
    let link_owner = link_owner(root, &file);
    if user.is_some() && link_owner.is_some() && cron.dialect == Some(Dialect::Debian) {
        return Err(NotRead::Link);
    }
    let read = root.locate(&file).map_err(Unreadable::from).and_then(|located| {
        let text = located.read(LARGEST + 1)?.bytes;
        Ok((text, located.metadata()?))
    });
    let (mut text, metadata) = read.map_err(|error| match error {
        Unreadable::Missing => NotRead::Missing,
        Unreadable::System(error) if error.kind() == ErrorKind::PermissionDenied => NotRead::Denied(error),
        error => NotRead::Unreadable(error),
    })?;
    let cut = (text.len() > LARGEST).then(|| {
        text.truncate(LARGEST);
        let last = text.iter().rposition(|byte| *byte == b'\n');
        text.truncate(last.map_or(0, |last| last + 1));
        text.split(|byte| *byte == b'\n').count() // the text ends with a newline, if it has any
    });
    Ok(CrontabFile {
        outside: root.outside(&file),
        inside: file,
        text,
        metadata,
        link_owner,
        cut,
        user,
    })
}

/// Whether the name shows that somebody put the file aside on purpose.
fn is_put_aside(name: &[u8]) -> bool {
    const ENDINGS: [&str; 11] = [
        "~",
        ".bak",
        ".old",
        ".orig",
        ".save",
        ".swp",
        ".disabled",
        ".off",
        ".rpmnew",
        ".rpmsave",
        ".rpmorig",
    ];
    let is_dpkgs = name.windows(6).any(|part| part == b".dpkg-");
    is_dpkgs || ENDINGS.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

fn link_owner(root: &Root, file: &Path) -> Option<u32> {
    let directory = root.locate(file.parent()?).ok()?;
    let named = root.without_link(&directory, file.file_name()?).ok()?;
    named.is_symlink().then(|| named.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_somebody_put_aside_are_known() {
        for (name, is_aside) in [
            ("backup", false),
            ("my-jobs_2", false),
            ("backup.sh", false),
            ("backup~", true),
            ("backup.dpkg-dist", true),
            ("backup.disabled", true),
        ] {
            assert_eq!(is_put_aside(name.as_bytes()), is_aside, "{name}");
        }
    }
}
