//! One line of a journal.

use crate::run::{End, Outcome};
use jiff::Timestamp;
use serde::Deserialize;
use std::time::Duration;

/// What can be seen of a record without parsing it, for its first fields have a fixed width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    /// RFC 3339 with microseconds, UTC: sorts as text.
    pub(crate) time: &'a [u8],
    pub(crate) event: Event,
    pub(crate) run: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Event {
    Start,
    End,
}

/// A whole record. Fields that are not known are not an error: a later version may write more.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) time: Timestamp,
    pub(crate) event: Event,
    pub(crate) run: String,
    pub(crate) node: String,
    pub(crate) cluster: String,
    pub(crate) job: Option<String>,
    pub(crate) command: String,
    pub(crate) user: Option<String>,
    pub(crate) uid: u32,
    pub(crate) pid: u32,
    pub(crate) born: Option<u64>,
    pub(crate) job_pid: Option<u32>,
    pub(crate) job_born: Option<u64>,
    pub(crate) boot: Option<String>,
    pub(crate) pidns: Option<u64>,
    pub(crate) clock: f64,
    pub(crate) epoch: Option<u64>,
    #[serde(default)]
    pub(crate) escaped: bool,
    #[serde(default)]
    pub(crate) cut: bool,
    started: Option<Timestamp>,
    duration: Option<f64>,
    exit: Option<u8>,
    signal: Option<String>,
    #[serde(default)]
    demoted: bool,
}

impl<'a> Head<'a> {
    /// `None` for a line that does not begin as rcron begins a record: torn, blank, or another program's.
    pub(crate) fn of(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"{\"time\":\"")?;
        let (time, rest) = rest.split_at_checked(27)?;
        let rest = rest.strip_prefix(b"\",\"event\":\"")?;
        let (event, rest) = match rest.strip_prefix(b"start") {
            Some(rest) => (Event::Start, rest),
            None => (Event::End, rest.strip_prefix(b"end")?),
        };
        let run = rest.strip_prefix(b"\",\"run\":\"")?.split_at_checked(36)?.0;
        // A torn record of which the next one has not begun on a line of its own.
        line.ends_with(b"}").then_some(Self { time, event, run })
    }
}

impl Record {
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// When the run was started.
    pub(crate) fn started(&self) -> Timestamp {
        self.started.unwrap_or(self.time)
    }

    /// How it ended, if the record says so.
    pub(crate) fn end(&self) -> Option<End> {
        let outcome = match (self.event, self.exit, &self.signal) {
            (Event::End, Some(status), _) => Outcome::Exited(status),
            (Event::End, None, Some(signal)) => Outcome::Killed(signal.clone()),
            _ => return None,
        };
        Some(End {
            at: self.time,
            lasted: Duration::try_from_secs_f64(self.duration.unwrap_or_default()).unwrap_or_default(),
            outcome,
            demoted: self.demoted,
        })
    }
}
