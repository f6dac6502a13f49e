//! States and decisions in words, for people.

use crate::observe::Observation;
use policy::config::Config;
use policy::decide::{Basis, Decision, Skip, Stale};
use policy::display::escaped;
use policy::moment::{Moment, WallTime};
use policy::state::{Lease, State};
use std::fmt::Write;
use std::time::Duration;

/// What the first line of a state file says.
#[must_use]
pub fn state_line(state: &State, now: &Moment) -> String {
    let mut line = state.word.as_str().to_owned();
    if state.draining {
        line.push_str(", draining");
    }
    match &state.lease {
        Lease::None => {}
        Lease::Malformed => line.push_str(", with a malformed lease"),
        Lease::Until { end, .. } if *end > now.boot => {
            let _ = write!(line, ", for another {}", seconds(end.since(now.boot)));
        }
        Lease::Until { end, .. } => {
            let _ = write!(line, ", ended {} ago", seconds(now.boot.since(*end)));
        }
    }
    if let Some(epoch) = state.epoch {
        let _ = write!(line, ", epoch {epoch}");
    }
    for (word, value) in [("by", &state.by), ("since", &state.since)] {
        if let Some(value) = value {
            let _ = write!(line, ", {word} {}", escaped(value));
        }
    }
    line
}

/// The decision and its reason.
#[must_use]
pub fn decision(observation: &Observation, config: &Config) -> String {
    let act = match observation.decision {
        Decision::Run(_) => "run",
        Decision::Skip(_) => "do not run",
    };
    format!("{act}: {}", why(observation, config))
}

/// The reason of the decision.
#[must_use]
pub fn why(observation: &Observation, config: &Config) -> String {
    let default = config.default_state.as_str();
    match observation.decision {
        Decision::Run(Basis::State { .. }) if observation.state().is_some_and(|state| state.shared.is_some()) => {
            "the servers share the jobs, and this one may start what rcrond grants".to_owned()
        }
        Decision::Run(Basis::State { .. }) => "this server is active".to_owned(),
        Decision::Run(Basis::Default) => format!("the state cannot be read and default_state is {default}"),
        Decision::Skip(Skip::Passive) => {
            let passive = reason(Skip::Passive, default);
            match observation.state().and_then(|state| state.reason) {
                Some(reason) => format!("{passive}: {}", reason.explanation()),
                None if observation.is_shared(config) => {
                    "the servers share the jobs, and only those with once_per_tick are started".to_owned()
                }
                None => passive,
            }
        }
        Decision::Skip(skip) => reason(skip, default),
    }
}

/// Why no job is started. `default` is the word of `default_state`.
#[must_use]
pub fn reason(skip: Skip, default: &str) -> String {
    match skip {
        Skip::Passive => "this server is passive".to_owned(),
        Skip::PassiveByDefault => format!("the state cannot be read and default_state is {default}"),
        Skip::Stale(stale) => format!("the state is stale: {}", staleness(stale)),
        Skip::Draining => "the server is draining: running jobs continue, no job is started".to_owned(),
        Skip::NoLease => "require_lease is set and the state has no lease".to_owned(),
    }
}

fn staleness(stale: Stale) -> &'static str {
    match stale {
        Stale::LeaseEnded => "the lease has ended",
        Stale::OtherBoot => "the lease is from another boot of this server",
        Stale::UnknownBoot => "this server's boot ID cannot be read, so no lease is valid: is /proc mounted?",
        Stale::Malformed => {
            "until, boot or epoch is malformed or given twice, or until or boot is missing, or the line is longer than 2 MiB"
        }
        Stale::TooFarAhead => "the lease ends more than ten minutes ahead",
        Stale::TooOld => "the file is older than state_max_age",
        Stale::FromTheFuture => "the file's modification time is ahead of the clock by more than state_max_age",
        Stale::Removed => "the file was removed or replaced, and a mount of the single file still shows the old one",
        Stale::NotThere => "state_max_age is set and the file cannot be read",
    }
}

/// When a file was modified, relative to now.
#[must_use]
pub fn age(modified: WallTime, now: WallTime) -> String {
    let distance = seconds(modified.distance(now));
    if modified <= now {
        format!("{distance} ago")
    } else {
        format!("{distance} in the future")
    }
}

/// A duration in seconds with one decimal, rounded. Not by way of a floating-point number: to format one takes 20 KB of code in the
/// wrapper.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    let rounded = duration.saturating_add(Duration::from_millis(50));
    format!("{}.{} s", rounded.as_secs(), rounded.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_one_decimal_and_are_rounded() {
        for (milliseconds, text) in [
            (0, "0.0 s"),
            (49, "0.0 s"),
            (50, "0.1 s"),
            (999, "1.0 s"),
            (61_007, "61.0 s"),
            (7_200_000, "7200.0 s"),
        ] {
            assert_eq!(seconds(Duration::from_millis(milliseconds)), text);
        }
        assert_eq!(seconds(Duration::MAX), format!("{}.9 s", u64::MAX));
    }
}
