//! Runs as a table: for `history`, `interrupted` and `status`.

use crate::failure::Failure;
use crate::output::print_pieces;
use crate::prefetch::with_runs;
use crate::runs::Selected;
use crate::screen::Screen;
use crate::table::{Cell, Column, Table, Tone};
use crate::when::{self, LocalTimes};
use jiff::Timestamp;
use journal::Runs;
use journal::run::{Fate, Outcome, Run};

/// JOB is the last column, because a command can be long. A name of usual length is shown whole.
const COLUMNS: [Column; 9] = [
    Column::cut("HOST", 16),
    Column::whole("STARTED"),
    Column::omit("AGE", 0),
    Column::omit("LASTED", 1),
    Column::whole("RESULT"),
    Column::omit("SERVER", 4),
    Column::omit("CLUSTER", 3),
    Column::omit("USER", 2),
    Column::cut("JOB", 24),
];
/// Server, cluster and user: columns that are shown only if they differ.
const OPTIONAL: [usize; 3] = [5, 6, 7];
/// How many rows are formatted at once.
const BLOCK: usize = 1000;
/// In bytes: a block of very long commands has fewer rows.
const LARGEST_BLOCK: usize = 1 << 20;

/// Which columns there are beside those that depend on the runs.
#[derive(Clone, Copy, Default)]
pub(crate) struct RunColumns {
    /// The name of the host, instead of the name that the run's record has for its server.
    has_host: bool,
}

impl RunColumns {
    pub(crate) fn of(found: &Selected) -> Self {
        Self {
            has_host: found.has_several_hosts(),
        }
    }

    /// The first one is the server, which has no text beside the host.
    fn optional(self) -> &'static [usize] {
        &OPTIONAL[usize::from(self.has_host)..]
    }
}

/// Prints the runs, with server, cluster and user where these differ.
pub(crate) fn print_runs(runs: &mut Runs, columns: RunColumns) -> Result<(), Failure> {
    with_runs(runs, |runs| print_all(runs, columns))
}

fn print_all(runs: &mut dyn Iterator<Item = Run>, columns: RunColumns) -> Result<(), Failure> {
    let (now, mut times) = (Timestamp::now(), LocalTimes::default());
    let row = |run: Run| (run.name().len(), row(run, columns, now, &mut times));
    let mut rows = runs.map(row).peekable();
    let mut table = None;
    print_pieces(std::iter::from_fn(|| {
        let mut block = Vec::new();
        let mut bytes = 0;
        while let Some((length, row)) = rows.next_if(|_| block.len() < BLOCK && bytes < LARGEST_BLOCK) {
            bytes += length;
            block.push(row);
        }
        let is_last = rows.peek().is_none();
        match &mut table {
            _ if block.is_empty() => None,
            None => {
                let new = Table::new(&COLUMNS, &block, columns.optional(), is_last, Screen::of_stdout());
                Some(table.insert(new).begin(&block))
            }
            Some(table) => Some(table.go_on(&block)),
        }
    }))
}

fn row(run: Run, columns: RunColumns, now: Timestamp, times: &mut LocalTimes) -> Vec<Cell> {
    let (user, lasted, result) = (user(&run), lasted(&run), result(&run));
    // A column without any text is left out.
    let (host, node) = if columns.has_host {
        (run.host.unwrap_or_default(), String::new())
    } else {
        (String::new(), run.node)
    };
    vec![
        host.into(),
        times.text(run.started).into(),
        Cell::new(when::age(run.started, now), Tone::Dim),
        lasted.into(),
        result,
        node.into(),
        run.cluster.into(),
        user.into(),
        run.job.unwrap_or(run.command).into(),
    ]
}

/// The user's name, or the number if no name is known.
pub(crate) fn user(run: &Run) -> String {
    run.user.clone().unwrap_or_else(|| run.uid.to_string())
}

fn lasted(run: &Run) -> String {
    match &run.fate {
        Fate::Ended(end) => when::duration(end.lasted),
        Fate::Running(lasts) | Fate::Unwatched(lasts) => format!("{} …", when::duration(*lasts)),
        Fate::Interrupted | Fate::Unknown => "?".to_owned(),
    }
}

fn result(run: &Run) -> Cell {
    let (text, tone) = match &run.fate {
        Fate::Ended(end) => {
            let demoted = if end.demoted { ", demoted" } else { "" };
            match &end.outcome {
                Outcome::Exited(0) => (format!("ok{demoted}"), Tone::Good),
                Outcome::Exited(status) => (format!("exit {status}{demoted}"), Tone::Bad),
                Outcome::Killed(signal) => (format!("{signal}{demoted}"), Tone::Bad),
            }
        }
        Fate::Running(_) => ("running".to_owned(), Tone::Busy),
        Fate::Unwatched(_) => ("running, unwatched".to_owned(), Tone::Busy),
        Fate::Interrupted => ("interrupted".to_owned(), Tone::Bad),
        Fate::Unknown => ("unknown".to_owned(), Tone::Dim),
    };
    Cell::new(text, tone)
}
