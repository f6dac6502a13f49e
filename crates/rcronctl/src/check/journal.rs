//! The directory of the run journal: rcron(8), and who can put files into it.

use super::access::Access;
use super::configuration::Cluster;
use super::finding::{Finding, Place, Severity};
use super::journal_files;
use super::kind::{Group, Kind};
use super::mounts::{Mount, Mounts};
use super::report::Report;
use jobs::root::{Located, Root};
use journal::append::LARGEST;
use nix::sys::statvfs::fstatvfs;
use policy::config::DEFAULT_JOURNAL;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// With the sticky bit; every user can add files, but not list them.
const MODE: u32 = 0o1733;

pub(crate) fn check(root: &Root, mounts: &Mounts, cluster: &Cluster, report: &mut Report) {
    let Some(path) = &cluster.config.journal else {
        report.saw(Group::Journal, format!("{}: journal = none", cluster.place()));
        return;
    };
    let Ok(located) = root.locate(Path::new(OsStr::from_bytes(path))) else {
        return;
    };
    let place = Place::file(&located.outside);
    let install = format!("install -d -m 1733 -o root -g root {place}");
    let metadata = match located.metadata() {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => {
            let remedy = format!("remove it, then run {install}");
            let finding = Finding::wrong(
                Kind::JournalNotDirectory,
                &place,
                "the journal is not a directory",
                remedy,
            );
            report.add(finding.because("no run is recorded"));
            return;
        }
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            report.cannot_read(Group::Journal, &located.outside, &error);
            return;
        }
        Err(_) => {
            // The default directory may be missing on purpose.
            let severity = if path == DEFAULT_JOURNAL {
                Severity::Doubtful
            } else {
                Severity::Wrong
            };
            let what = "the directory of the journal does not exist";
            let finding = Finding::new(severity, Kind::JournalMissing, &place, what, install);
            report.add(finding.because("no run is recorded"));
            return;
        }
    };
    report.saw(Group::Journal, place.to_string());
    check_directory(root, &place, Access::from(&metadata), report);
    check_medium(mounts, &located, report);
    journal_files::check(root, &located, report);
}

fn check_directory(root: &Root, place: &Place, access: Access, report: &mut Report) {
    let fault = match access.mode {
        MODE => None,
        mode if mode & 0o022 != 0 && mode & 0o1000 == 0 => Some((
            Severity::Wrong,
            "without the sticky bit, every user can remove the files of others",
        )),
        mode if mode & 0o003 != 0o003 => Some((
            Severity::Wrong,
            "the jobs of users who cannot write to it are not recorded",
        )),
        _ => Some((Severity::Doubtful, "every user can see who has jobs here")),
    };
    if let Some((severity, why)) = fault {
        let what = format!("the journal has mode {:04o}, not 1733", access.mode);
        let finding = Finding::new(severity, Kind::JournalMode, place, what, format!("chmod 1733 {place}"));
        report.add(finding.because(why));
    }
    if !access.is_roots(root) {
        let what = format!("the journal belongs to user {}, not to root", access.owner);
        let finding = Finding::wrong(Kind::JournalOwner, place, what, format!("chown root {place}"));
        report.add(finding.because("this user can remove every file in it"));
    }
}

fn check_medium(mounts: &Mounts, located: &Located, report: &mut Report) {
    let place = Place::file(&located.outside);
    let mount = mounts.of(&located.inside);
    if mount.is_some_and(Mount::is_volatile) {
        let remedy = if located.inside == Path::new(OsStr::from_bytes(DEFAULT_JOURNAL)) {
            "mount a disk there, or set journal to a directory on a disk"
        } else {
            "keep it on a disk: journal = /var/lib/rcron/journal"
        };
        let finding = Finding::doubtful(Kind::JournalVolatile, &place, "a reboot empties the journal", remedy);
        report.add(finding.because("after a crash, nobody can see which runs were interrupted"));
    }
    if mount.is_some_and(|mount| mount.read_only) {
        let what = "the file system of the journal is mounted read-only";
        let remedy = "mount it read-write, or set journal to another directory";
        let finding = Finding::wrong(Kind::JournalReadOnly, &place, what, remedy);
        report.add(finding.because("no run is recorded"));
        return;
    }
    let Some(room) = located.file().ok().and_then(|file| fstatvfs(file).ok()) else {
        return;
    };
    let free = room.blocks_available() * room.fragment_size();
    if let Some(severity) = lack_of_room(free) {
        let what = format!("the file system of the journal has only {} KiB free", free >> 10);
        let remedy = "free some space, or set journal to another directory";
        let finding = Finding::new(severity, Kind::JournalFull, &place, what, remedy);
        report.add(finding.because("jobs run, but are not recorded once it is full"));
    }
}

/// A file of the journal grows to 16 MiB, and the next record needs one block.
fn lack_of_room(free: u64) -> Option<Severity> {
    match free {
        0..4096 => Some(Severity::Wrong),
        4096..LARGEST => Some(Severity::Doubtful),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_a_whole_file_is_expected() {
        assert_eq!(lack_of_room(0), Some(Severity::Wrong));
        assert_eq!(lack_of_room(1 << 20), Some(Severity::Doubtful));
        assert_eq!(lack_of_room(LARGEST), None);
    }
}
