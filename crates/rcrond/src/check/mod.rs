//! `rcrond --check`: reports what is wrong with the configuration, with the files that it names and with the store, and what to
//! do about it. It changes nothing.

mod directory;
mod once_per_tick;
mod report;
mod state;
mod store;
mod wrapper;

pub(crate) use store::init_store;

use crate::config::{self, Config, Loaded};
use crate::files::persistent_state::{FILE_NAME, PersistentState};
use inputs::diagnostic::shown;
use inputs::words::seconds;
use report::Report;
use std::path::Path;
use std::process::ExitCode;

/// Checks everything. The exit status is 1 if anything is wrong.
pub(crate) fn run(path: &Path, is_store_left_out: bool) -> ExitCode {
    let mut report = Report::new();
    match config::load(path) {
        Ok(loaded) => {
            examine(path, &loaded, &mut report);
            if !is_store_left_out {
                examine_store(&loaded.config, &mut report);
            }
        }
        Err(diagnostic) => {
            report.begin_subject("configuration");
            report.wrong(
                &diagnostic.full,
                "correct it: until then, rcrond neither starts nor reloads",
            );
        }
    }
    report.print()
}

fn examine(path: &Path, loaded: &Loaded, report: &mut Report) {
    let config = &loaded.config;
    report.begin_subject("configuration");
    configuration(path, config, report);
    for warning in &loaded.warnings {
        report.hint(&warning.full, None);
    }
    directory::check("run_dir", &config.run_dir, report);
    directory::check("state_dir", &config.state_dir, report);
    epochs(&config.state_dir.join(FILE_NAME), report);
    if let Some(directory) = config.socket.parent().filter(|directory| *directory != config.run_dir) {
        directory::check("the socket's directory", directory, report);
    }
    if let Some(directory) = config
        .claims_socket
        .parent()
        .filter(|directory| *directory != config.run_dir)
    {
        directory::check("the directory of the socket for claims", directory, report);
    }
    let wrappers = wrapper::find(path, loaded);
    for cluster in &config.clusters {
        report.begin_subject(&format!("cluster {}", cluster.name.as_str()));
        settings(cluster, report);
        state::check(&cluster.state_file, report);
        wrapper::check(cluster, &wrappers, report);
        once_per_tick::check(cluster, &wrappers, &config.claims_socket, report);
    }
}

fn examine_store(config: &Config, report: &mut Report) {
    report.begin_subject("store");
    if config.store.exposes_password() {
        let what = "the password is sent over the network in plain text";
        report.hint(what, Some("set tls, unless no one else has access to that network"));
    }
    store::check(config, report);
}

fn configuration(path: &Path, config: &Config, report: &mut Report) {
    let metrics = config
        .metrics
        .map_or_else(String::new, |address| format!(", metrics at {address}"));
    report.fine(&format!(
        "{}: node {}, {} at {}{metrics}",
        shown(path.as_os_str()),
        config.node.as_str(),
        config.store.kind.title(),
        config.store.servers.join(", ")
    ));
}

/// A missing file is created. A file of another kind, or one that chattr(1) protects, cannot be replaced.
fn epochs(path: &Path, report: &mut Report) {
    let named = shown(path.as_os_str());
    if let Err(error) = PersistentState::read(path) {
        let remedy = "correct it: until then, rcrond does not start";
        report.wrong(&format!("cannot read the epochs from {named}: {error}"), remedy);
    } else if directory::is_immutable(path) {
        report.wrong(&format!("the epochs' file {named} is immutable"), "run chattr -i on it");
    }
}

fn settings(cluster: &config::ClusterSettings, report: &mut Report) {
    let timing = &cluster.timing;
    report.fine(&format!(
        "priority {}, lease {}, settle {}, grace {}, preempt_delay {}",
        cluster.priority,
        seconds(timing.lease().get()),
        seconds(timing.settle()),
        seconds(timing.grace()),
        seconds(timing.preempt_delay())
    ));
    if cluster.journal.is_none() {
        report.hint(
            "it has no journal: `rcronctl drain --wait` cannot see running jobs",
            Some("set `journal`, here and in its rcron.conf"),
        );
    }
}
