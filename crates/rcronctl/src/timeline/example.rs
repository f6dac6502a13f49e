//! Runs for the tests of the picture.

use jiff::{SignedDuration, Timestamp};
use journal::run::{End, Fate, Outcome, Run};
use std::time::Duration;

/// 2026-11-24T00:00:00Z and so many seconds.
pub(super) fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_478_400 + seconds).expect("a time")
}

/// A run of `backup` that started then and has this fate.
pub(super) fn run(node: &str, start: i64, fate: Fate) -> Run {
    Run {
        id: format!("{node}-{start}"),
        node: node.to_owned(),
        cluster: "web".to_owned(),
        job: Some("backup".to_owned()),
        command: "/usr/local/sbin/backup --all".to_owned(),
        user: Some("root".to_owned()),
        uid: 0,
        epoch: None,
        escaped: false,
        cut: false,
        pid: 4711,
        started: seconds(start),
        host: None,
        is_seen: false,
        fate,
    }
}

pub(super) fn ok(node: &str, start: i64, lasted: u64) -> Run {
    run(node, start, ended(start, lasted, Outcome::Exited(0)))
}

pub(super) fn failed(node: &str, start: i64, lasted: u64) -> Run {
    run(node, start, ended(start, lasted, Outcome::Exited(3)))
}

pub(super) fn interrupted(node: &str, start: i64) -> Run {
    run(node, start, Fate::Interrupted)
}

pub(super) fn running(node: &str, start: i64) -> Run {
    run(node, start, Fate::Running(Duration::from_secs(1)))
}

/// The same as another job.
pub(super) fn named(mut run: Run, job: &str) -> Run {
    run.job = Some(job.to_owned());
    run
}

fn ended(start: i64, lasted: u64, outcome: Outcome) -> Fate {
    let lasted = Duration::from_secs(lasted);
    Fate::Ended(End {
        at: seconds(start) + SignedDuration::try_from(lasted).expect("short"),
        lasted,
        outcome,
        demoted: false,
    })
}
