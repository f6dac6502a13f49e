//! One row in a terminal: which server is in which column, and what went wrong there.

use super::axis::Scale;
use super::finding::{Finding, Kind};
use super::rows::Row;
use super::run_span::RunSpan;
use journal::run::Fate;

/// What a column of the row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Empty,
    /// A run on this server is in progress.
    Runs(usize),
    /// A run on this server starts.
    Starts(usize),
    /// Runs on several servers.
    Several,
}

/// The mark under a column. If several apply, the last one in this order is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// A second or later attempt of a tick.
    Again,
    Running,
    Unknown,
    Failed,
    Interrupted,
    Nowhere,
    Missed,
    Twice,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plot {
    /// One for each column.
    pub(super) cells: Vec<Cell>,
    pub(super) marks: Vec<Option<Mark>>,
}

impl Mark {
    /// In the order of the legend.
    pub(super) const ALL: [Self; 8] = [
        Self::Failed,
        Self::Interrupted,
        Self::Running,
        Self::Unknown,
        Self::Twice,
        Self::Nowhere,
        Self::Missed,
        Self::Again,
    ];

    pub(super) fn character(self) -> char {
        match self {
            Self::Running => '>',
            Self::Unknown => '?',
            Self::Failed => 'x',
            Self::Interrupted => '!',
            Self::Nowhere => '0',
            Self::Missed => 'm',
            Self::Again => '+',
            Self::Twice => '2',
        }
    }

    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Unknown => "end not recorded",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Nowhere => "ran nowhere",
            Self::Missed => "missed",
            Self::Again => "started again",
            Self::Twice => "ran twice",
        }
    }
}

impl Plot {
    /// `findings` are those of this row.
    pub(super) fn new<'a>(row: &Row, findings: impl Iterator<Item = &'a Finding>, scale: &Scale) -> Self {
        let mut plot = Self {
            cells: vec![Cell::Empty; scale.columns],
            marks: vec![None; scale.columns],
        };
        for span in &row.spans {
            plot.draw_span(span, scale);
        }
        for finding in findings {
            plot.mark_finding(finding, scale);
        }
        plot
    }

    fn draw_span(&mut self, span: &RunSpan, scale: &Scale) {
        let first = scale.column(span.run.started);
        let last = scale.column(span.last_known()).max(first);
        self.draw(first, Cell::Starts(span.server));
        for column in first + 1..=last {
            self.draw(column, Cell::Runs(span.server));
        }
        if span.attempt.is_some_and(|attempt| attempt.number > 1) {
            self.mark(first, Mark::Again);
        }
        let mark = match &span.run.fate {
            Fate::Ended(_) if span.run.has_failed() => Mark::Failed,
            Fate::Ended(_) => return,
            Fate::Running(_) => Mark::Running,
            Fate::Unwatched(_) | Fate::Unknown => Mark::Unknown,
            Fate::Interrupted => Mark::Interrupted,
        };
        self.mark(last, mark);
    }

    fn mark_finding(&mut self, finding: &Finding, scale: &Scale) {
        let mark = match finding.kind {
            Kind::Twice => Mark::Twice,
            Kind::Nowhere => Mark::Nowhere,
            Kind::Missed => Mark::Missed,
            Kind::Quiet => return,
        };
        for column in scale.column(finding.from)..=scale.column(finding.to) {
            self.mark(column, mark);
        }
    }

    fn draw(&mut self, column: usize, new: Cell) {
        self.cells[column] = match (self.cells[column], new) {
            (Cell::Starts(old) | Cell::Runs(old), Cell::Starts(server) | Cell::Runs(server)) if old != server => {
                Cell::Several
            }
            (Cell::Empty | Cell::Runs(_), new) => new,
            (old, _) => old,
        };
    }

    fn mark(&mut self, column: usize, mark: Mark) {
        self.marks[column] = self.marks[column].max(Some(mark));
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{failed, interrupted, ok, running, seconds};
    use super::super::model::{Journals, build_timeline, letter};
    use super::super::run_span::Window;
    use super::*;
    use journal::run::Run;

    /// One minute in twelve columns: what is drawn, and the marks under it.
    fn drawn(runs: &[Run]) -> (String, String) {
        let window = Window {
            since: seconds(0),
            now: seconds(60),
        };
        let timeline = build_timeline(runs, window, Journals::Named(1));
        let scale = Scale { window, columns: 12 };
        let plot = Plot::new(&timeline.rows[0], timeline.findings.iter(), &scale);
        let character = |cell: &Cell| match cell {
            Cell::Empty => '.',
            Cell::Runs(_) => '-',
            Cell::Starts(server) => letter(*server),
            Cell::Several => '*',
        };
        let marks = plot.marks.iter().map(|mark| mark.map_or(' ', Mark::character));
        (plot.cells.iter().map(character).collect(), marks.collect())
    }

    #[test]
    fn columns_show_server_and_fate() {
        for (what, runs, cells, marks) in [
            (
                "short",
                vec![ok("a", 0, 1), ok("b", 30, 1)],
                "A.....B.....",
                "            ",
            ),
            ("long", vec![ok("a", 5, 20)], ".A----......", "            "),
            ("failed", vec![failed("a", 5, 20)], ".A----......", "     x      "),
            ("cut off", vec![interrupted("a", 10)], "..A.........", "  !         "),
            ("running", vec![running("a", 40)], "........A---", "           >"),
            ("began earlier", vec![ok("a", -60, 70)], "A--.........", "            "),
            (
                "twice",
                vec![ok("a", 10, 20), ok("b", 10, 1)],
                "..*----.....",
                "  2         ",
            ),
            (
                "one after the other",
                vec![ok("a", 10, 8), ok("b", 19, 9)],
                "..A*--......",
                "            ",
            ),
        ] {
            assert_eq!(drawn(&runs), (cells.to_owned(), marks.to_owned()), "{what}");
        }
    }
}
