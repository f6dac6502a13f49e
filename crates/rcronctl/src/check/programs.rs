//! rcron itself. It is not run: its version would tell little, and a doctor must not start what it suspects.

use super::access::Access;
use super::finding::{Finding, Group, Kind, Place, Report};
use super::root::{Located, Root};
use std::fs;
use std::path::Path;

/// Where administrators and packages put programs; on most systems some of them lead to the same directory.
const DIRECTORIES: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

pub(crate) fn check(root: &Root, report: &mut Report) {
    let mut found: Vec<Located> = Vec::new();
    for directory in DIRECTORIES {
        let located = root.locate(&Path::new(directory).join("rcron"));
        let is_new = |located: &Located| !found.iter().any(|other| other.inside == located.inside);
        found.extend(
            located
                .ok()
                .filter(|located| located.outside.is_file() && is_new(located)),
        );
    }
    let Some(first) = found.first() else {
        let what = format!("there is no rcron in {}", DIRECTORIES.join(", "));
        let place = Place::file(&root.outside(Path::new("/usr/bin/rcron")));
        report.add(Finding::wrong(
            Kind::RcronMissing,
            place,
            what,
            "install it, best in /usr/bin: cron looks there",
        ));
        return;
    };
    if let [_, others @ ..] = found.as_slice() {
        for other in others {
            let what = format!("there is another rcron in {}", Place::file(&first.outside));
            let remedy = "remove the one that is not wanted: which of them runs depends on PATH";
            report.add(Finding::doubtful(
                Kind::RcronSeveral,
                Place::file(&other.outside),
                what,
                remedy,
            ));
        }
    }
    for program in &found {
        report.saw(Group::Programs, Place::file(&program.outside).to_string());
        check_access(root, program, report);
    }
}

fn check_access(root: &Root, program: &Located, report: &mut Report) {
    let Ok(metadata) = fs::metadata(&program.outside) else {
        return;
    };
    let access = Access::from(&metadata);
    let place = Place::file(&program.outside);
    if access.mode & 0o6000 != 0 {
        let what = format!(
            "it is set-user-ID or set-group-ID (mode {:04o}): every user's jobs get its rights",
            access.mode
        );
        let remedy = format!("chmod 755 {place}");
        report.add(Finding::wrong(Kind::RcronSetuid, place.clone(), what, remedy));
    }
    if let Some((_, who)) = access.writers(root) {
        let finding = Finding::wrong(Kind::RcronWritable, place.clone(), who, format!("chmod 755 {place}"));
        report.add(finding.because("root's crontab executes it"));
    } else if !access.is_roots(root) {
        let what = format!("it belongs to user {}, not to root", access.owner);
        let finding = Finding::wrong(Kind::RcronWritable, place.clone(), what, format!("chown root {place}"));
        report.add(finding.because("root's crontab executes it"));
    }
}
