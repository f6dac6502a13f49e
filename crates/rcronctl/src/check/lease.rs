//! Clusters whose states carry a lease, and what else can be known on one server about who writes the state.

use super::finding::{Finding, Kind, Report};
use super::root::Root;
use super::state_file::State;
use crate::daemon;
use inputs::diagnostic::shown;
use policy::decide::{Decision, Skip};
use policy::state::{Lease, State as Content, Word};
use std::path::Path;
use sys::file::read_beginning;

/// What makes an old state harmless.
pub(crate) const WRITERS: &str = "or set state_max_age (its writer must touch it) or require_lease (rcrond)";

const RCROND: &str = "/etc/rcron/rcrond.toml";
const KEEPALIVED: &str = "/etc/keepalived/keepalived.conf";
/// rcrond's configuration is a page.
const LARGEST: usize = 1 << 20;

/// `daemon` is what rcrond says, if it answers.
pub(crate) fn check(root: &Root, state: &State, daemon: Option<&control::Report>, report: &mut Report) {
    let config = &state.cluster.config;
    if config.require_lease {
        if state.observation.decision == Decision::Skip(Skip::NoLease) && state.content().is_some() {
            let what = "it says active without a lease, and require_lease is set: no job is run";
            let remedy = "let rcrond write it, or set require_lease = no";
            report.add(Finding::wrong(Kind::StateNoLease, state.place(), what, remedy));
        }
        return;
    }
    let is_run = daemon.is_some_and(|daemon| daemon::cluster(daemon, config).is_some());
    let leased = |content: &Content| has_lease(content) || content.epoch.is_some();
    let sign = if state.content().is_some_and(leased) {
        "its state carries a lease".to_owned()
    } else if is_run {
        "rcrond runs it on this server".to_owned()
    } else if is_rcronds(root, state) {
        format!("{} names it", shown(root.outside(Path::new(RCROND)).as_os_str()))
    } else {
        return;
    };
    let what = format!(
        "cluster {} does not require a lease, though {sign}",
        state.cluster.name()
    );
    // rcrond's users have it so that no two servers are active. With keepalived that happens anyway, and a default_state of
    // passive is enough against a missing file.
    let has_epoch = state.content().is_some_and(|content| content.epoch.is_some());
    let is_rcronds = has_epoch || is_run || is_rcronds(root, state);
    let (kind, place, remedy) = (Kind::LeaseNotRequired, state.cluster.place(), "set require_lease = yes");
    let finding = if is_rcronds || config.default_state == Word::Active {
        Finding::wrong(kind, place, what, remedy)
    } else {
        Finding::doubtful(kind, place, what, remedy)
    };
    report.add(finding.because("without it a missing file is default_state, and an `active` by hand counts"));
}

pub(crate) fn has_lease(content: &Content) -> bool {
    content.lease != Lease::None
}

/// A plain search for the cluster's name or its state file: enough to know whom it is about.
fn is_rcronds(root: &Root, state: &State) -> bool {
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

/// Whether a program, not a person, says which server is active.
pub(crate) fn is_written_by_a_program(root: &Root, state: &State) -> bool {
    let is_signed = state
        .content()
        .is_some_and(|content| content.by.is_some() || content.epoch.is_some());
    is_signed || root.outside(Path::new(KEEPALIVED)).exists() || is_rcronds(root, state)
}

/// What shows that there is more than one server; `None` if nothing does.
pub(crate) fn sign_of_others(root: &Root, state: &State) -> Option<String> {
    let content = state.content();
    if content.is_some_and(|content| content.word == Word::Passive) {
        return Some("the state is passive here, so another server runs the jobs".into());
    }
    if content.is_some_and(|content| content.by.is_some() || content.epoch.is_some()) {
        return Some("the state is written by a program that switches servers".into());
    }
    let keepalived = root.outside(Path::new(KEEPALIVED));
    if keepalived.exists() {
        return Some(format!("{} is there", shown(keepalived.as_os_str())));
    }
    is_rcronds(root, state).then(|| {
        format!(
            "{} names the cluster",
            shown(root.outside(Path::new(RCROND)).as_os_str())
        )
    })
}
