//! `rcronctl check`: what is wrong on this server, and what to do about it. See rcronctl-check(8).
//!
//! Each module examines one subject and adds findings to the report. Nothing is changed, and nothing is waited for except the
//! answers of rcrond, for at most two seconds each.

mod access;
mod configuration;
mod crontab;
mod default_state;
mod drift;
mod finding;
mod freshness;
mod journal;
mod journal_files;
mod json;
mod keepalived;
mod kind;
mod lease;
mod log_socket;
mod mounts;
mod once_per_tick;
mod print;
mod processes;
mod programs;
mod rcrond;
mod report;
mod services;
mod state_directory;
mod state_file;
mod switch;
mod tmpfiles;

use crate::cli::{self, Common};
use crate::failure::Failure;
use configuration::Cluster;
use finding::Severity;
use inputs::diagnostic::shown;
use jobs::cron::Cron;
use jobs::rights::Rights;
use jobs::root::Root;
use kind::Group;
use mounts::Mounts;
use report::Report;
use state_file::State;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use switch::Switch;
use sys::file::Unreadable;

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
    let users = crontab::users(root, &mut report);
    let cron = Cron::find(root);
    let usage = crontab::check(root, &users, &cron, &mut report);
    let switch = Switch::read(root);
    let daemon = rcrond::check(root, &switch, &mut report);
    services::check(root, &cron, &switch, usage.has_jobs, daemon.is_some(), &mut report);
    let server = Server {
        root,
        mounts: mounts(root, &mut report),
        has_ordinary_users: usage.has_ordinary_users,
        switch,
        daemon,
    };
    let mut seen = Seen::default();
    let mut clusters = configuration::check(root, &common.conf, &usage, &users, &mut report);
    clusters.sort_by(|one, other| one.rights.cmp(&other.rights)); // stable: root's own first
    for cluster in &clusters {
        let examined = cluster
            .rights
            .with(|| check_cluster(&server, cluster, &mut seen, &mut report));
        if let Err(error) = examined {
            report.cannot_read(Group::State, &cluster.file, &error);
        }
    }
    let answer = server.daemon.as_ref();
    once_per_tick::check(root, &server.switch, &usage, &clusters, answer, &mut report);
    if let Some(answer) = answer {
        drift::check(root, &server.switch, answer, &mut report);
    }
    keepalived::check(root, &clusters, &mut report);
    programs::check(root, &mut report);
    report.close();
    report
}

/// What is known about the server when a cluster is examined. It was read with the rights of this process.
pub(crate) struct Server<'a> {
    pub(crate) root: &'a Root,
    pub(crate) mounts: Mounts,
    /// Whether users other than root have jobs under rcron.
    pub(crate) has_ordinary_users: bool,
    pub(crate) switch: Switch,
    /// The answer of rcrond, if there is one.
    pub(crate) daemon: Option<control::Report>,
}

/// The places that were examined, each with the rights it was examined with: several clusters may share one.
#[derive(Default)]
struct Seen {
    sockets: Places,
    journals: Places,
}

#[derive(Default)]
struct Places(BTreeSet<(Vec<u8>, Rights)>);

impl Places {
    /// Whether the place is still to be examined. What was examined with this process's own rights was seen as a whole.
    fn add(&mut self, place: &[u8], rights: &Rights) -> bool {
        let is_seen = self.0.contains(&(place.to_owned(), Rights::Own));
        !is_seen && self.0.insert((place.to_owned(), rights.clone()))
    }
}

fn check_cluster(server: &Server, cluster: &Cluster, seen: &mut Seen, report: &mut Report) {
    if let Some(state) = State::read(server.root, cluster, report) {
        state_file::check(server, &state, report);
        state_directory::check(server, &state, report);
        freshness::check(&state, report);
        default_state::check(server, &state, report);
        lease::check(server, &state, report);
    }
    let (config, rights) = (&cluster.config, &cluster.rights);
    if seen.sockets.add(&config.syslog_socket, rights) {
        log_socket::check(server.root, cluster, report);
    }
    if seen.journals.add(config.journal.as_deref().unwrap_or_default(), rights) {
        journal::check(server.root, &server.mounts, cluster, report);
    }
}

/// In a container, the mounts that its first process sees.
fn mounts(root: &Root, report: &mut Report) -> Mounts {
    let file = if root.is_ours() {
        "/proc/self/mountinfo"
    } else {
        "/proc/1/mountinfo"
    };
    let contents = root.locate_in_proc(Path::new(file)).map_err(Unreadable::from);
    match contents.and_then(|located| located.read(1 << 24)) {
        Ok(contents) => Mounts::parse(&contents.bytes),
        Err(error) => {
            let file = root.outside(Path::new(file));
            let text = format!("what is mounted where: {}: {error}", shown(file.as_os_str()));
            report.missed(Group::State, text);
            Mounts::default()
        }
    }
}
