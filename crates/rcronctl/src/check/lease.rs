//! Clusters whose state carries a lease, and what this server's files show about the writer of the state.

use super::finding::{Finding, Severity};
use super::kind::Kind;
use super::report::Report;
use super::root::Root;
use super::state_file::State;
use crate::daemon;
use inputs::diagnostic::shown;
use policy::decide::{Decision, Skip};
use policy::state::{Lease, State as Content, Word};
use std::path::Path;
use sys::file::read_beginning;

const RCROND: &str = "/etc/rcron/rcrond.toml";
const KEEPALIVED: &str = "/etc/keepalived/keepalived.conf";
/// The longest rcrond.toml that is searched; a real one is a page.
const LARGEST: usize = 1 << 20;

/// `daemon` is the answer of rcrond, if there is one.
pub(crate) fn check(root: &Root, state: &State, daemon: Option<&control::Report>, report: &mut Report) {
    let config = &state.cluster.config;
    if config.require_lease {
        if state.observation.decision == Decision::Skip(Skip::NoLease) && state.content().is_some() {
            let what = "the state is active without a lease, but require_lease is set";
            let remedy = "let rcrond write the state file, or set require_lease = no";
            let finding = Finding::wrong(Kind::StateNoLease, &state.place(), what, remedy);
            report.add(finding.because("no job runs here"));
        }
        return;
    }
    let is_managed = daemon.is_some_and(|daemon| daemon::cluster(daemon, config).is_some());
    let is_named = is_in_rcrond_toml(root, state);
    let has_epoch = state.content().is_some_and(|content| content.epoch.is_some());
    let sign = if has_epoch || state.content().is_some_and(has_lease) {
        "its state carries a lease".to_owned()
    } else if is_managed {
        "rcrond manages it on this server".to_owned()
    } else if is_named {
        format!("{} names it", shown_path(root, RCROND))
    } else {
        return;
    };
    // A site runs rcrond so that no two servers are active. With keepalived this happens anyway, and default_state = passive
    // suffices for a missing file.
    let severity = if has_epoch || is_managed || is_named || config.default_state == Word::Active {
        Severity::Wrong
    } else {
        Severity::Doubtful
    };
    let what = format!(
        "cluster {} does not set require_lease, but {sign}",
        state.cluster.name()
    );
    let why = "an `active` without a lease counts, and default_state applies if the state file is missing";
    let place = state.cluster.place();
    report.add(
        Finding::new(
            severity,
            Kind::LeaseNotRequired,
            &place,
            what,
            "set require_lease = yes",
        )
        .because(why),
    );
}

pub(crate) fn has_lease(content: &Content) -> bool {
    content.lease != Lease::None
}

/// Searches rcrond.toml for the cluster's name or its state file, in quotes. Parsing the file is rcrond's task.
fn is_in_rcrond_toml(root: &Root, state: &State) -> bool {
    let file = root.outside(Path::new(RCROND));
    let Ok(contents) = read_beginning(file.as_os_str(), LARGEST) else {
        return false;
    };
    let config = &state.cluster.config;
    [&config.cluster_name, &config.state_file].into_iter().any(|text| {
        let quoted = [b"\"", text.as_slice(), b"\""].concat();
        contents.bytes.windows(quoted.len()).any(|part| part == quoted)
    })
}

/// Whether a program, not a person, decides which server is active.
pub(crate) fn is_written_by_a_program(root: &Root, state: &State) -> bool {
    is_signed(state) || root.outside(Path::new(KEEPALIVED)).exists() || is_in_rcrond_toml(root, state)
}

/// Whether the state names its writer or has an epoch. People write neither.
fn is_signed(state: &State) -> bool {
    let content = state.content();
    content.is_some_and(|content| content.by.is_some() || content.epoch.is_some())
}

/// A fact which shows that there is more than one server.
pub(crate) fn sign_of_others(root: &Root, state: &State) -> Option<String> {
    if state.content().is_some_and(|content| content.word == Word::Passive) {
        Some("the state is passive here, so another server runs the jobs".to_owned())
    } else if is_signed(state) {
        Some("a program that switches between servers writes the state".to_owned())
    } else if root.outside(Path::new(KEEPALIVED)).exists() {
        Some(format!("{} exists", shown_path(root, KEEPALIVED)))
    } else {
        is_in_rcrond_toml(root, state).then(|| format!("{} names the cluster", shown_path(root, RCROND)))
    }
}

fn shown_path(root: &Root, file: &str) -> String {
    shown(root.outside(Path::new(file)).as_os_str())
}
