//! One run on one server: from when to when, as far as the journal knows.

use jiff::{SignedDuration, Timestamp};
use journal::run::{Fate, Run};

/// The time that the timeline shows; it always ends at the present.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) since: Timestamp,
    pub(crate) now: Timestamp,
}

#[derive(Clone, Copy)]
pub(super) struct RunSpan<'a> {
    pub(super) run: &'a Run,
    /// Index into the timeline's servers.
    pub(super) server: usize,
    /// The end of the run, or the present while it is running; `None` if no end was recorded.
    pub(super) end: Option<Timestamp>,
    /// With `once_per_tick`, if the store still has it.
    pub(super) attempt: Option<Attempt>,
}

/// Which attempt of which tick a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attempt {
    pub(super) tick: Timestamp,
    /// 1, 2, …
    pub(super) number: u32,
}

impl Window {
    /// The last hours before the present.
    pub(crate) fn last_hours(hours: i64) -> Self {
        let now = Timestamp::now();
        let since = now.checked_sub(SignedDuration::from_hours(hours));
        Self {
            since: since.unwrap_or(Timestamp::MIN),
            now,
        }
    }

    /// Whether the run was in progress in this time.
    pub(super) fn contains(self, span: &RunSpan) -> bool {
        span.run.started <= self.now && span.last_known() >= self.since
    }
}

impl<'a> RunSpan<'a> {
    pub(super) fn new(run: &'a Run, server: usize, now: Timestamp) -> Self {
        // A clock that was set back during the run must not make its length negative.
        let end = match &run.fate {
            Fate::Ended(end) => Some(end.at.max(run.started)),
            Fate::Running(_) | Fate::Unwatched(_) => Some(now.max(run.started)),
            Fate::Interrupted | Fate::Unknown => None,
        };
        Self {
            run,
            server,
            end,
            attempt: None,
        }
    }

    /// Milliseconds since 1970.
    pub(super) fn start(&self) -> i64 {
        self.run.started.as_millisecond()
    }

    /// Until when the run was certainly in progress.
    pub(super) fn last_known(&self) -> Timestamp {
        self.end.unwrap_or(self.run.started)
    }

    /// The length in milliseconds, if the end is known.
    pub(super) fn length(&self) -> Option<i64> {
        Some(self.end?.as_millisecond() - self.start())
    }

    /// Until when the run may have been in progress, in milliseconds since 1970. `longest` is the longest known run of the job.
    pub(super) fn possible_end(&self, now: Timestamp, longest: Option<i64>) -> i64 {
        if self.end.is_none() && self.run.fate == Fate::Unknown {
            longest.map_or(now.as_millisecond(), |longest| self.start() + longest)
        } else {
            self.last_known().as_millisecond()
        }
    }
}
