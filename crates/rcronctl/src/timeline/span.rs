//! From when to when a run went, as far as the journal knows.

use jiff::Timestamp;
use journal::run::{Fate, Run};

/// Its end, or the present where it is still running; nothing where no end was recorded.
pub(super) fn known_end(run: &Run, now: Timestamp) -> Option<Timestamp> {
    match &run.fate {
        // A clock that was set back meanwhile makes no run of negative length.
        Fate::Ended(end) => Some(end.at.max(run.started)),
        Fate::Running(_) | Fate::Unwatched(_) => Some(now.max(run.started)),
        Fate::Interrupted | Fate::Unknown => None,
    }
}

/// Until when it may have gone on, in milliseconds. `longest` is the longest run of this job that is known.
pub(super) fn possible_end(run: &Run, now: Timestamp, longest: Option<i64>) -> i64 {
    let started = run.started.as_millisecond();
    match (&run.fate, known_end(run, now)) {
        (_, Some(end)) => end.as_millisecond(),
        (Fate::Unknown, None) => longest.map_or(now.as_millisecond(), |longest| started + longest),
        (_, None) => started,
    }
}
