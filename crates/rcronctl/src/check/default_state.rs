//! `default_state = active` is right for a single server. Of two servers, both run every job while both lack the state file.

use super::Server;
use super::finding::{Finding, Severity};
use super::kind::Kind;
use super::lease::sign_of_others;
use super::mounts::Mount;
use super::report::Report;
use super::state_file::State;
use policy::state::Word;

pub(crate) fn check(server: &Server, state: &State, report: &mut Report) {
    let rules = state.cluster.config.rules();
    if rules.default_state == Word::Passive || rules.require_lease || rules.state_max_age.is_some() {
        return; // without its file, the cluster is passive
    }
    let when = if server.mounts.of(&state.located.inside).is_some_and(Mount::is_volatile) {
        "after each reboot, until the state file is written"
    } else {
        "while the state file is missing"
    };
    let (severity, why) = match sign_of_others(server, state) {
        Some(sign) => (Severity::Wrong, sign),
        None => (
            Severity::Doubtful,
            "if there is a second server, both run every job then".to_owned(),
        ),
    };
    let origin = if state.cluster.found {
        ""
    } else {
        " (the built-in default)"
    };
    let what = format!("default_state is active{origin}: this server runs every job {when}");
    let remedy = "set default_state = passive, unless a job that runs twice does less harm than one that does not run";
    report.add(Finding::new(severity, Kind::DefaultActive, &state.cluster.place(), what, remedy).because(why));
}
