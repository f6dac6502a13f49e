//! The files in the journal's directory. Every user can make any number of them there, under every name.

use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use inputs::diagnostic::shown;
use jobs::root::{Located, Root};
use journal::names::{self, LAST_NUMBER};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// How many wrong files are listed.
const MOST_FILES: usize = 100;
/// How many names are examined, in the order of the directory. root's own are always examined.
const MOST_NAMES: usize = 100_000;

/// What is wrong, ordered by user: root's come first and are not crowded out.
#[derive(Default)]
struct Faults {
    first: BTreeMap<(u32, String), Finding>,
    count: usize,
    /// The names that each user cannot use.
    taken: BTreeMap<u32, BTreeSet<u32>>,
}

impl Faults {
    fn add(&mut self, user: u32, finding: Finding) {
        self.count += 1;
        self.first.insert((user, finding.place.to_string()), finding);
        if self.first.len() > MOST_FILES {
            self.first.pop_last();
        }
    }
}

pub(crate) fn check(root: &Root, directory: &Located, report: &mut Report) {
    let names = match directory.names(MOST_NAMES) {
        Ok(names) => names,
        Err(error) => {
            report.cannot_read(Group::Journal, &directory.outside, &error);
            return;
        }
    };
    let place = Place::file(&directory.outside);
    if names.len() > MOST_NAMES {
        let text = format!("{place}: the names after the first {MOST_NAMES}, except those of root's journal");
        report.missed(Group::Journal, text);
    }
    let of_root = (0..=LAST_NUMBER).map(|number| names::path(Path::new(""), 0, number).into_os_string());
    let all: BTreeSet<_> = names.into_iter().map(|name| name.name).chain(of_root).collect();
    let mut faults = Faults::default();
    for name in &all {
        examine(root, directory, name, &mut faults);
    }
    report_all(&place, faults, report);
}

fn examine(root: &Root, directory: &Located, name: &OsStr, faults: &mut Faults) {
    let path = directory.outside.join(name);
    let Some((user, number, age)) = names::parse(name) else {
        if shown(name).contains(".jsonl") {
            let what = "this is not the name of a journal: it is not read";
            let remedy = format!(
                "find out who made it; it can be removed: rm {}",
                shown(path.as_os_str())
            );
            let finding = Finding::doubtful(Kind::JournalName, &Place::file(&path), what, remedy);
            faults.add(u32::MAX, finding);
        }
        return;
    };
    let Ok(metadata) = root.without_link(directory, name) else {
        return;
    };
    let place = Place::file(&path);
    if let Some(fault) = fault(user, &metadata) {
        let what = format!("rcron cannot use this file as the journal of user {user}: {fault}");
        let remedy = format!("find out who made it, then remove it: rm {place}");
        let finding = Finding::wrong(Kind::JournalTaken, &place, what, remedy);
        faults.add(
            user,
            finding.because("rcron writes to the next of this user's nine file names"),
        );
        if age == 0 {
            faults.taken.entry(user).or_default().insert(number);
        }
    } else if metadata.mode() & 0o077 != 0 {
        let what = format!(
            "other users can read it or write to it (mode {:04o})",
            metadata.mode() & 0o7777
        );
        let finding = Finding::doubtful(Kind::JournalFileMode, &place, what, format!("chmod 600 {place}"));
        faults.add(user, finding);
    }
}

fn fault(user: u32, metadata: &Metadata) -> Option<String> {
    if !metadata.is_file() {
        Some("it is not a regular file".to_owned())
    } else if metadata.uid() != user {
        Some(format!("it belongs to user {}", metadata.uid()))
    } else if metadata.nlink() != 1 {
        Some(format!("it has {} hard links", metadata.nlink()))
    } else {
        None
    }
}

fn report_all(place: &Place, faults: Faults, report: &mut Report) {
    let more = faults.count - faults.first.len();
    for finding in faults.first.into_values() {
        report.add(finding);
    }
    if more > 0 {
        let text = format!("{place}: {more} more files with a wrong type, owner, mode or name");
        report.missed(Group::Journal, text);
    }
    let is_all = |numbers: &BTreeSet<u32>| (0..=LAST_NUMBER).all(|number| numbers.contains(&number));
    for (user, _) in faults.taken.into_iter().filter(|(_, numbers)| is_all(numbers)) {
        let what = format!("all nine names of the journal of user {user} are taken");
        let remedy = format!("find out who made these files, then remove them: rm -r {place}/{user}-*.jsonl");
        let finding = Finding::wrong(Kind::JournalAllTaken, place, what, remedy);
        report.add(finding.because("the runs of this user are not recorded"));
    }
}
