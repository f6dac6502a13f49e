//! Runs as a table: for `history`, `interrupted` and `status`.

use crate::screen::Screen;
use crate::table::{Cell, Column, Tone, format_table};
use crate::when;
use jiff::Timestamp;
use journal::run::{Fate, Outcome, Run};

/// JOB is the last column, because a command can be long. A name of usual length is shown whole.
const COLUMNS: [Column; 8] = [
    Column::whole("STARTED"),
    Column::omit("AGE", 0),
    Column::omit("LASTED", 1),
    Column::whole("RESULT"),
    Column::omit("SERVER", 4),
    Column::omit("CLUSTER", 3),
    Column::omit("USER", 2),
    Column::cut("JOB", 24),
];

/// The runs, with server, cluster and user where these differ.
pub(crate) fn format_runs(runs: &[Run]) -> String {
    let now = Timestamp::now();
    let optional: [fn(&Run) -> String; 3] = [|run| run.node.clone(), |run| run.cluster.clone(), user];
    let is_shown = optional.map(|text| differs(runs, text));
    let row = |run: &Run| {
        let mut row: Vec<Cell> = vec![
            when::local(run.started).into(),
            Cell::new(when::age(run.started, now), Tone::Dim),
            lasted(run).into(),
            result(run),
        ];
        let optional = optional.iter().zip(is_shown);
        row.extend(optional.map(|(text, is_shown)| Cell::from(if is_shown { text(run) } else { String::new() })));
        row.push(run.name().into());
        row
    };
    let rows: Vec<Vec<Cell>> = runs.iter().map(row).collect();
    format_table(&COLUMNS, &rows, Screen::of_stdout())
}

/// The user's name, or the number if no name is known.
pub(crate) fn user(run: &Run) -> String {
    run.user.clone().unwrap_or_else(|| run.uid.to_string())
}

fn differs(runs: &[Run], text: fn(&Run) -> String) -> bool {
    runs.windows(2).any(|pair| text(&pair[0]) != text(&pair[1]))
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
