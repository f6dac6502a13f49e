//! Ticks that ran on more than one server.

use super::beat::SAME_TICK;
use super::picture::Bar;
use super::span::known_end;
use jiff::Timestamp;
use journal::run::{Fate, Run};

/// Clocks of two servers differ: only what overlaps by more is taken for an overlap.
const CLOCKS_DIFFER: i64 = 2_000;

/// A run that another server ran too: its index, and those of the others' runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Twin {
    pub(super) later: usize,
    pub(super) earlier: Vec<usize>,
}

/// What one server has run so far.
#[derive(Clone, Copy)]
struct Past {
    last: usize,
    /// The run that goes on longest, and until when.
    longest: (i64, usize),
}

/// All twins of one job, whose runs are in order of their start.
pub(super) fn find(bars: &[Bar], period: Option<i64>, now: Timestamp) -> Vec<Twin> {
    let servers = bars.iter().map(|bar| bar.server + 1).max().unwrap_or(0);
    let mut past: Vec<Option<Past>> = vec![None; servers];
    let near = period.map_or(SAME_TICK, |period| SAME_TICK.min(period / 2));
    let beat = period.filter(|period| !is_uneven(bars, *period));
    let mut twins = Vec::new();
    for (later, bar) in bars.iter().enumerate() {
        let others = past.iter().enumerate().filter(|(server, _)| *server != bar.server);
        let mut earlier: Vec<usize> = others
            .filter_map(|(_, past)| twin_of(bars, later, (*past)?, near))
            .collect();
        if earlier.is_empty() {
            earlier.extend(beat.and_then(|period| same_beat(bars, later, period)));
        }
        if !earlier.is_empty() {
            twins.push(Twin { later, earlier });
        }
        remember(&mut past[bar.server], bar, later, now);
    }
    twins
}

fn twin_of(bars: &[Bar], later: usize, past: Past, near: i64) -> Option<usize> {
    let start = bars[later].start();
    if past.longest.0 > start + CLOCKS_DIFFER {
        return Some(past.longest.1);
    }
    (start - bars[past.last].start() <= near).then_some(past.last)
}

/// The run just before, if it is another server's and no tick lies between the two.
fn same_beat(bars: &[Bar], later: usize, period: i64) -> Option<usize> {
    let earlier = later.checked_sub(1)?;
    let (before, first, second) = (bars.get(later.checked_sub(2)?)?, &bars[earlier], &bars[later]);
    let is_close = (second.start() - first.start()) * 2 < period;
    let tick_of = |bar: &Bar| (bar.start() - before.start() + period / 10) / period;
    let is_same_tick = tick_of(first) == tick_of(second);
    (first.server != second.server && is_close && is_same_tick && went_well(first.run)).then_some(earlier)
}

/// A run that failed or was cut off may be made up for on another server: that is what a second one is for.
fn went_well(run: &Run) -> bool {
    matches!(run.fate, Fate::Ended(_)) && !run.has_failed()
}

/// Whether even one server alone starts the job sooner than half a period: `*/11` does so at every full hour.
fn is_uneven(bars: &[Bar], period: i64) -> bool {
    bars.windows(2)
        .any(|pair| pair[0].server == pair[1].server && (pair[1].start() - pair[0].start()) * 2 < period)
}

fn remember(past: &mut Option<Past>, bar: &Bar, index: usize, now: Timestamp) {
    let end = known_end(bar.run, now).map_or(bar.start(), Timestamp::as_millisecond);
    let longest = past.map_or((end, index), |past| past.longest.max((end, index)));
    *past = Some(Past { last: index, longest });
}

#[cfg(test)]
mod tests {
    use super::super::example::{self, seconds};
    use super::super::picture::bars_of;
    use super::*;

    const MINUTE: i64 = 60_000;

    fn twins(runs: &[Run], period: Option<i64>) -> Vec<(usize, usize)> {
        let bars = bars_of(runs);
        find(&bars, period, seconds(10_000))
            .into_iter()
            .flat_map(|twin| twin.earlier.into_iter().map(move |earlier| (earlier, twin.later)))
            .collect()
    }

    #[test]
    fn runs_of_one_tick_or_at_one_time_are_twins() {
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
            assert_eq!(twins(&runs, None), expected, "{what}");
        }
    }

    #[test]
    fn runs_after_one_another_are_none() {
        let ok = example::ok;
        for (what, runs) in [
            ("one server", vec![ok("a", 0, 100), ok("a", 0, 100)]),
            ("a failover", vec![ok("a", 0, 60), ok("b", 59, 60)]),
            ("the next minute", vec![ok("a", 0, 1), ok("b", 60, 1)]),
            ("cut off by a crash", vec![example::interrupted("a", 0), ok("b", 60, 1)]),
        ] {
            assert_eq!(twins(&runs, None), vec![], "{what}");
        }
    }

    #[test]
    fn a_beat_tells_twins_that_are_further_apart() {
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
            assert_eq!(twins(&runs, Some(MINUTE)), expected, "{what}");
        }
    }
}
