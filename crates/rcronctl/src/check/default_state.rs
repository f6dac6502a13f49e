//! `default_state = active`: right for a single server; with two of them, both run every job whenever both lack the file.

use super::finding::{Finding, Kind, Report, Severity};
use super::lease::sign_of_others;
use super::mounts::Mounts;
use super::root::Root;
use super::state_file::State;
use policy::state::Word;

pub(crate) fn check(root: &Root, mounts: &Mounts, state: &State, report: &mut Report) {
    let rules = state.cluster.config.rules();
    if rules.default_state == Word::Passive || rules.require_lease || rules.state_max_age.is_some() {
        return; // a missing file is passive
    }
    let is_volatile = mounts
        .of(&state.located.inside)
        .is_some_and(super::mounts::Mount::is_volatile);
    let when = if is_volatile {
        "after each reboot, until the file is written"
    } else {
        "when the file is missing"
    };
    let (severity, sign) = match sign_of_others(root, state) {
        Some(sign) => (Severity::Wrong, sign),
        None => (
            Severity::Doubtful,
            "with a second server, two run every job then".into(),
        ),
    };
    let how = if state.cluster.found {
        ""
    } else {
        ", the built-in default"
    };
    let what = format!("default_state = active{how}: this server runs every job {when}");
    let remedy = "set default_state = passive, unless a job run twice does less harm than one not run";
    let finding = Finding::new(severity, Kind::DefaultActive, state.cluster.place(), what, remedy);
    report.add(finding.because(sign));
}
