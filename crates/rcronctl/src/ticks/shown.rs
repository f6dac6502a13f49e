//! Ticks of rcrond's answer, with their times.

use control::{TickReport, TickResult};
use jiff::Timestamp;
use std::cmp::Ordering;

/// One attempt of a tick, or ticks that were not started.
pub(super) struct Tick {
    pub(super) report: TickReport,
    /// The scheduled time; of several, the first.
    pub(super) first: Timestamp,
    /// Of several, the last.
    pub(super) last: Timestamp,
    pub(super) started: Option<Timestamp>,
}

impl Tick {
    /// `None` if a time cannot be read.
    pub(super) fn read(report: TickReport) -> Option<Self> {
        Some(Self {
            first: report.tick.parse().ok()?,
            last: report.last_tick.parse().ok()?,
            started: match &report.started {
                Some(started) => Some(started.parse().ok()?),
                None => None,
            },
            report,
        })
    }

    /// The latest tick first, the attempts of a tick in their order.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let job = |tick: &Self| {
            (
                tick.report.cluster.clone(),
                tick.report.user.clone(),
                tick.report.job.clone(),
            )
        };
        other
            .last
            .cmp(&self.last)
            .then_with(|| job(self).cmp(&job(other)))
            .then_with(|| self.report.attempt.cmp(&other.report.attempt))
    }

    /// Whether both are attempts of the same tick.
    pub(super) fn is_same_tick(&self, other: &Self) -> bool {
        let (one, two) = (&self.report, &other.report);
        (self.last, &one.cluster, &one.user, &one.job) == (other.last, &two.cluster, &two.user, &two.job)
    }

    /// The node that started it.
    pub(super) fn node(&self) -> Option<&str> {
        let is_started = !matches!(self.report.result, TickResult::Skipped | TickResult::Missed);
        is_started.then_some(self.report.node.as_str())
    }
}

/// Keeps so many ticks with all their attempts; returns whether others were left out.
pub(super) fn keep_newest(ticks: &mut Vec<Tick>, limit: usize) -> bool {
    let is_new = |at: usize| at == 0 || !ticks[at].is_same_tick(&ticks[at - 1]);
    let end = (0..ticks.len()).filter(|at| is_new(*at)).nth(limit);
    ticks.truncate(end.unwrap_or(ticks.len()));
    end.is_some()
}
