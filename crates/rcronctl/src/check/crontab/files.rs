//! The crontabs of a system, with findings about those that cannot be read.

use crate::check::finding::{Finding, Place};
use crate::check::kind::{Group, Kind};
use crate::check::report::Report;
use inputs::diagnostic::shown;
use jobs::cron::Cron;
use jobs::files::{self, LARGEST, NotRead, Source};
use jobs::root::Root;
use jobs::unread::Unread;
use std::ops::Deref;

/// A crontab as it was read.
#[derive(Debug)]
pub(super) struct CrontabFile {
    pub(super) place: Place,
    read: files::CrontabFile,
}

impl Deref for CrontabFile {
    type Target = files::CrontabFile;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

/// Lists all crontabs.
pub(super) fn list(root: &Root, report: &mut Report) -> Vec<Source> {
    let mut unread = Vec::new();
    let sources = files::list(root, &mut unread);
    add_unread(unread, report);
    sources
}

/// Says what was not read.
pub(in crate::check) fn add_unread(unread: Vec<Unread>, report: &mut Report) {
    for unread in unread {
        match unread {
            Unread::Directory(directory, error) => report.cannot_read(Group::Crontabs, &directory, &error),
            Unread::File(file, error) => report.missed(Group::Crontabs, format!("{}: {error}", file.display())),
            Unread::Files(directory, most) => {
                let text = format!("{}: the files after the first {most}", shown(directory.as_os_str()));
                report.missed(Group::Crontabs, text);
            }
            Unread::Lines(file, line) => {
                let file = shown(file.as_os_str());
                report.missed(Group::Crontabs, format!("{file}: line {line} and all later lines"));
            }
        }
    }
}

pub(super) fn read(root: &Root, cron: &Cron, source: Source, report: &mut Report) -> Option<CrontabFile> {
    let outside = root.outside(source.file());
    let place = Place::file(&outside);
    let read = match files::read(root, cron, source) {
        Ok(read) => read,
        Err(NotRead::Missing) => return None,
        Err(NotRead::Link) => {
            let what = "cron ignores this crontab: it is a symbolic link";
            let remedy = "remove it, and install the crontab with crontab(1)";
            let finding = Finding::wrong(Kind::CrontabIgnored, &place, what, remedy);
            report.add(finding.because("none of the jobs in this file runs on this server"));
            return None;
        }
        Err(NotRead::Denied(error)) => {
            report.cannot_read(Group::Crontabs, &outside, &error);
            return None;
        }
        Err(NotRead::Unreadable(error)) => {
            let what = format!("cron cannot read a crontab here: {error}");
            let remedy = "remove it, or put a crontab in its place";
            report.add(Finding::wrong(Kind::CrontabUnreadable, &place, what, remedy));
            return None;
        }
    };
    if let Some(line) = read.cut {
        let missed = format!("{place}: line {line} and all later lines, after {LARGEST} bytes");
        report.missed(Group::Crontabs, missed);
    }
    Some(CrontabFile { place, read })
}
