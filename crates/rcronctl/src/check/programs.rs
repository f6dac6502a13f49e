//! rcron itself. It is not run: its version would show little, and a program under suspicion must not be started.

use super::access::Access;
use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use jobs::root::{Located, Root};
use std::path::Path;

/// Where administrators and packages put programs. On most systems some of these lead to the same directory.
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
        let Ok(located) = root.locate(&Path::new(directory).join("rcron")) else {
            continue;
        };
        let is_known = found.iter().any(|other| other.inside == located.inside);
        let is_file = located.metadata().is_ok_and(|metadata| metadata.is_file());
        if is_file && !is_known {
            found.push(located);
        }
    }
    let Some(first) = found.first().map(|first| Place::file(&first.outside)) else {
        let what = format!("rcron was not found in {}", DIRECTORIES.join(", "));
        let place = Place::file(&root.outside(Path::new("/usr/bin/rcron")));
        let remedy = "install it, preferably in /usr/bin, where cron searches";
        report.add(Finding::wrong(Kind::RcronMissing, &place, what, remedy));
        return;
    };
    for program in &found {
        let place = Place::file(&program.outside);
        if place != first {
            let what = format!("there is another rcron, {first}");
            let finding = Finding::doubtful(Kind::RcronSeveral, &place, what, "remove the one that is not wanted");
            report.add(finding.because("PATH decides which of them runs"));
        }
        report.saw(Group::Programs, place.to_string());
        check_access(root, program, &place, report);
    }
}

fn check_access(root: &Root, program: &Located, place: &Place, report: &mut Report) {
    const USE: &str = "root's crontab executes it";
    let Ok(metadata) = program.metadata() else { return };
    let access = Access::from(&metadata);
    let chmod = format!("chmod 755 {place}");
    if access.mode & 0o6000 != 0 {
        let what = format!("rcron is set-user-ID or set-group-ID (mode {:04o})", access.mode);
        let finding = Finding::wrong(Kind::RcronSetuid, place, what, chmod.clone());
        report.add(finding.because("the jobs of every user run with its rights"));
    }
    if let Some((_, who)) = access.writers(root) {
        report.add(Finding::wrong(Kind::RcronWritable, place, who, chmod).because(USE));
    } else if !access.is_roots(root) {
        let what = format!("it belongs to user {}, not to root", access.owner);
        let finding = Finding::wrong(Kind::RcronWritable, place, what, format!("chown root {place}"));
        report.add(finding.because(USE));
    }
}
