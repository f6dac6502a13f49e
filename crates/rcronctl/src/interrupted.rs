//! `rcronctl interrupted`: the runs that a crash cut off.

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::history;
use crate::json::{self, RunDocument};
use crate::marks::{Mark, Marks};
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

/// Nothing waits for us, but nobody shall hang either.
const PATIENCE: Duration = Duration::from_secs(5);
/// There are some.
const SOME: u8 = 1;

#[derive(Serialize)]
struct Document<'a> {
    runs: Vec<RunDocument<'a>>,
}

/// Prints them, or tells syslog, or marks them. Exit status 1 if there are any that nobody has seen to, 2 if that is not sure.
pub(crate) fn run(options: &cli::Interrupted, common: &Common) -> Result<ExitCode, Failure> {
    let directories = marked_directories(options, common)?;
    // A choice of the administrator's, not to be a unit that fails at each boot, or an alarm without end.
    if options.selection.journal.is_empty() && directories.is_empty() {
        show(&[], 0, options, common)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut marks = Marks::read_all(&directories)?;
    let query = Query {
        unfinished: true,
        ..Query::default()
    };
    let found = runs::select(&options.selection, common, query)?;
    let all: Vec<Run> = found
        .runs
        .iter()
        .filter(|run| run.fate == Fate::Interrupted)
        .cloned()
        .collect();
    let (seen, unseen): (Vec<Run>, Vec<Run>) = all
        .iter()
        .cloned()
        .partition(|run| marks.of(&run.id) == Some(Mark::Seen));
    if options.log {
        let untold: Vec<&Run> = unseen.iter().filter(|run| marks.of(&run.id).is_none()).collect();
        tell(&untold, common)?;
    }
    if options.log || options.ack {
        // What a selection or an incomplete reading does not see must keep its mark.
        if options.selection.is_all() && found.unreadable.is_empty() {
            marks.retain(|id| found.runs.iter().any(|run| run.id == id));
        }
        let mark = if options.ack { Mark::Seen } else { Mark::Told };
        marks.set(unseen.iter().map(|run| run.id.as_str()), mark);
        marks.write()?;
    }
    if options.ack {
        json::say(&format!("{} marked as seen\n", count(unseen.len())))?;
        return Ok(ExitCode::SUCCESS);
    }
    show(if options.all { &all } else { &unseen }, seen.len(), options, common)?;
    Ok(ExitCode::from(match (unseen.is_empty(), found.unreadable.is_empty()) {
        (false, _) => SOME,
        (true, true) => 0,
        (true, false) => FAILED,
    }))
}

/// The directories whose marks count: those of this server's own journals.
fn marked_directories(options: &cli::Interrupted, common: &Common) -> Result<Vec<PathBuf>, Failure> {
    if options.selection.journal.is_empty() {
        return runs::own_directories(common);
    }
    if options.ack || options.log {
        return Err(Failure::new(
            "--log and --ack are for this server's own journals, not for one that --journal names",
        ));
    }
    Ok(Vec::new())
}

/// One line each, oldest first, by the configuration of the run's own cluster.
fn tell(runs: &[&Run], common: &Common) -> Result<(), Failure> {
    let configurations: Vec<Config> = clusters::all(&common.conf)?
        .into_iter()
        .filter_map(|cluster| Some(cluster.settings.ok()?.config))
        .collect();
    for run in runs.iter().rev() {
        let own = configurations
            .iter()
            .find(|config| config.cluster_name == run.cluster.as_bytes());
        let config = own.cloned().unwrap_or_default();
        let mut log = Log::new(
            OsString::from_vec(config.syslog_socket),
            config.syslog_facility,
            PATIENCE,
        );
        if !log.send(Level::WARNING, line(run).as_bytes()) {
            return Err(Failure::new(
                "the log daemon does not take the lines; they are told again next time",
            ));
        }
    }
    Ok(())
}

/// As rcron's own lines are, so that one pattern finds both.
fn line(run: &Run) -> String {
    let job = run.job.as_ref().map(|job| format!(" job={job}")).unwrap_or_default();
    format!(
        "cluster={} state=active status=interrupted started={} user={}{job} run={} cmd={}",
        run.cluster,
        run.started,
        runs::user(run),
        run.id,
        run.command
    )
}

fn show(runs: &[Run], seen: usize, options: &cli::Interrupted, common: &Common) -> Result<(), Failure> {
    if common.json {
        return json::print(&Document {
            runs: runs.iter().map(RunDocument::from).collect(),
        });
    }
    // At boot nobody reads it.
    if options.log {
        return Ok(());
    }
    if !runs.is_empty() {
        return json::say(&history::table(runs));
    }
    let hidden = match seen {
        0 => String::new(),
        _ => format!(" ({} marked as seen; --all shows them)", count(seen)),
    };
    json::say(&format!("no interrupted runs{hidden}\n"))
}

fn count(runs: usize) -> String {
    match runs {
        1 => "1 run".to_owned(),
        _ => format!("{runs} runs"),
    }
}
