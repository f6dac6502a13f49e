//! `rcronctl history`: what ran.

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::json::{self, RunDocument};
use crate::runs;
use crate::screen::Screen;
use crate::table::{self, Cell, Tone};
use crate::when;
use jiff::Timestamp;
use journal::Query;
use journal::run::{Fate, Outcome, Run};
use serde::Serialize;
use std::process::ExitCode;

/// How many runs are shown where the user does not say.
const A_SCREENFUL: usize = 50;

#[derive(Serialize)]
struct Document<'a> {
    runs: Vec<RunDocument<'a>>,
    /// Whether `--limit` has left older ones out.
    more: bool,
}

/// Prints the runs, newest first.
pub(crate) fn run(options: &cli::History, common: &Common) -> Result<ExitCode, Failure> {
    let limit = match (options.limit, &options.selection.since) {
        (Some(0), _) | (None, Some(_)) => None,
        (limit, _) => Some(limit.unwrap_or(A_SCREENFUL)),
    };
    let query = Query {
        failed: options.failed,
        limit,
        ..Query::default()
    };
    let found = runs::select(&options.selection, common, query)?;
    if common.json {
        json::print(&Document {
            runs: found.runs.iter().map(RunDocument::from).collect(),
            more: found.more,
        })?;
    } else if found.runs.is_empty() {
        json::say("no such runs\n")?;
    } else {
        json::say(&table(&found.runs))?;
        if found.more {
            json::say("(older ones are left out; -n 0 shows all)\n")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs as a table, with the columns that tell them apart.
pub(crate) fn table(runs: &[Run]) -> String {
    let now = Timestamp::now();
    let node = runs::distinct(runs, |run| run.node.clone());
    let cluster = runs::distinct(runs, |run| run.cluster.clone());
    let user = runs::distinct(runs, runs::user);
    let rows: Vec<Vec<Cell>> = runs
        .iter()
        .map(|run| {
            vec![
                when::local(run.started).into(),
                Cell::new(when::age(run.started, now), Tone::Dim),
                lasted(run).into(),
                result(run),
                node.as_ref().map(|node| node(run)).unwrap_or_default().into(),
                cluster.as_ref().map(|cluster| cluster(run)).unwrap_or_default().into(),
                user.as_ref().map(|user| user(run)).unwrap_or_default().into(),
                run.name().into(),
            ]
        })
        .collect();
    let heads = ["STARTED", "AGE", "LASTED", "RESULT", "SERVER", "CLUSTER", "USER", "JOB"];
    table::lines(&heads, &rows, Screen::of_stdout())
}

fn lasted(run: &Run) -> String {
    match &run.fate {
        Fate::Ended(end) => when::span(end.lasted),
        Fate::Running(lasts) | Fate::Unwatched(lasts) => format!("{} …", when::span(*lasts)),
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
