//! `rcronctl check`: what is wrong on this server, and what to do about it. See rcronctl-check(8).
//!
//! Each module examines one subject and adds findings to the report. Nothing is changed, and nothing is waited for except the
//! answer of rcrond, for at most two seconds.

mod access;
mod configuration;
mod crontab;
mod default_state;
mod finding;
mod freshness;
mod journal;
mod json;
mod kind;
mod lease;
mod log_socket;
mod mounts;
mod print;
mod programs;
mod rcrond;
mod report;
mod root;
mod state_directory;
mod state_file;
mod tmpfiles;

use crate::cli::{self, Common};
use crate::failure::Failure;
use finding::Severity;
use inputs::diagnostic::shown;
use kind::Group;
use mounts::Mounts;
use report::Report;
use root::Root;
use state_file::State;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use sys::file::read_beginning;

/// Exits with 1 if anything is wrong.
pub(crate) fn run(options: &cli::Check, common: &Common) -> Result<ExitCode, Failure> {
    let directory = options.root.as_deref();
    let named = || shown(directory.unwrap_or(Path::new("/")).as_os_str());
    let root = Root::new(directory).map_err(|error| Failure::cannot(format!("look into {}", named()), &error))?;
    let report = examine(&root, common);
    let text = if common.json {
        json::text(&report)
    } else {
        print::text(&report)
    };
    sys::output::to_stdout(text.as_bytes()).map_err(|error| Failure::cannot("write to standard output", &error))?;
    let is_wrong = report.count(Severity::Wrong) > 0;
    Ok(ExitCode::from(u8::from(is_wrong)))
}

fn examine(root: &Root, common: &Common) -> Report {
    let mut report = Report::default();
    let mounts = mounts(root, &mut report);
    let usage = crontab::check(root, &mut report);
    let clusters = configuration::check(root, &common.conf, &usage, &mut report);
    let daemon = rcrond::check(root, &mut report);
    let (mut sockets, mut journals) = (BTreeSet::new(), BTreeSet::new());
    for cluster in &clusters {
        if let Some(state) = State::read(root, cluster, &mut report) {
            check_state(root, &mounts, &state, usage.has_ordinary_users, &mut report);
            lease::check(root, &state, daemon.as_ref(), &mut report);
        }
        if sockets.insert(cluster.config.syslog_socket.clone()) {
            log_socket::check(root, cluster, &mut report);
        }
        if journals.insert(cluster.config.journal.clone()) {
            journal::check(root, &mounts, cluster, &mut report);
        }
    }
    programs::check(root, &mut report);
    report.close();
    report
}

fn check_state(root: &Root, mounts: &Mounts, state: &State, has_ordinary_users: bool, report: &mut Report) {
    state_file::check(root, mounts, state, has_ordinary_users, report);
    state_directory::check(root, mounts, state, report);
    freshness::check(state, report);
    default_state::check(root, mounts, state, report);
}

/// In a container, the mounts that its first process sees.
fn mounts(root: &Root, report: &mut Report) -> Mounts {
    let file = if root.is_ours() {
        "/proc/self/mountinfo"
    } else {
        "/proc/1/mountinfo"
    };
    let file = root.outside(Path::new(file));
    match read_beginning(file.as_os_str(), 1 << 24) {
        Ok(contents) => Mounts::parse(&contents.bytes),
        Err(error) => {
            let text = format!("what is mounted where: {}: {error}", shown(file.as_os_str()));
            report.missed(Group::State, text);
            Mounts::default()
        }
    }
}
