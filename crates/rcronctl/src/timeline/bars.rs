//! What the page draws for the runs: one bar for each, or, if there are too many for a browser, one bar for several that ended alike.

use super::finding::Finding;
use super::model::TimelineModel;
use super::rows::Row;
use super::words;
use journal::run::{Fate, Run};
use std::collections::{HashMap, HashSet};

/// How many bars the page has at most, and how many bytes of their texts.
const MOST_BARS: usize = 30_000;
const MOST_BYTES: usize = 16 << 20;
/// How many runs of one finding are shown one by one, where others are joined.
pub(super) const MOST_OF_FINDING: usize = 100;
/// The finest division of the window into times within which runs are joined.
const FINEST: i64 = 1 << 14;

/// A run, or several of one server that were started within a short time and ended alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    /// Index of the first run in the row's spans.
    pub(super) first: usize,
    /// Index of the run that ended last.
    pub(super) last: usize,
    pub(super) runs: usize,
}

/// There are too many jobs: even one bar for each would be too much.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooManyJobs(pub(super) usize);

/// The bars of each row.
pub(super) struct Bars {
    pub(super) rows: Vec<Vec<Bar>>,
    pub(super) runs: usize,
}

impl Bars {
    /// One bar for each run.
    pub(super) fn single(timeline: &TimelineModel) -> Self {
        let row = |row: &Row| (0..row.spans.len()).map(Bar::single).collect();
        let rows: Vec<Vec<Bar>> = timeline.rows.iter().map(row).collect();
        let runs = rows.iter().map(Vec::len).sum();
        Self { rows, runs }
    }

    /// As few joined runs as possible.
    pub(super) fn for_page(timeline: &TimelineModel) -> Result<Self, TooManyJobs> {
        let single = Self::single(timeline);
        if single.fits(timeline) {
            return Ok(single);
        }
        let length = timeline.window.now.as_millisecond() - timeline.window.since.as_millisecond();
        let mut width = (length / FINEST).max(1);
        loop {
            let row = |(index, row): (usize, &Row)| {
                let findings = timeline.findings.iter().filter(|finding| finding.row == index);
                join(row, &found(findings), width)
            };
            let joined = Self {
                rows: timeline.rows.iter().enumerate().map(row).collect(),
                runs: single.runs,
            };
            if joined.fits(timeline) {
                return Ok(joined);
            }
            if width > length {
                return Err(TooManyJobs(timeline.rows.len()));
            }
            width *= 2;
        }
    }

    pub(super) fn are_joined(&self) -> bool {
        self.rows.iter().flatten().any(|bar| bar.runs > 1)
    }

    fn fits(&self, timeline: &TimelineModel) -> bool {
        let bars = self.rows.iter().map(Vec::len).sum::<usize>();
        let rows = timeline.rows.iter().zip(&self.rows);
        let bytes = |(row, bars): (&Row, &Vec<Bar>)| {
            let texts = bars.iter().map(|bar| size(row.spans[bar.first].run));
            texts.sum::<usize>() + row.name.len()
        };
        bars <= MOST_BARS && rows.map(bytes).sum::<usize>() <= MOST_BYTES
    }
}

impl Bar {
    fn single(span: usize) -> Self {
        Self {
            first: span,
            last: span,
            runs: 1,
        }
    }
}

fn size(run: &Run) -> usize {
    run.command.len() + run.job.as_ref().map_or(0, String::len) + run.server().len()
}

/// The runs that findings name: they are shown one by one.
fn found<'a>(findings: impl Iterator<Item = &'a Finding>) -> HashSet<usize> {
    findings
        .flat_map(|finding| finding.spans.iter().copied().take(MOST_OF_FINDING))
        .take(MOST_BARS / 10)
        .collect()
}

fn join(row: &Row, single: &HashSet<usize>, width: i64) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    // The last bar of each server and ending, and the time that it is of.
    let mut last: HashMap<(usize, String), (i64, usize)> = HashMap::new();
    for (index, span) in row.spans.iter().enumerate() {
        let goes_on = matches!(span.run.fate, Fate::Running(_) | Fate::Unwatched(_));
        if goes_on || single.contains(&index) {
            bars.push(Bar::single(index));
            continue;
        }
        let time = span.start() / width;
        let known = last
            .entry((span.server, words::ending(span)))
            .or_insert((time, bars.len()));
        match bars.get_mut(known.1).filter(|_| known.0 == time) {
            Some(bar) => {
                bar.runs += 1;
                if span.last_known() > row.spans[bar.last].last_known() {
                    bar.last = index;
                }
            }
            None => {
                *known = (time, bars.len());
                bars.push(Bar::single(index));
            }
        }
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::super::example::{failed, named, ok, seconds};
    use super::super::model::{Journals, build_timeline};
    use super::super::run_span::Window;
    use super::*;

    fn bars(runs: &[Run]) -> Result<Bars, TooManyJobs> {
        let window = Window {
            since: seconds(0),
            now: seconds(1_000_000),
        };
        Bars::for_page(&build_timeline(runs, window, Journals::Named(1)))
    }

    #[test]
    fn few_runs_have_a_bar_each() {
        let runs: Vec<Run> = (0..100).map(|at| ok("a", at * 60, 5)).collect();
        let bars = bars(&runs).expect("few");
        assert!(!bars.are_joined());
        assert_eq!((bars.rows[0].len(), bars.runs), (100, 100));
    }

    #[test]
    fn too_many_runs_are_joined_with_their_like() {
        let count = 100_000;
        let mut runs: Vec<Run> = (0..count).map(|at| ok("a", at * 10, 5)).collect();
        runs.extend((0..3).map(|at| failed("a", 500_001 + at * 5_000, 5)));
        runs.push(ok("b", 400_000, 5));
        let bars = bars(&runs).expect("one job");
        assert!(
            bars.are_joined() && bars.rows[0].len() <= MOST_BARS,
            "{}",
            bars.rows[0].len()
        );
        assert_eq!(bars.rows[0].iter().map(|bar| bar.runs).sum::<usize>(), bars.runs);
        assert_eq!(bars.runs, runs.len());
        // The failed runs, the other server's run and the one that ran at the same time.
        let singles = bars.rows[0].iter().filter(|bar| bar.runs == 1).count();
        assert!(singles >= 5, "{singles}");
    }

    #[test]
    fn too_many_jobs_have_no_page() {
        let runs: Vec<Run> = (0..30_001)
            .map(|at| named(ok("a", at, 1), &format!("job{at}")))
            .collect();
        assert_eq!(bars(&runs).err(), Some(TooManyJobs(30_001)));
    }
}
