//! What the store knows about the ticks of `once_per_tick`, if rcrond answers: which were missed, and which run is a further attempt.

use super::finding::{Finding, Kind};
use super::model::TimelineModel;
use super::rows::{self, Row};
use super::run_span::{Attempt, Window};
use crate::cli;
use crate::daemon::{self, NoReport, Reason};
use crate::output::warn;
use control::client::NoAnswer;
use control::{Request, TickReport, TickResult, TicksReport};
use jiff::{SignedDuration, Timestamp};
use policy::display::escaped;
use std::collections::HashMap;

/// A gap that was guessed from the runs is the same as one in the store if it is not further away than this.
const NEAR: SignedDuration = SignedDuration::from_secs(60);

/// Ticks in a row of one job that no server started.
pub(super) struct MissedTicks {
    cluster: String,
    user: String,
    job: String,
    first: Timestamp,
    last: Timestamp,
    count: usize,
    why: Option<String>,
}

#[derive(Default)]
pub(super) struct StoreTicks {
    missed: Vec<MissedTicks>,
    /// By the run's ID.
    attempts: HashMap<String, Attempt>,
}

impl StoreTicks {
    /// Nothing, if rcrond does not know; a warning, if it should.
    pub(super) fn fetch(options: &cli::Timeline, window: Window) -> Self {
        let request = Request::Ticks {
            cluster: options.selection.cluster.clone(),
            user: None,
            job: options.selection.job.clone(),
            since_ms: Some(u64::try_from(window.since.as_millisecond()).unwrap_or_default()),
            missed_only: false,
        };
        match daemon::fetch_ticks(options.hosts.socket.path(), &request) {
            Ok(report) => {
                for line in &report.unreadable {
                    warn(escaped(line));
                }
                Self::of_report(report, window)
            }
            Err(no_report) => {
                if is_worth_a_warning(&no_report, options) {
                    warn(format_args!("ticks that were missed are not shown: {no_report}"));
                }
                Self::default()
            }
        }
    }

    fn of_report(report: TicksReport, window: Window) -> Self {
        let mut ticks = Self::default();
        for tick in report.ticks {
            let (Ok(first), Ok(last)) = (tick.tick.parse(), tick.last_tick.parse()) else {
                continue;
            };
            ticks.add(tick, first, last, window);
        }
        ticks
    }

    fn add(&mut self, tick: TickReport, first: Timestamp, last: Timestamp, window: Window) {
        if tick.result == TickResult::Missed {
            if last >= window.since && first <= window.now {
                self.missed.push(MissedTicks {
                    cluster: tick.cluster,
                    user: tick.user,
                    job: tick.job,
                    first,
                    last,
                    count: usize::try_from(tick.count).unwrap_or(usize::MAX),
                    why: tick.explanation.or(tick.reason),
                });
            }
        } else if let Some(run) = tick.run {
            let number = tick.attempt;
            self.attempts.insert(run, Attempt { tick: first, number });
        }
    }
}

/// Not where rcrond is not used, or is of a version without `once_per_tick`.
fn is_worth_a_warning(no_report: &NoReport, options: &cli::Timeline) -> bool {
    match &no_report.reason {
        Reason::NoAnswer(NoAnswer::NoSocket, _) => options.hosts.socket.socket.is_some(),
        Reason::TooOld => false,
        _ => true,
    }
}

impl<'a> TimelineModel<'a> {
    /// Adds what the store knows. It counts more than what was guessed from the runs.
    pub(super) fn add_ticks(&mut self, ticks: &'a StoreTicks) {
        for span in self.rows.iter_mut().flat_map(|row| &mut row.spans) {
            span.attempt = ticks.attempts.get(&span.run.id).copied();
        }
        let rows = &self.rows;
        self.findings
            .retain(|finding| !is_explained(finding, &rows[finding.row]));
        for missed in &ticks.missed {
            let row = self.row_of(missed);
            self.findings
                .retain(|finding| finding.row != row || !is_same_gap(finding, missed));
            self.findings.push(Finding {
                kind: Kind::Missed,
                row,
                from: missed.first.max(self.window.since),
                to: missed.last.min(self.window.now),
                ticks: missed.count,
                servers: Vec::new(),
                spans: Vec::new(),
                why: missed.why.clone(),
            });
        }
        self.findings.sort_by_key(|finding| (finding.from, finding.row));
    }

    /// The row of a job; a new one, if no run of it is shown.
    fn row_of(&mut self, missed: &'a MissedTicks) -> usize {
        let key = (missed.cluster.as_str(), missed.job.as_str(), missed.user.as_str());
        let found = self
            .rows
            .binary_search_by(|row| (row.cluster, row.name, row.user.as_ref()).cmp(&key));
        found.unwrap_or_else(|at| {
            self.rows.insert(at, Row::without_runs(key.0, key.1, key.2));
            rows::label_rows(&mut self.rows);
            for finding in self.findings.iter_mut().filter(|finding| finding.row >= at) {
                finding.row += 1;
            }
            at
        })
    }
}

