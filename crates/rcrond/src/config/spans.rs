//! A cluster's spans of time.

use super::diagnostics::{Diagnostics, ValueError};
use super::table::Table;
use super::value;
use lease::{BadTiming, Timing};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(10);
/// cron's jitter, and how far the servers' wall clocks are apart.
const SETTLE: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::ZERO;
/// Long enough that a server which fails again soon after its boot makes no two handovers of it; short enough to wait for.
const PREEMPT_DELAY: Duration = Duration::from_secs(30);

/// The table's spans; `None` if one is refused.
pub(super) fn read(diagnostics: &mut Diagnostics, table: &Table) -> Option<Timing> {
    let mut span = |key, default, wrong, range| {
        let read = |text: &str| value::span(text).and_then(|span| in_range(key, span, wrong, range));
        if table.has(key) {
            table.text(diagnostics, key, read).map(|span| *span.get_ref())
        } else {
            Some(default)
        }
    };
    let lease = span("lease", LEASE, BadTiming::Lease, "it is from 1s to 5m");
    let settle = span("settle", SETTLE, BadTiming::Settle, "it is at most 1m");
    let grace = span("grace", GRACE, BadTiming::Grace, "it is at most 1h");
    let delay = span(
        "preempt_delay",
        PREEMPT_DELAY,
        BadTiming::PreemptDelay,
        "it is at most 1d",
    );
    Timing::new(lease?, settle?, grace?, delay?).ok()
}

/// The range is [`Timing`]'s: this asks for one in which nothing else can be wrong.
fn in_range(key: &str, span: Duration, wrong: BadTiming, range: &str) -> Result<Duration, ValueError> {
    let timing = match wrong {
        BadTiming::Lease => Timing::new(span, SETTLE, GRACE, PREEMPT_DELAY),
        BadTiming::Settle => Timing::new(LEASE, span, GRACE, PREEMPT_DELAY),
        BadTiming::Grace => Timing::new(LEASE, SETTLE, span, PREEMPT_DELAY),
        BadTiming::PreemptDelay => Timing::new(LEASE, SETTLE, GRACE, span),
    };
    timing.map(|_| span).map_err(|bad| {
        let what = match bad {
            BadTiming::Lease if span < LEASE => "too short",
            _ => "too long",
        };
        ValueError::new(format!("`{key}` is {what}"), range)
    })
}
