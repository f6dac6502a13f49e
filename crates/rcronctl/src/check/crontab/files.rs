//! The crontabs of a system: those of Debian's cron(8), and of cronie.

use crate::check::access::Access;
use crate::check::cron::Cron;
use crate::check::finding::{Finding, Place};
use crate::check::kind::{Group, Kind};
use crate::check::report::Report;
use crate::check::root::Root;
use ::crontab::schedule::Dialect;
use inputs::diagnostic::shown;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::file::Unreadable;

/// The longest crontab that is read to its end, in bytes.
const LARGEST: usize = 1 << 20;
/// How many names of a directory are looked at.
const MOST_FILES: usize = 10_000;
/// The crontabs of packages.
const DROP_INS: &str = "/etc/cron.d";
/// The users' own crontabs: Debian's directory and cronie's. Debian's is inside the other one.
const SPOOLS: [&str; 2] = ["/var/spool/cron/crontabs", "/var/spool/cron"];

/// A file that may be a crontab.
#[derive(Debug)]
pub(super) struct Source {
    file: PathBuf,
    /// `None` for a system crontab.
    user: Option<OsString>,
}

/// A crontab as it was read.
#[derive(Debug)]
pub(super) struct CrontabFile {
    pub(super) place: Place,
    pub(super) text: Vec<u8>,
    /// Of the file itself, if a link leads to it.
    pub(super) metadata: Metadata,
    pub(super) access: Access,
    /// The owner of the symbolic link that leads to it.
    pub(super) link_owner: Option<u32>,
    user: Option<OsString>,
}

impl CrontabFile {
    /// `None` for a system crontab.
    pub(super) fn user(&self) -> Option<&[u8]> {
        self.user.as_deref().map(OsStr::as_bytes)
    }

    pub(super) fn kind(&self) -> crontab::Kind<'_> {
        match &self.user {
            Some(user) => crontab::Kind::User(user.as_bytes()),
            None => crontab::Kind::System,
        }
    }
}

/// Lists all crontabs. They are read one by one: together they may be large.
pub(super) fn list(root: &Root, report: &mut Report) -> Vec<Source> {
    let system = |file| Source { file, user: None };
    let of_user = |file: PathBuf| Source {
        user: file.file_name().map(ToOwned::to_owned),
        file,
    };
    let mut sources = vec![system("/etc/crontab".into())];
    sources.extend(files_in(root, DROP_INS, report).into_iter().map(system));
    for spool in SPOOLS {
        sources.extend(files_in(root, spool, report).into_iter().map(of_user));
    }
    sources
}

/// The files of a directory, sorted, without hidden files, directories, and files that somebody put aside.
fn files_in(root: &Root, directory: &str, report: &mut Report) -> Vec<PathBuf> {
    let path = Path::new(directory);
    let names = match root.locate(path).and_then(|located| located.names(MOST_FILES)) {
        Ok(names) => names,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                report.cannot_read(Group::Crontabs, &root.outside(path), &error);
            }
            return Vec::new();
        }
    };
    if names.len() > MOST_FILES {
        let text = format!(
            "{}: the files after the first {MOST_FILES}",
            shown(root.outside(path).as_os_str())
        );
        report.missed(Group::Crontabs, text);
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

pub(super) fn read(root: &Root, cron: &Cron, source: Source, report: &mut Report) -> Option<CrontabFile> {
    let Source { file, user } = source;
    let outside = root.outside(&file);
    let place = Place::file(&outside);
    let link_owner = link_owner(root, &file);
    // Whoever has made a link here does not get the file that it leads to into the report.
    if user.is_some() && link_owner.is_some() && cron.dialect == Some(Dialect::Debian) {
        let what = "cron ignores this crontab: it is a symbolic link";
        let remedy = "remove it, and install the crontab with crontab(1)";
        let finding = Finding::wrong(Kind::CrontabIgnored, &place, what, remedy);
        report.add(finding.because("none of the jobs in this file runs on this server"));
        return None;
    }
    let read = root.locate(&file).map_err(Unreadable::from).and_then(|located| {
        let text = located.read(LARGEST + 1)?.bytes;
        Ok((text, located.metadata()?))
    });
    let (mut text, metadata) = match read {
        Ok(read) => read,
        Err(Unreadable::Missing) => return None,
        Err(Unreadable::System(error)) if error.kind() == ErrorKind::PermissionDenied => {
            report.cannot_read(Group::Crontabs, &outside, &error);
            return None;
        }
        Err(error) => {
            let what = format!("cron cannot read a crontab here: {error}");
            let remedy = "remove it, or put a crontab in its place";
            report.add(Finding::wrong(Kind::CrontabUnreadable, &place, what, remedy));
            return None;
        }
    };
    if text.len() > LARGEST {
        text.truncate(LARGEST);
        let last = text.iter().rposition(|byte| *byte == b'\n');
        text.truncate(last.map_or(0, |last| last + 1));
        let line = text.split(|byte| *byte == b'\n').count(); // the text ends with a newline, if it has any
        let missed = format!("{place}: line {line} and all later lines, after {LARGEST} bytes");
        report.missed(Group::Crontabs, missed);
    }
    Some(CrontabFile {
        place,
        text,
        access: Access::from(&metadata),
        metadata,
        link_owner,
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

/// Whether it is a file of packages.
pub(super) fn is_drop_in(root: &Root, file: &Path) -> bool {
    file.parent() == Some(&root.outside(Path::new(DROP_INS)))
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