/// Runs of different ticks, or further attempts, are not a tick that ran twice.
fn is_explained(finding: &Finding, row: &Row) -> bool {
    let attempts: Option<Vec<Attempt>> = finding.spans.iter().map(|span| row.spans[*span].attempt).collect();
    finding.kind == Kind::Twice
        && attempts.is_some_and(|mut attempts| {
            let count = attempts.len();
            attempts.sort_unstable();
            attempts.dedup();
            attempts.len() == count
        })
}

fn is_same_gap(finding: &Finding, missed: &MissedTicks) -> bool {
    let near = |time: Timestamp, distance| time.checked_add(distance).unwrap_or(time);
    finding.kind == Kind::Nowhere && finding.from <= near(missed.last, NEAR) && finding.to >= near(missed.first, -NEAR)
}

#[cfg(test)]
mod tests {
    use super::super::example::{named, ok, seconds};
    use super::super::model::{Journals, build_timeline};
    use super::*;
    use journal::run::Run;

    const WINDOW: (i64, i64) = (0, 1200);

    fn window() -> Window {
        Window {
            since: seconds(WINDOW.0),
            now: seconds(WINDOW.1),
        }
    }

    fn missed(job: &str, first: i64, last: i64, count: usize) -> MissedTicks {
        MissedTicks {
            cluster: "web".to_owned(),
            user: "root".to_owned(),
            job: job.to_owned(),
            first: seconds(first),
            last: seconds(last),
            count,
            why: Some("nobody asked".to_owned()),
        }
    }

    /// Kind, row, start, end, ticks.
    fn findings(runs: &[Run], ticks: &StoreTicks) -> Vec<(Kind, String, i64, i64, usize)> {
        let mut timeline = build_timeline(runs, window(), Journals::Named(2));
        timeline.add_ticks(ticks);
        let second = |time: Timestamp| time.as_second() - seconds(0).as_second();
        let found = timeline.findings.iter();
        found
            .map(|finding| {
                let label = timeline.rows[finding.row].label.to_string();
                (
                    finding.kind,
                    label,
                    second(finding.from),
                    second(finding.to),
                    finding.ticks,
                )
            })
            .collect()
    }

    fn minutes(node: &str, from: i64, to: i64) -> Vec<Run> {
        (from..to).map(|minute| ok(node, minute * 60, 5)).collect()
    }

    #[test]
    fn missed_ticks_replace_a_gap_that_was_guessed() {
        let runs = [minutes("a", 0, 10), minutes("b", 12, 20)].concat();
        let guessed = StoreTicks::default();
        assert_eq!(
            findings(&runs, &guessed),
            [(Kind::Nowhere, "backup".to_owned(), 600, 660, 2)]
        );
        let known = StoreTicks {
            missed: vec![missed("backup", 600, 660, 2)],
            ..StoreTicks::default()
        };
        assert_eq!(
            findings(&runs, &known),
            [(Kind::Missed, "backup".to_owned(), 600, 660, 2)]
        );
    }

    #[test]
    fn job_without_a_run_gets_a_row_among_the_others() {
        let runs = [ok("a", 0, 5), ok("b", 0, 5), named(ok("a", 60, 5), "clean")];
        let ticks = StoreTicks {
            missed: vec![missed("boot", 300, 300, 1), missed("archive", 0, 0, 1)],
            ..StoreTicks::default()
        };
        assert_eq!(
            findings(&runs, &ticks),
            [
                (Kind::Missed, "archive".to_owned(), 0, 0, 1),
                (Kind::Twice, "backup".to_owned(), 0, 0, 1),
                (Kind::Missed, "boot".to_owned(), 300, 300, 1),
            ]
        );
    }

    #[test]
    fn further_attempt_is_not_a_second_run_of_a_tick() {
        let runs = [ok("a", 0, 600), ok("b", 300, 5)];
        let attempt = |number| Attempt {
            tick: seconds(0),
            number,
        };
        let of = |second: u32| StoreTicks {
            attempts: [("a-0".to_owned(), attempt(1)), ("b-300".to_owned(), attempt(second))].into(),
            ..StoreTicks::default()
        };
        assert_eq!(findings(&runs, &of(2)), []);
        assert_eq!(findings(&runs, &of(1)).len(), 1, "the same attempt twice");
        let one = StoreTicks {
            attempts: [("a-0".to_owned(), attempt(1))].into(),
            ..StoreTicks::default()
        };
        assert_eq!(findings(&runs, &one).len(), 1, "nothing is known of the other run");
    }
}
