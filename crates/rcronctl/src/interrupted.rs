//! `rcronctl interrupted`: the runs that a crash cut off.

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::marks::{Mark, Marks};
use crate::output::{print_json, print_text};
use crate::run_json::RunJson;
use crate::run_table::{format_runs, user};
use crate::runs;
use crate::syslog::Log;
use inputs::clusters;
use journal::Query;
use journal::run::{Fate, Run};
use policy::config::Config;
use policy::priority::Level;
use serde::Serialize;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long a line waits for room in the log daemon's queue. Nothing waits for this command, but it must not hang at boot.
const LOG_PATIENCE: Duration = Duration::from_secs(5);
/// The exit status if there are interrupted runs.
const SOME: u8 = 1;

#[derive(Serialize)]
struct InterruptedJson<'a> {
    runs: Vec<RunJson<'a>>,
}

/// Prints the runs, or logs them, or marks them as seen. The exit status is 1 if there are any that are not marked as seen, 2 if
/// this is not certain.
pub(crate) fn report_interrupted(options: &cli::Interrupted, common: &Common) -> Result<ExitCode, Failure> {
    let directories = marked_directories(options, common)?;
    // An administrator who has switched the journal off wants neither a unit that fails at each boot nor a lasting alarm.
    if options.selection.journal.is_empty() && directories.is_empty() {
        show(&[], 0, options, common)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut marks = Marks::read_all(&directories)?;
    let query = Query {
        unfinished: true,
        ..Query::default()
    };
    let found = runs::select_runs(&options.selection, common, query)?;
    let is_interrupted = |run: &&Run| run.fate == Fate::Interrupted;
    let all: Vec<Run> = found.runs.iter().filter(is_interrupted).cloned().collect();
    let is_seen = |run: &Run| marks.of_run(&run.id) == Some(Mark::Seen);
    let (seen, unseen): (Vec<Run>, Vec<Run>) = all.iter().cloned().partition(is_seen);
    if options.log {
        let is_unmarked = |run: &&Run| marks.of_run(&run.id).is_none();
        log_runs(unseen.iter().filter(is_unmarked).rev(), common)?;
    }
    if options.log || options.ack {
        // A run that this selection does not contain, or that could not be read, must keep its mark.
        if options.selection.is_all() && found.unreadable.is_empty() {
            marks.retain(|id| found.runs.iter().any(|run| run.id == id));
        }
        let mark = if options.ack { Mark::Seen } else { Mark::Logged };
        for run in &unseen {
            marks.add(&run.id, mark);
        }
        marks.write()?;
    }
    if options.ack {
        print_text(&format!("{} marked as seen\n", count(unseen.len())))?;
        return Ok(ExitCode::SUCCESS);
    }
    show(if options.all { &all } else { &unseen }, seen.len(), options, common)?;
    Ok(ExitCode::from(match (unseen.is_empty(), found.unreadable.is_empty()) {
        (false, _) => SOME,
        (true, true) => 0,
        (true, false) => FAILED,
    }))
}

/// The directories whose marks apply: those of this server's own journals.
fn marked_directories(options: &cli::Interrupted, common: &Common) -> Result<Vec<PathBuf>, Failure> {
    if options.selection.journal.is_empty() {
        return runs::own_directories(common);
    }
    if options.ack || options.log {
        return Err(Failure::new(
            "--log and --ack apply to this server's own journals, not to one that --journal names",
        ));
    }
    Ok(Vec::new())
}

/// Logs one line for each run, as the configuration of the run's cluster says.
fn log_runs<'a>(runs: impl Iterator<Item = &'a Run>, common: &Common) -> Result<(), Failure> {
    let configurations: Vec<Config> = clusters::all(&common.conf)?
        .into_iter()
        .filter_map(|cluster| Some(cluster.settings.ok()?.config))
        .collect();
    for run in runs {
        let own = configurations
            .iter()
            .find(|config| config.cluster_name == run.cluster.as_bytes());
        let config = own.cloned().unwrap_or_default();
        let socket = OsString::from_vec(config.syslog_socket);
        let mut log = Log::new(socket, config.syslog_facility, LOG_PATIENCE);
        if !log.send(Level::WARNING, log_line(run).as_bytes()) {
            return Err(Failure::new(
                "the log daemon does not accept the lines; the next `rcronctl interrupted --log` logs them again",
            ));
        }
    }
    Ok(())
}

/// Has the form of rcron's own lines, so that one pattern finds both.
fn log_line(run: &Run) -> String {
    let job = run.job.as_ref().map(|job| format!(" job={job}")).unwrap_or_default();
    format!(
        "cluster={} state=active status=interrupted started={} user={}{job} run={} cmd={}",
        run.cluster,
        run.started,
        user(run),
        run.id,
        run.command
    )
}

fn show(runs: &[Run], seen: usize, options: &cli::Interrupted, common: &Common) -> Result<(), Failure> {
    if common.json {
        return print_json(&InterruptedJson {
            runs: runs.iter().map(RunJson::from).collect(),
        });
    }
    // The lines are in the log; a unit at boot would log them a second time.
    if options.log {
        return Ok(());
    }
    if !runs.is_empty() {
        return print_text(&format_runs(runs));
    }
    let hidden = match seen {
        0 => String::new(),
        _ => format!(" ({} marked as seen; --all shows them)", count(seen)),
    };
    print_text(&format!("no interrupted runs{hidden}\n"))
}

fn count(runs: usize) -> String {
    match runs {
        1 => "1 run".to_owned(),
        _ => format!("{runs} runs"),
    }
}
