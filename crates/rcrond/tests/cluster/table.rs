//! The table of measured times.

use std::fmt::Write;
use std::time::Duration;

/// A fault and its effect.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) fault: String,
    /// The node that was active before.
    pub(crate) from: String,
    /// The node that was active after.
    pub(crate) to: String,
    pub(crate) lease: Duration,
    /// From the fault until a state file is active; `None` if the active node must not change.
    pub(crate) active_after: Option<Duration>,
    /// The documented maximum of `active_after`.
    pub(crate) bound: Option<Duration>,
    /// From the last run before the fault to the first one after it.
    pub(crate) gap: Option<Duration>,
    /// How many ticks did not run between these two runs.
    pub(crate) skipped: Option<u64>,
}

impl Row {
    /// One line for the output.
    pub(crate) fn summary(&self) -> String {
        let gap = seconds(self.gap);
        match self.active_after {
            Some(after) => format!(
                "{} active after {} (bound {}); {gap} without a run",
                self.to,
                seconds(Some(after)),
                seconds(self.bound)
            ),
            None => format!("{} stayed active; {gap} without a run", self.to),
        }
    }
}

/// The table.
pub(crate) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.fault.len()).max().unwrap_or_default().max(5);
    let mut text = format!(
        "{:width$}  {:14}  {:>7}  {:>12}  {:>7}  {:>11}  {:>13}\n",
        "fault", "active", "lease", "active after", "bound", "no run for", "ticks skipped"
    );
    for row in rows {
        let change = if row.from == row.to {
            row.from.clone()
        } else {
            format!("{} > {}", row.from, row.to)
        };
        let skipped = row.skipped.map_or_else(|| "-".to_owned(), |ticks| ticks.to_string());
        let _ = writeln!(
            text,
            "{:width$}  {change:14}  {:>7}  {:>12}  {:>7}  {:>11}  {skipped:>13}",
            row.fault,
            seconds(Some(row.lease)),
            seconds(row.active_after),
            seconds(row.bound),
            seconds(row.gap),
        );
    }
    text
}

fn seconds(span: Option<Duration>) -> String {
    span.map_or_else(|| "-".to_owned(), |span| format!("{:.2} s", span.as_secs_f64()))
}
