//! Which crontabs there are: cron(8) of Debian, and cronie's.

use super::text::Kind;
use crate::check::access::Access;
use crate::check::finding::{Finding, Group, Kind as Found, Place, Report};
use crate::check::root::Root;
use inputs::diagnostic::shown;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use sys::file;
use sys::output::error_text;

/// A larger file is no crontab: cron itself stops at less.
const LARGEST: usize = 1 << 20;
/// Where the files of packages are.
const DROP_INS: &str = "/etc/cron.d";
/// Users' own: Debian's directory and cronie's. (Debian's stands in the other one, and is no file.)
const SPOOLS: [&str; 2] = ["/var/spool/cron/crontabs", "/var/spool/cron"];

/// A crontab as it was read.
#[derive(Debug)]
pub(crate) struct Crontab {
    pub(crate) file: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) text: Vec<u8>,
    pub(crate) access: Access,
}

/// Every crontab that may be read; what may not is told.
pub(crate) fn read_all(root: &Root, report: &mut Report) -> Vec<Crontab> {
    let mut crontabs = Vec::new();
    let main = root.outside(Path::new("/etc/crontab"));
    crontabs.extend(read(main, Kind::System, report));
    for file in listed(root, DROP_INS, report) {
        crontabs.extend(read(file, Kind::System, report));
    }
    for spool in SPOOLS {
        for file in listed(root, spool, report) {
            let user = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            crontabs.extend(read(file, Kind::Of(user), report));
        }
    }
    crontabs
}

/// The files of a directory but for hidden ones, those that were put aside, and directories, in order.
fn listed(root: &Root, directory: &str, report: &mut Report) -> Vec<PathBuf> {
    let directory = root.outside(Path::new(directory));
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                let text = format!("{}: {}", shown(directory.as_os_str()), error_text(&error));
                report.missed(Group::Crontabs, text);
            }
            return Vec::new();
        }
    };
    let is_hidden = |file: &PathBuf| {
        file.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let is_aside = |file: &PathBuf| {
        file.file_name()
            .is_some_and(|name| is_put_aside(name.as_encoded_bytes()))
    };
    files.retain(|file| !is_hidden(file) && !is_aside(file) && !file.is_dir());
    files.sort();
    files
}

fn read(file: PathBuf, kind: Kind, report: &mut Report) -> Option<Crontab> {
    let metadata = fs::symlink_metadata(&file).ok()?;
    match file::read_beginning(file.as_os_str(), LARGEST) {
        Ok(contents) => Some(Crontab {
            file,
            kind,
            text: contents.bytes,
            access: Access::from(&metadata),
        }),
        Err(file::Unreadable::System(error)) => {
            let text = format!("{}: {}", shown(file.as_os_str()), error_text(&error));
            report.missed(Group::Crontabs, text);
            None
        }
        Err(error) => {
            let remedy = "remove it, or put the crontab itself there";
            let what = format!("cron reads no crontab here: {error}");
            report.add(Finding::wrong(
                Found::CrontabUnreadable,
                Place::file(&file),
                what,
                remedy,
            ));
            None
        }
    }
}

/// Whether cron reads a file of this name in /etc/cron.d.
pub(crate) fn is_read_by_debian(name: &[u8]) -> bool {
    // cron(8): "must conform to the same naming convention as used by run-parts(8)".
    name.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Whether somebody put a file aside on purpose, by its name.
fn is_put_aside(name: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 11] = [
        b"~",
        b".bak",
        b".old",
        b".orig",
        b".save",
        b".swp",
        b".disabled",
        b".off",
        b".rpmnew",
        b".rpmsave",
        b".rpmorig",
    ];
    ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.windows(6).any(|part| part == b".dpkg-")
}

/// Whether the file lies in the directory of drop-ins.
pub(crate) fn is_drop_in(root: &Root, file: &Path) -> bool {
    file.parent() == Some(&root.outside(Path::new(DROP_INS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_reads_names_without_dots() {
        for (name, is_read, is_aside) in [
            ("backup", true, false),
            ("my-jobs_2", true, false),
            ("backup.sh", false, false),
            ("backup~", false, true),
            ("backup.dpkg-dist", false, true),
            ("backup.disabled", false, true),
        ] {
            assert_eq!(is_read_by_debian(name.as_bytes()), is_read, "{name}");
            assert_eq!(is_put_aside(name.as_bytes()), is_aside, "{name}");
        }
    }
}
