//! `rcronctl history`: what ran.

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::output::{print_json, print_text};
use crate::run_json::RunJson;
use crate::run_table::format_runs;
use crate::runs;
use journal::Query;
use serde::Serialize;
use std::process::ExitCode;

/// How many runs are shown without `--limit` and `--since`.
const DEFAULT_LIMIT: usize = 50;

#[derive(Serialize)]
struct HistoryJson<'a> {
    runs: Vec<RunJson<'a>>,
    /// Whether the limit omitted older runs.
    more: bool,
}

/// Prints the runs, newest first.
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
    let found = runs::select_runs(&options.selection, common, query)?;
    if common.json {
        print_json(&HistoryJson {
            runs: found.runs.iter().map(RunJson::from).collect(),
            more: found.more,
        })?;
    } else if found.runs.is_empty() {
        print_text("no such runs\n")?;
    } else {
        print_text(&format_runs(&found.runs))?;
        if found.more {
            print_text("(older runs are not shown; -n 0 shows all)\n")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
