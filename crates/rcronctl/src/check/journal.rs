//! The directory of the run journal: rcron(8), and who may put what there.

use super::access::Access;
use super::configuration::Cluster;
use super::finding::{Finding, Group, Kind, Place, Report, Severity};
use super::mounts::Mounts;
use super::root::{Located, Root};
use inputs::diagnostic::shown;
use journal::append::LARGEST;
use nix::sys::statvfs::statvfs;
use policy::config::DEFAULT_JOURNAL;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use sys::output::error_text;

/// Sticky, and everybody may add files but not list them.
const MODE: u32 = 0o1733;

pub(crate) fn check(root: &Root, mounts: &Mounts, cluster: &Cluster, report: &mut Report) {
    let Some(path) = &cluster.config.journal else {
        report.saw(Group::Journal, format!("{}: no journal is wanted", cluster.place()));
        return;
    };
    let Ok(located) = root.locate(Path::new(OsStr::from_bytes(path))) else {
        return;
    };
    let place = Place::file(&located.outside);
    let install = format!("install -d -m 1733 -o root -g root {place}");
    let metadata = match fs::metadata(&located.outside) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => {
            let what = "the journal is no directory";
            report.add(Finding::wrong(Kind::JournalNotDirectory, place, what, install));
            return;
        }
        Err(_) => {
            // Where nobody asked for one, its absence is no mistake.
            let severity = if path == DEFAULT_JOURNAL {
                Severity::Doubtful
            } else {
                Severity::Wrong
            };
            let what = "there is no such directory: no journal is kept";
            report.add(Finding::new(severity, Kind::JournalMissing, place, what, install));
            return;
        }
    };
    report.saw(Group::Journal, place.to_string());
    directory(root, &place, Access::from(&metadata), report);
    medium(mounts, &located, report);
    files(&located, report);
}

fn directory(root: &Root, place: &Place, access: Access, report: &mut Report) {
    let fault = match access.mode {
        MODE => None,
        mode if mode & 0o022 != 0 && mode & 0o1000 == 0 => Some((
            Severity::Wrong,
            "without the sticky bit every user may remove the others' files",
        )),
        mode if mode & 0o003 != 0o003 => Some((
            Severity::Wrong,
            "not every user may write it: their jobs have no journal",
        )),
        _ => Some((Severity::Doubtful, "every user may see who has jobs here")),
    };
    if let Some((severity, why)) = fault {
        let what = format!("the journal's mode is {:04o}, not 1733", access.mode);
        let finding = Finding::new(
            severity,
            Kind::JournalMode,
            place.clone(),
            what,
            format!("chmod 1733 {place}"),
        );
        report.add(finding.because(why));
    }
    if !access.is_roots(root) {
        let what = format!(
            "the journal belongs to user {}, who may remove all files in it",
            access.owner
        );
        report.add(Finding::wrong(
            Kind::JournalOwner,
            place.clone(),
            what,
            format!("chown root {place}"),
        ));
    }
}

fn medium(mounts: &Mounts, located: &Located, report: &mut Report) {
    let place = Place::file(&located.outside);
    let mount = mounts.of(&located.inside);
    if mount.is_some_and(super::mounts::Mount::is_volatile) {
        let what = "the journal is gone after a reboot: nobody will see which runs a crash cut off";
        let remedy = "keep it on a disk: journal = /var/lib/rcron/journal";
        report.add(Finding::doubtful(Kind::JournalVolatile, place.clone(), what, remedy));
    }
    if mount.is_some_and(|mount| mount.read_only) {
        let what = "its file system is mounted read-only: no journal is kept";
        let remedy = "mount it read-write, or set journal to another directory";
        report.add(Finding::wrong(Kind::JournalReadOnly, place, what, remedy));
        return;
    }
    let Ok(room) = statvfs(&located.outside) else { return };
    let free = room.blocks_available() * room.fragment_size();
    if let Some(severity) = lack_of_room(free) {
        let what = format!("only {} KiB are free for the journal", free >> 10);
        let remedy = "make room, or set journal to another directory; jobs run all the same";
        report.add(Finding::new(severity, Kind::JournalFull, place, what, remedy));
    }
}

/// A journal's file grows to 16 MiB; the next record needs one block.
fn lack_of_room(free: u64) -> Option<Severity> {
    match free {
        0..4096 => Some(Severity::Wrong),
        4096..LARGEST => Some(Severity::Doubtful),
        _ => None,
    }
}

fn files(located: &Located, report: &mut Report) {
    let entries = match fs::read_dir(&located.outside) {
        Ok(entries) => entries,
        Err(error) => {
            let text = format!(
                "files in {}: {}",
                shown(located.outside.as_os_str()),
                error_text(&error)
            );
            report.missed(Group::Journal, text);
            return;
        }
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let user = file.file_name().and_then(|name| user_of(name.as_bytes()));
        let (Some(user), Ok(metadata)) = (user, fs::symlink_metadata(&file)) else {
            continue;
        };
        if let Some(finding) = fault(&Place::file(&file), user, &metadata) {
            report.add(finding);
        }
    }
}

fn fault(place: &Place, user: u32, metadata: &Metadata) -> Option<Finding> {
    let foreign = if !metadata.is_file() {
        "it is no regular file".to_owned()
    } else if metadata.uid() != user {
        format!("it belongs to user {}, not to user {user}", metadata.uid())
    } else if metadata.nlink() != 1 {
        format!("it has {} names (hard links)", metadata.nlink())
    } else {
        return mode(place, metadata.mode() & 0o7777);
    };
    let what = format!("the name of user {user}'s journal is taken: {foreign}");
    let remedy = format!("look who made it, then remove it: rm {place}");
    let finding = Finding::wrong(Kind::JournalTaken, place.clone(), what, remedy);
    Some(finding.because("rcron does not write to it, and takes the next of nine names"))
}

fn mode(place: &Place, mode: u32) -> Option<Finding> {
    (mode & 0o077 != 0).then(|| {
        let what = format!("others may read or write it (mode {mode:04o})");
        Finding::doubtful(Kind::JournalFileMode, place.clone(), what, format!("chmod 600 {place}"))
    })
}

/// `UID-N.jsonl`, N from 0 to 8, and `.1` to `.4` of it.
fn user_of(name: &[u8]) -> Option<u32> {
    let name = std::str::from_utf8(name).ok()?;
    let (user, rest) = name.split_once('-')?;
    let (number, age) = rest.split_once(".jsonl")?;
    let is_number = matches!(number.as_bytes(), [b'0'..=b'8']);
    let is_age = matches!(age.as_bytes(), [] | [b'.', b'1'..=b'4']);
    (is_number && is_age).then(|| user.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_are_known_by_their_names() {
        for (name, user) in [
            ("0-0.jsonl", Some(0)),
            ("1000-8.jsonl.4", Some(1000)),
            ("1000-9.jsonl", None),
            ("1000-0.jsonl.5", None),
            ("x-0.jsonl", None),
            ("1000.jsonl", None),
            ("lock", None),
        ] {
            assert_eq!(user_of(name.as_bytes()), user, "{name}");
        }
    }

    #[test]
    fn room_is_wanted_for_a_whole_file() {
        assert_eq!(lack_of_room(0), Some(Severity::Wrong));
        assert_eq!(lack_of_room(1 << 20), Some(Severity::Doubtful));
        assert_eq!(lack_of_room(LARGEST), None);
    }
}
