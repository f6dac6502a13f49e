//! The directory of the state file: whether it exists after a reboot, and which state it contains then.

use super::Server;
use super::access::Access;
use super::finding::{Finding, Place, Severity};
use super::kind::Kind;
use super::lease::{has_lease, is_written_by_a_program};
use super::mounts::Mount;
use super::report::Report;
use super::state_file::State;
use super::tmpfiles;
use inputs::diagnostic::shown;
use std::path::Path;

/// Not rcron.conf: that name would hide the package's file, and with it the directories that it makes.
const TMPFILES: &str = "/etc/tmpfiles.d/rcron-state.conf";

pub(crate) fn check(server: &Server, state: &State, report: &mut Report) {
    let Server { root, mounts, .. } = server;
    check_links(server, state, report);
    let inside = state.located.inside.parent().unwrap_or(Path::new("/"));
    let place = Place::file(state.located.directory());
    let is_made = tmpfiles::make(root, inside);
    let make = format!("echo 'd {} 0755 root root' >{TMPFILES}", shown(inside.as_os_str()));
    let directory = root.locate(inside).and_then(|located| located.metadata());
    let Ok(metadata) = directory else {
        let remedy = if is_made {
            "systemd-tmpfiles --create".to_owned()
        } else {
            format!("create it; if it is in /run, let each boot create it: {make}")
        };
        let what = "the directory of the state file does not exist";
        report.add(Finding::wrong(Kind::StateDirectoryMissing, &place, what, remedy));
        return;
    };
    if let Some((severity, who)) = Access::from(&metadata).writers(root) {
        let remedy = "move the state file to a directory that only its writer can write to";
        let finding = Finding::new(severity, Kind::StateDirectoryWritable, &place, who, remedy);
        report.add(finding.because("whoever can write to the directory can replace the state file"));
    }
    let Some(mount) = mounts.of(inside) else { return };
    if !mount.is_volatile() {
        check_persistent(server, state, report);
    } else if !is_made && !mounts.is_point(inside) && inside != Path::new("/run") {
        let what = "a reboot removes the directory, and no tmpfiles.d(5) file creates it again";
        let remedy = format!("unless the writer of the state file creates it, run {make}");
        report.add(Finding::doubtful(Kind::StateDirectoryAtBoot, &place, what, remedy));
    }
}

/// A state that is set by hand may be meant to survive a reboot. The state that a program wrote is older than the boot.
fn check_persistent(server: &Server, state: &State, report: &mut Report) {
    let rules = state.cluster.config.rules();
    if rules.require_lease || rules.state_max_age.is_some() || state.content().is_some_and(has_lease) {
        return; // an old state is stale
    }
    let severity = if is_written_by_a_program(server, state) {
        Severity::Wrong
    } else {
        Severity::Doubtful
    };
    let mount = server.mounts.of(&state.located.inside);
    let file_system = mount.map_or("", |mount: &Mount| mount.file_system.as_str());
    let what = format!("the state file survives a reboot (its file system is {file_system})");
    let keep = if state.located.inside.starts_with("/run") {
        "let /run be a tmpfs"
    } else {
        "keep it in /run"
    };
    let remedy = format!("{keep}, or set state_max_age (its writer must touch it) or require_lease (with rcrond)");
    let finding = Finding::new(severity, Kind::StatePersistent, &state.place(), what, remedy);
    report.add(finding.because("after a crash it still says active, although another server has taken over"));
}

/// Finds links on the way to the state file that other users could have made.
fn check_links(server: &Server, state: &State, report: &mut Report) {
    for link in &state.located.links {
        if Access::from(&link.holder).writers(server.root).is_some() {
            let target = shown(link.target.as_os_str());
            let what = format!("other users can replace this link to {target}: they can write to its directory");
            let remedy = "set state_file to the file itself, in a directory that only its writer can write to";
            report.add(Finding::wrong(
                Kind::StateForeignLink,
                &Place::file(&link.path),
                what,
                remedy,
            ));
        }
    }
}
