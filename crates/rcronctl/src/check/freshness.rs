//! Whether the state file's writer is alive, by what it wrote and when.

use super::finding::{Finding, Kind, Report};
use super::state_file::State;
use inputs::words;
use policy::decide::{Decision, Reading, Skip, Stale};
use std::time::Duration;

/// Clocks of servers, and of file servers, differ by less.
const TOLERANCE: Duration = Duration::from_secs(5);

pub(crate) fn check(state: &State, report: &mut Report) {
    let observation = &state.observation;
    let Reading::File { modified, .. } = observation.reading else {
        return; // told already
    };
    if let Decision::Skip(Skip::Stale(stale)) = observation.decision {
        let (what, remedy) = explain(stale);
        let what = format!("{what} (modified {})", words::age(modified, observation.moment.wall));
        let finding = Finding::wrong(Kind::StateStale, state.place(), what, remedy);
        report.add(finding.because("a stale state is passive: no job is run here"));
        return;
    }
    let distance = modified.distance(observation.moment.wall);
    let is_ahead = modified > observation.moment.wall;
    if is_ahead && distance > TOLERANCE {
        let what = format!("it was modified {}", words::age(modified, observation.moment.wall));
        let remedy = "set this server's clock, and the file server's if it is on one: see chronyc(1) or timedatectl(1)";
        report.add(Finding::doubtful(Kind::StateFuture, state.place(), what, remedy));
        return;
    }
    if let Some(limit) = state
        .cluster
        .config
        .state_max_age
        .filter(|limit| is_nearly_over(distance, *limit))
    {
        let what = format!(
            "it is {} old, and stale at {}",
            words::seconds(distance),
            words::seconds(limit)
        );
        let remedy = "let its writer touch it several times in state_max_age; look whether it is alive";
        report.add(Finding::doubtful(Kind::StateNearlyStale, state.place(), what, remedy));
    }
}

/// A writer that touches the file often enough never lets three quarters pass.
fn is_nearly_over(age: Duration, limit: Duration) -> bool {
    age > limit / 4 * 3
}

fn explain(stale: Stale) -> (&'static str, &'static str) {
    const RESTART: &str = "look why its writer died (journalctl), and start it again";
    match stale {
        Stale::LeaseEnded => ("its lease is over: the writer has died", RESTART),
        Stale::OtherBoot => (
            "its lease is of another boot: the writer was not started since",
            RESTART,
        ),
        Stale::TooOld => ("nobody has written or touched it for state_max_age", RESTART),
        Stale::Malformed => (
            "until, boot or epoch is malformed, given twice, or one of the first two is missing",
            "let the writer set both until and boot, or none; see rcron.conf(5)",
        ),
        Stale::TooFarAhead => (
            "its lease ends more than ten minutes ahead",
            "no lease is as long: let the writer set a shorter one",
        ),
        Stale::FromTheFuture => (
            "it is from the future, further than state_max_age",
            "set this server's clock, and touch the file",
        ),
        Stale::NotThere => ("state_max_age is set and it cannot be read", RESTART),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_nearly_stale_in_the_last_quarter() {
        let limit = Duration::from_secs(60);
        assert!(!is_nearly_over(Duration::from_secs(45), limit));
        assert!(is_nearly_over(Duration::from_secs(46), limit));
    }
}
