//! The directory of the state file: whether it is there after a reboot, and what is in it then.

use super::access::Access;
use super::finding::{Finding, Kind, Place, Report, Severity};
use super::lease::{WRITERS, has_lease, is_written_by_a_program};
use super::mounts::Mounts;
use super::root::Root;
use super::state_file::State;
use super::tmpfiles;
use inputs::diagnostic::shown;
use std::fs;
use std::path::Path;

pub(crate) fn check(root: &Root, mounts: &Mounts, state: &State, report: &mut Report) {
    foreign_links(root, state, report);
    let directory = state.located.directory();
    let inside = state.located.inside.parent().unwrap_or(Path::new("/"));
    let is_volatile = mounts.of(inside).map(super::mounts::Mount::is_volatile);
    let is_made = tmpfiles::make(root, inside);
    let line = format!(
        "echo 'd {} 0755 root root' >{}",
        shown(inside.as_os_str()),
        shown(TMPFILES.as_ref())
    );
    let Ok(metadata) = fs::metadata(directory) else {
        let remedy = if is_made {
            "systemd-tmpfiles --create".to_owned()
        } else {
            format!("make it; for one in /run also at each boot: {line}")
        };
        let what = "the state file's directory does not exist";
        report.add(Finding::wrong(
            Kind::StateDirectoryMissing,
            Place::file(directory),
            what,
            remedy,
        ));
        return;
    };
    if let Some((severity, who)) = Access::from(&metadata).writers(root) {
        let remedy = "keep the state file in a directory that only its writer may write";
        let finding = Finding::new(
            severity,
            Kind::StateDirectoryWritable,
            Place::file(directory),
            who,
            remedy,
        );
        report.add(finding.because("who may write the directory may put another state there, or a link"));
    }
    if is_volatile == Some(true) && !is_made && !mounts.is_point(inside) && inside != Path::new("/run") {
        let what = "it is gone after a reboot, and no tmpfiles.d(5) makes it anew";
        let remedy = format!("unless its writer makes it: {line}");
        report.add(Finding::doubtful(
            Kind::StateDirectoryAtBoot,
            Place::file(directory),
            what,
            remedy,
        ));
    }
    if is_volatile == Some(false) {
        persistent(root, mounts, state, report);
    }
}

/// Not rcron.conf: that name would hide the package's file, and with it the directories that it makes.
const TMPFILES: &str = "/etc/tmpfiles.d/rcron-state.conf";

/// By hand this may be meant: the server goes on as what it was. A program's state is of before the boot.
fn persistent(root: &Root, mounts: &Mounts, state: &State, report: &mut Report) {
    let rules = state.cluster.config.rules();
    if rules.require_lease || rules.state_max_age.is_some() || state.content().is_some_and(has_lease) {
        return; // an old state is stale
    }
    let severity = if is_written_by_a_program(root, state) {
        Severity::Wrong
    } else {
        Severity::Doubtful
    };
    let file_system = mounts
        .of(&state.located.inside)
        .map_or("", |mount| mount.file_system.as_str());
    let what = format!("it outlives a reboot (on {file_system})");
    let finding = Finding::new(
        severity,
        Kind::StatePersistent,
        state.place(),
        what,
        format!("keep it in /run, {WRITERS}"),
    );
    report.add(finding.because("after a crash it still says active, while another server has taken over"));
}

/// In a directory that others may write, anybody could have made the link.
fn foreign_links(root: &Root, state: &State, report: &mut Report) {
    for link in &state.located.links {
        let holder = link.parent().unwrap_or(Path::new("/"));
        let is_open = fs::metadata(holder).is_ok_and(|metadata| Access::from(&metadata).writers(root).is_some());
        if is_open {
            let target = fs::read_link(link).unwrap_or_default();
            let what = format!(
                "a symbolic link to {} in a directory that others may write",
                shown(target.as_os_str())
            );
            let remedy = "name the file itself as state_file, in a directory that only its writer may write";
            report.add(Finding::wrong(Kind::StateForeignLink, Place::file(link), what, remedy));
        }
    }
}
