//! A run in `--json`: rcronctl(8), "JSON".

use jiff::Timestamp;
use journal::run::{Fate, Outcome, Run};
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
pub(crate) struct RunJson<'a> {
    run: &'a str,
    node: &'a str,
    cluster: &'a str,
    job: Option<&'a str>,
    command: &'a str,
    user: Option<&'a str>,
    uid: u32,
    epoch: Option<u64>,
    pid: u32,
    started: Timestamp,
    ended: Option<Timestamp>,
    /// Seconds, to the end of the run or until now.
    duration: Option<f64>,
    status: &'static str,
    exit: Option<u8>,
    signal: Option<&'a str>,
    demoted: bool,
    escaped: bool,
    cut: bool,
}

impl<'a> From<&'a Run> for RunJson<'a> {
    fn from(run: &'a Run) -> Self {
        let ending = Ending::of_run(run);
        Self {
            run: &run.id,
            node: &run.node,
            cluster: &run.cluster,
            job: run.job.as_deref(),
            command: &run.command,
            user: run.user.as_deref(),
            uid: run.uid,
            epoch: run.epoch,
            pid: run.pid,
            started: run.started,
            ended: ending.at,
            duration: ending.lasted.map(|lasted| lasted.as_secs_f64()),
            status: run.fate.word(),
            exit: ending.exit,
            signal: ending.signal,
            demoted: ending.demoted,
            escaped: run.escaped,
            cut: run.cut,
        }
    }
}

/// What is known about the end of a run, as independent fields.
#[derive(Default)]
pub(crate) struct Ending<'a> {
    pub(crate) at: Option<Timestamp>,
    /// To the end of the run, or until now if it is running.
    pub(crate) lasted: Option<Duration>,
    pub(crate) exit: Option<u8>,
    pub(crate) signal: Option<&'a str>,
    pub(crate) demoted: bool,
}

impl<'a> Ending<'a> {
    pub(crate) fn of_run(run: &'a Run) -> Self {
        let end = match &run.fate {
            Fate::Ended(end) => end,
            Fate::Running(lasts) | Fate::Unwatched(lasts) => {
                return Self {
                    lasted: Some(*lasts),
                    ..Self::default()
                };
            }
            Fate::Interrupted | Fate::Unknown => return Self::default(),
        };
        let (exit, signal) = match &end.outcome {
            Outcome::Exited(status) => (Some(*status), None),
            Outcome::Killed(signal) => (None, Some(signal.as_str())),
        };
        Self {
            at: Some(end.at),
            lasted: Some(end.lasted),
            exit,
            signal,
            demoted: end.demoted,
        }
    }
}
