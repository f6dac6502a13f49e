//! JSON for programs: stable fields, documented in rcronctl(8).

use crate::failure::Failure;
use jiff::Timestamp;
use journal::run::{Fate, Outcome, Run};
use serde::Serialize;

/// Prints one document.
pub(crate) fn print(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|error| std::io::Error::other(error.to_string()))
        .map_err(|error| Failure::of("write JSON", &error))?;
    say(&(text + "\n"))
}

/// Prints to stdout.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    match sys::output::to_stdout(text.as_bytes()) {
        // `rcronctl history | head`
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::of("write to stdout", &error)),
    }
}

/// A run.
#[derive(Serialize)]
pub(crate) struct RunDocument<'a> {
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
    /// Seconds: to the end, or until now.
    duration: Option<f64>,
    status: &'static str,
    exit: Option<u8>,
    signal: Option<&'a str>,
    demoted: bool,
    escaped: bool,
    cut: bool,
}

impl<'a> From<&'a Run> for RunDocument<'a> {
    fn from(run: &'a Run) -> Self {
        let end = match &run.fate {
            Fate::Ended(end) => Some(end),
            _ => None,
        };
        let duration = match &run.fate {
            Fate::Ended(end) => Some(end.lasted),
            Fate::Running(lasts) | Fate::Unwatched(lasts) => Some(*lasts),
            Fate::Interrupted | Fate::Unknown => None,
        };
        let (exit, signal) = match end.map(|end| &end.outcome) {
            Some(Outcome::Exited(status)) => (Some(*status), None),
            Some(Outcome::Killed(signal)) => (None, Some(signal.as_str())),
            None => (None, None),
        };
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
            ended: end.map(|end| end.at),
            duration: duration.map(|duration| duration.as_secs_f64()),
            status: run.fate.word(),
            exit,
            signal,
            demoted: end.is_some_and(|end| end.demoted),
            escaped: run.escaped,
            cut: run.cut,
        }
    }
}
