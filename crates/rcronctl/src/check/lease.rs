//! Clusters whose state carries a lease, and what this server's files show about the writer of the state.

use super::Server;
use super::finding::{Finding, Severity};
use super::kind::Kind;
use super::report::Report;
use super::state_file::State;
use crate::daemon;
use policy::decide::{Decision, Skip};
use policy::state::{Lease, State as Content, Word};

pub(crate) fn check(server: &Server, state: &State, report: &mut Report) {
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
    let daemon = server.daemon.as_ref();
    let is_managed = daemon.is_some_and(|daemon| daemon::cluster(daemon, config).is_some());
    let is_named = server.switch.is_in_rcrond_toml(state.cluster);
    let has_epoch = state.content().is_some_and(|content| content.epoch.is_some());
    let sign = if has_epoch || state.content().is_some_and(has_lease) {
        "its state carries a lease".to_owned()
    } else if is_managed {
        "rcrond manages it on this server".to_owned()
    } else if is_named {
        format!("{} names it", server.switch.rcrond_toml)
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

/// Whether a program, not a person, decides which server is active.
pub(crate) fn is_written_by_a_program(server: &Server, state: &State) -> bool {
    is_signed(state) || server.switch.has_keepalived || server.switch.is_in_rcrond_toml(state.cluster)
}

/// Whether the state names its writer or has an epoch. People write neither.
fn is_signed(state: &State) -> bool {
    let content = state.content();
    content.is_some_and(|content| content.by.is_some() || content.epoch.is_some())
}

/// A fact which shows that there is more than one server.
pub(crate) fn sign_of_others(server: &Server, state: &State) -> Option<String> {
    let switch = &server.switch;
    if state.content().is_some_and(|content| content.word == Word::Passive) {
        Some("the state is passive here, so another server runs the jobs".to_owned())
    } else if is_signed(state) {
        Some("a program that switches between servers writes the state".to_owned())
    } else if switch.has_keepalived {
        Some(format!("{} exists", switch.keepalived_conf))
    } else {
        let is_named = switch.is_in_rcrond_toml(state.cluster);
        is_named.then(|| format!("{} names the cluster", switch.rcrond_toml))
    }
}
