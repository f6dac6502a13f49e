//! Ticks that ran on more than one server.

use super::period::SAME_TICK;
use super::run_span::RunSpan;
use journal::run::{Fate, Run};

/// In milliseconds. The clocks of two servers differ: runs overlap only if they do so for longer than this.
const CLOCKS_DIFFER: i64 = 2_000;

/// A run of a tick that another server had run, or was running: indices into the job's spans.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) later: usize,
    /// The runs of the other servers.
    pub(super) earlier: Vec<usize>,
}

/// What one server has run so far.
#[derive(Clone, Copy)]
struct Past {
    /// Index of the run that started last.
    last: usize,
    /// The latest known end in milliseconds since 1970, and the index of its run.
    latest_end: (i64, usize),
}

/// All duplicates of one job, whose spans are in order of their start.
pub(super) fn find_duplicates(spans: &[RunSpan], period: Option<i64>) -> Vec<Duplicate> {
    let servers = spans.iter().map(|span| span.server + 1).max().unwrap_or(0);
    let mut past: Vec<Option<Past>> = vec![None; servers];
    let near = period.map_or(SAME_TICK, |period| SAME_TICK.min(period / 2));
    let reliable_period = period.filter(|period| !is_uneven(spans, *period));
    let mut duplicates = Vec::new();
    for (later, span) in spans.iter().enumerate() {
        let others = past.iter().enumerate().filter(|(server, _)| *server != span.server);
        let mut earlier: Vec<usize> = others
            .filter_map(|(_, past)| same_time(spans, span, (*past)?, near))
            .collect();
        if earlier.is_empty() {
            earlier.extend(reliable_period.and_then(|period| same_tick(spans, later, period)));
        }
        if !earlier.is_empty() {
            duplicates.push(Duplicate { later, earlier });
        }
        let end = (span.last_known().as_millisecond(), later);
        past[span.server] = Some(Past {
            last: later,
            latest_end: past[span.server].map_or(end, |past| past.latest_end.max(end)),
        });
    }
    duplicates
}

/// The other server's run that was in progress when this one started, or that started shortly before.
fn same_time(spans: &[RunSpan], span: &RunSpan, past: Past, near: i64) -> Option<usize> {
    let (end, index) = past.latest_end;
    if end > span.start() + CLOCKS_DIFFER {
        return Some(index);
    }
    (span.start() - spans[past.last].start() <= near).then_some(past.last)
}

/// The run just before, if it is another server's and both belong to one tick, counted from the run before that.
fn same_tick(spans: &[RunSpan], later: usize, period: i64) -> Option<usize> {
    let earlier = later.checked_sub(1)?;
    let (before, first, second) = (spans.get(later.checked_sub(2)?)?, &spans[earlier], &spans[later]);
    let is_close = (second.start() - first.start()) * 2 < period;
    let tick_of = |span: &RunSpan| (span.start() - before.start() + period / 10) / period;
    let is_same_tick = tick_of(first) == tick_of(second);
    (first.server != second.server && is_close && is_same_tick && went_well(first.run)).then_some(earlier)
}

/// If a run failed or was cut off, another server may repeat it; that is the purpose of a second server.
fn went_well(run: &Run) -> bool {
    matches!(run.fate, Fate::Ended(_)) && !run.has_failed()
}

/// Whether one server alone starts the job after less than half a period: `*/11` does so at every full hour.
fn is_uneven(spans: &[RunSpan], period: i64) -> bool {
    spans
        .windows(2)
        .any(|pair| pair[0].server == pair[1].server && (pair[1].start() - pair[0].start()) * 2 < period)
}

#[cfg(test)]
mod tests {
    use super::super::example::{self, seconds};
    use super::super::model::servers;
    use super::super::rows::build_rows;
    use super::super::run_span::Window;
    use super::*;

    const MINUTE: i64 = 60_000;

    fn duplicates(runs: &[Run], period: Option<i64>) -> Vec<(usize, usize)> {
        let window = Window {
            since: seconds(-10_000),
            now: seconds(10_000),
        };
        let rows = build_rows(runs, &servers(runs), window);
        find_duplicates(&rows[0].spans, period)
            .into_iter()
            .flat_map(|duplicate| {
                duplicate
                    .earlier
                    .into_iter()
                    .map(move |earlier| (earlier, duplicate.later))
            })
            .collect()
    }

    #[test]
    fn runs_of_one_tick_or_at_one_time_are_duplicates() {
        let ok = example::ok;
        for (what, runs, expected) in [
            ("the same second", vec![ok("a", 0, 1), ok("b", 0, 1)], vec![(0, 1)]),
            ("clocks differ", vec![ok("a", 0, 1), ok("b", 4, 1)], vec![(0, 1)]),
            ("overlap", vec![ok("a", 0, 100), ok("b", 60, 1)], vec![(0, 1)]),
            (
                "overlap past a shorter one",
                vec![ok("a", 0, 100), ok("a", 10, 1), ok("b", 60, 1)],
                vec![(0, 2)],
            ),
            (
                "three servers",
                vec![ok("a", 0, 9), ok("b", 1, 9), ok("c", 2, 9)],
                vec![(0, 1), (0, 2), (1, 2)],
            ),
            (
                "still running",
                vec![example::running("a", 0), ok("b", 600, 1)],
                vec![(0, 1)],
            ),
        ] {
            assert_eq!(duplicates(&runs, None), expected, "{what}");
        }
    }

    #[test]
    fn runs_after_one_another_are_not_duplicates() {
        let ok = example::ok;
        for (what, runs) in [
            ("one server", vec![ok("a", 0, 100), ok("a", 0, 100)]),
            ("a failover", vec![ok("a", 0, 60), ok("b", 59, 60)]),
            ("the next minute", vec![ok("a", 0, 1), ok("b", 60, 1)]),
            ("cut off by a crash", vec![example::interrupted("a", 0), ok("b", 60, 1)]),
        ] {
            assert_eq!(duplicates(&runs, None), vec![], "{what}");
        }
    }

    #[test]
    fn period_shows_duplicates_that_are_further_apart() {
        let ok = example::ok;
        for (what, runs, expected) in [
            (
                "a slow clock",
                vec![ok("a", 0, 1), ok("a", 60, 1), ok("b", 80, 1)],
                vec![(1, 2)],
            ),
            (
                "the first was late",
                vec![ok("a", 0, 1), ok("a", 100, 1), ok("b", 120, 1)],
                vec![],
            ),
            (
                "it is made up for",
                vec![ok("a", 0, 1), example::failed("a", 60, 1), ok("b", 80, 1)],
                vec![],
            ),
            (
                "uneven by itself",
                vec![ok("a", 0, 1), ok("a", 20, 1), ok("a", 60, 1), ok("b", 80, 1)],
                vec![],
            ),
        ] {
            assert_eq!(duplicates(&runs, Some(MINUTE)), expected, "{what}");
        }
    }
}
