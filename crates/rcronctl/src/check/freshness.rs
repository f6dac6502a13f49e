//! Whether the writer of the state file is alive, by the file's content and age.

use super::finding::Finding;
use super::kind::Kind;
use super::report::Report;
use super::state_file::State;
use inputs::words;
use policy::decide::{Decision, Reading, Skip, Stale};
use std::time::Duration;

/// The clocks of servers, and of file servers, differ by less.
const TOLERANCE: Duration = Duration::from_secs(5);

pub(crate) fn check(state: &State, report: &mut Report) {
    let (observation, place) = (&state.observation, state.place());
    let Reading::File { modified, .. } = observation.reading else {
        return; // state_file.rs reports it
    };
    let now = observation.moment.wall;
    if let Decision::Skip(Skip::Stale(stale)) = observation.decision {
        let (what, remedy) = explain(stale);
        let what = format!("{what} (modified {})", words::age(modified, now));
        let finding = Finding::wrong(Kind::StateStale, &place, what, remedy);
        report.add(finding.because("a stale state is passive: no job runs here"));
        return;
    }
    let distance = modified.distance(now);
    if modified > now && distance > TOLERANCE {
        let what = format!("the file was modified {}", words::age(modified, now));
        let remedy = "set the clock of this server, or of the file server: see chronyc(1) or timedatectl(1)";
        report.add(Finding::doubtful(Kind::StateFuture, &place, what, remedy));
        return;
    }
    let limit = state.cluster.config.state_max_age;
    if let Some(limit) = limit.filter(|limit| is_nearly_over(distance, *limit)) {
        let (age, limit) = (words::seconds(distance), words::seconds(limit));
        let what = format!("the state is {age} old; it is stale after {limit}");
        let remedy = "check that its writer is alive, and let it touch the file several times within state_max_age";
        report.add(Finding::doubtful(Kind::StateNearlyStale, &place, what, remedy));
    }
}

/// A writer that touches the file often enough never lets three quarters of the limit pass.
fn is_nearly_over(age: Duration, limit: Duration) -> bool {
    age > limit / 4 * 3
}

/// What makes the state stale, and the remedy.
fn explain(stale: Stale) -> (&'static str, &'static str) {
    const RESTART: &str = "find out why its writer does not run (journalctl), and start it";
    match stale {
        Stale::LeaseEnded => ("the lease of the state has ended: its writer has died", RESTART),
        Stale::OtherBoot => (
            "the lease of the state is from another boot: its writer has not run since the reboot",
            RESTART,
        ),
        Stale::UnknownBoot => (
            "this server's boot ID cannot be read, so no lease is valid",
            "mount /proc, or do not hide /proc/sys (ProcSubset=pid in systemd.exec(5) does)",
        ),
        Stale::TooOld => ("the file was not written or touched within state_max_age", RESTART),
        Stale::Malformed => (
            "until, boot or epoch is malformed or set twice, or until or boot is missing",
            "let the writer set both until and boot, or neither; see rcron.conf(5)",
        ),
        Stale::TooFarAhead => (
            "the lease of the state ends more than ten minutes from now",
            "let the writer set a shorter lease",
        ),
        Stale::FromTheFuture => (
            "the file was modified in the future, by more than state_max_age",
            "set the clock of this server, and touch the file",
        ),
        Stale::Removed => (
            "the state file was removed or replaced, and a mount of the single file still shows the old one",
            "mount the directory that holds it instead",
        ),
        Stale::NotThere => ("state_max_age is set, and the file cannot be read", RESTART),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_nearly_stale_in_the_last_quarter() {
        let limit = Duration::from_secs(60);
        assert!(!is_nearly_over(Duration::from_secs(45), limit));
        assert!(is_nearly_over(Duration::from_secs(46), limit));
    }
}
