//! A row of the terminal's picture: which server in which cell, and what went wrong there.

use super::finding::{Finding, Kind};
use super::picture::{Bar, Row, Window};
use super::span::known_end;
use jiff::Timestamp;
use journal::run::Fate;

/// What a cell of the row shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cell {
    #[default]
    Empty,
    /// A run goes on.
    Runs(usize),
    /// A run of this server began.
    Starts(usize),
    /// More than one server.
    Several,
}

/// What stands under a cell; the later of these hides the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Running,
    Unknown,
    Failed,
    Interrupted,
    Nowhere,
    Twice,
}

/// A row's cells, and the marks under them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plot {
    pub(super) cells: Vec<Cell>,
    pub(super) marks: Vec<Option<Mark>>,
}

/// Which cell a time is in.
pub(super) struct Scale {
    pub(super) window: Window,
    pub(super) cells: usize,
}

impl Mark {
    pub(super) const ALL: [Self; 6] = [
        Self::Failed,
        Self::Interrupted,
        Self::Running,
        Self::Unknown,
        Self::Twice,
        Self::Nowhere,
    ];

    pub(super) fn character(self) -> char {
        match self {
            Self::Running => '>',
            Self::Unknown => '?',
            Self::Failed => 'x',
            Self::Interrupted => '!',
            Self::Nowhere => '0',
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
            Self::Twice => "ran twice",
        }
    }
}

impl Scale {
    /// The cell of a time; what lies outside of the window is drawn at its edge.
    pub(super) fn cell(&self, time: Timestamp) -> usize {
        let since = self.window.since.as_millisecond();
        let span = (self.window.now.as_millisecond() - since).max(1);
        let into = (time.as_millisecond() - since).clamp(0, span);
        let cells = i64::try_from(self.cells).unwrap_or(1);
        let cell = usize::try_from(i128::from(into) * i128::from(cells) / i128::from(span));
        cell.unwrap_or(0).min(self.cells.saturating_sub(1))
    }
}

/// Draws a row with the findings about it.
pub(super) fn plot<'a>(row: &Row, findings: impl Iterator<Item = &'a Finding>, scale: &Scale) -> Plot {
    let mut plot = Plot {
        cells: vec![Cell::Empty; scale.cells],
        marks: vec![None; scale.cells],
    };
    for bar in &row.bars {
        plot.draw(bar, scale);
    }
    for finding in findings {
        plot.point_at(finding, scale);
    }
    plot
}

impl Plot {
    pub(super) fn has_marks(&self) -> bool {
        self.marks.iter().any(Option::is_some)
    }

    fn draw(&mut self, bar: &Bar, scale: &Scale) {
        let first = scale.cell(bar.run.started);
        let end = known_end(bar.run, scale.window.now).unwrap_or(bar.run.started);
        let last = scale.cell(end).max(first);
        put(&mut self.cells[first], Cell::Starts(bar.server));
        for cell in &mut self.cells[first + 1..=last] {
            put(cell, Cell::Runs(bar.server));
        }
        if let Some(mark) = mark(bar) {
            self.mark(last, mark);
        }
    }

    fn point_at(&mut self, finding: &Finding, scale: &Scale) {
        let mark = match finding.kind {
            Kind::Twice => Mark::Twice,
            Kind::Nowhere => Mark::Nowhere,
            Kind::Quiet => return,
        };
        for cell in scale.cell(finding.from)..=scale.cell(finding.to) {
            self.mark(cell, mark);
        }
    }

    fn mark(&mut self, cell: usize, mark: Mark) {
        self.marks[cell] = self.marks[cell].max(Some(mark));
    }
}

fn mark(bar: &Bar) -> Option<Mark> {
    match &bar.run.fate {
        Fate::Ended(_) => bar.run.has_failed().then_some(Mark::Failed),
        Fate::Running(_) => Some(Mark::Running),
        Fate::Unwatched(_) | Fate::Unknown => Some(Mark::Unknown),
        Fate::Interrupted => Some(Mark::Interrupted),
    }
}

fn put(cell: &mut Cell, new: Cell) {
    *cell = match (*cell, new) {
        (Cell::Starts(old) | Cell::Runs(old), Cell::Starts(server) | Cell::Runs(server)) if old != server => {
            Cell::Several
        }
        (Cell::Empty | Cell::Runs(_), new) => new,
        (old, _) => old,
    };
}

#[cfg(test)]
mod tests {
    use super::super::example::{failed, interrupted, ok, running, seconds};
    use super::super::picture::lay_out;
    use super::*;
    use journal::run::Run;

    /// One minute in twelve cells: what is drawn, and the marks under it.
    fn drawn(runs: &[Run]) -> (String, String) {
        let window = Window {
            since: seconds(0),
            now: seconds(60),
        };
        let picture = lay_out(runs, window, 1);
        let plot = plot(&picture.rows[0], picture.findings.iter(), &Scale { window, cells: 12 });
        let character = |cell: &Cell| match cell {
            Cell::Empty => '.',
            Cell::Runs(_) => '-',
            Cell::Starts(server) => super::super::picture::letter(*server),
            Cell::Several => '*',
        };
        let marks = plot.marks.iter().map(|mark| mark.map_or(' ', Mark::character));
        (plot.cells.iter().map(character).collect(), marks.collect())
    }

    #[test]
    fn a_cell_shows_server_and_fate() {
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
