//! A cluster's durations: `lease`, `settle`, `grace`, `preempt_delay`; and `max_skew`.

use super::diagnostics::{Diagnostics, ValueError};
use super::table::Table;
use super::value;
use lease::{BadTiming, Timing};
use std::time::Duration;
use toml::Spanned;

const LEASE: Duration = Duration::from_secs(10);
/// For the jitter of cron, and for the difference of the servers' wall clocks.
const SETTLE: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::ZERO;
/// With a shorter delay, a server that fails again soon after its boot would cause two handovers.
const PREEMPT_DELAY: Duration = Duration::from_secs(30);
const MAX_SKEW: Duration = Duration::from_secs(10);
const LONGEST_SKEW: Duration = Duration::from_secs(60 * 60);

/// `None` if one of them is rejected.
pub(super) fn read(diagnostics: &mut Diagnostics, table: &Table) -> Option<Timing> {
    let mut duration = |key, default, wrong, range| {
        let read = |text: &str| value::duration(text).and_then(|value| in_range(key, value, wrong, range));
        if table.has(key) {
            table.text(diagnostics, key, read).map(Spanned::into_inner)
        } else {
            Some(default)
        }
    };
    let lease = duration("lease", LEASE, BadTiming::Lease, "write 1s to 5m");
    let settle = duration("settle", SETTLE, BadTiming::Settle, "write at most 1m");
    let grace = duration("grace", GRACE, BadTiming::Grace, "write at most 1h");
    let delay = duration(
        "preempt_delay",
        PREEMPT_DELAY,
        BadTiming::PreemptDelay,
        "write at most 1d",
    );
    Timing::new(lease?, settle?, grace?, delay?).ok()
}

/// `max_skew` at the top of the file. A rejected value is replaced by the default, too; that has no effect, because the whole file is
/// rejected.
pub(super) fn read_max_skew(diagnostics: &mut Diagnostics, top: &Table) -> Duration {
    let read = |text: &str| {
        let value = value::duration(text)?;
        if value > LONGEST_SKEW {
            return Err(ValueError::new("`max_skew` is too long", "write at most 1h"));
        }
        Ok(value)
    };
    let given = top.text(diagnostics, "max_skew", read);
    given.map_or(MAX_SKEW, Spanned::into_inner)
}

/// [`Timing`] knows the range. All other durations of this one are valid, so an error is about this duration.
fn in_range(key: &str, value: Duration, wrong: BadTiming, range: &str) -> Result<Duration, ValueError> {
    let timing = match wrong {
        BadTiming::Lease => Timing::new(value, SETTLE, GRACE, PREEMPT_DELAY),
        BadTiming::Settle => Timing::new(LEASE, value, GRACE, PREEMPT_DELAY),
        BadTiming::Grace => Timing::new(LEASE, SETTLE, value, PREEMPT_DELAY),
        BadTiming::PreemptDelay => Timing::new(LEASE, SETTLE, GRACE, value),
    };
    timing.map(|_| value).map_err(|bad| {
        let what = match bad {
            BadTiming::Lease if value < LEASE => "too short",
            _ => "too long",
        };
        ValueError::new(format!("`{key}` is {what}"), range)
    })
}
