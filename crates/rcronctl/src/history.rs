//! `rcronctl history`: what ran.

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::output::print_text;
use crate::run_json::RunsJson;
use crate::run_table::{RunColumns, print_runs};
use crate::runs::{self, Selected};
use journal::Query;
use std::process::ExitCode;

/// How many runs are shown without `--limit` and `--since`.
const DEFAULT_LIMIT: usize = 50;

/// Prints the runs, newest first. The exit status is 2 if there are none, but not everything could be read.
pub(crate) fn print_history(options: &cli::History, common: &Common) -> Result<ExitCode, Failure> {
    let limit = match (options.limit, options.selection.since) {
        (Some(0), _) | (None, Some(_)) => None,
        (limit, _) => Some(limit.unwrap_or(DEFAULT_LIMIT)),
    };
    let query = Query {
        failed: options.failed,
        limit,
        ..Query::default()
    };
    let mut found = Selected::read(&options.selection, Some(&options.hosts), common, query)?;
    let mut is_empty = found.runs.is_empty();
    if common.json {
        is_empty = RunsJson::of_history(&mut found).print()? == 0;
    } else if is_empty {
        if found.is_complete() {
            print_text(if found.runs.is_only_own {
                "no such runs of yours (only root sees the runs of other users)\n"
            } else {
                "no such runs\n"
            })?;
        }
    } else {
        let columns = RunColumns::of(&found);
        print_runs(&mut found.runs, columns)?;
        if found.runs.more {
            print_text("(older runs are not shown; -n 0 shows all)\n")?;
        }
        print_text(&found.own_note())?;
    }
    found.warn();
    if is_empty {
        runs::warn_of_unknown_names(&options.selection, &options.hosts, common)?;
    }
    Ok(ExitCode::from(if is_empty && !found.is_complete() {
        FAILED
    } else {
        0
    }))
}
