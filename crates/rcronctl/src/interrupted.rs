//! `rcronctl interrupted`: the runs that a crash cut off.

use crate::cli::{self, Common};
use crate::clusters;
use crate::failure::Failure;
use crate::history;
use crate::json::{self, RunDocument};
use crate::marks::{Mark, Marks};
use crate::runs;
use crate::syslog::Log;
use journal::run::{Fate, Run};
use journal::{Query, Runs};
use policy::config::Config;
use policy::priority::Level;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// There are some.
const SOME: u8 = 1;

#[derive(Serialize)]
struct Document<'a> {
    runs: Vec<RunDocument<'a>>,
}

/// Prints them, or tells syslog, or marks them. Exit status 1 if there are any that nobody has seen to.
pub(crate) fn run(options: &cli::Interrupted, common: &Common) -> Result<ExitCode, Failure> {
    let mut marks = Vec::new();
    let folders = marked_folders(options, common)?;
    // A choice of the administrator's, and not to be a unit that fails at each boot.
    if options.log && folders.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for folder in folders {
        marks.push(Marks::read(&folder)?);
    }
    let all = interrupted(options, common)?;
    let mark = |run: &Run| marks.iter().filter_map(|marks| marks.of(&run.id)).max();
    let (seen, unseen): (Vec<Run>, Vec<Run>) = all.iter().cloned().partition(|run| mark(run) == Some(Mark::Seen));
    if options.log {
        let untold: Vec<&Run> = unseen.iter().filter(|run| mark(run).is_none()).collect();
        tell(&untold, common)?;
    }
    let new_mark = match (options.ack, options.log) {
        (true, _) => Some(Mark::Seen),
        (false, true) => Some(Mark::Told),
        (false, false) => None,
    };
    if let Some(mark) = new_mark {
        write(&mut marks, mark, &unseen, options, common)?;
    }
    let shown = if options.all { all } else { unseen.clone() };
    if options.ack {
        json::say(&format!("{} marked as seen\n", count(unseen.len())))?;
        return Ok(ExitCode::SUCCESS);
    }
    show(&shown, seen.len(), options, common)?;
    Ok(if unseen.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(SOME)
    })
}

/// The folders whose marks count: those of this server's own journals.
fn marked_folders(options: &cli::Interrupted, common: &Common) -> Result<Vec<PathBuf>, Failure> {
    if options.selection.journal.is_empty() {
        return runs::own_folders(common);
    }
    if options.ack || options.log {
        return Err(Failure::new(
            "--log and --ack are for this server's own journals, not for one that --journal names",
        ));
    }
    Ok(Vec::new())
}

fn interrupted(options: &cli::Interrupted, common: &Common) -> Result<Vec<Run>, Failure> {
    let query = Query {
        unfinished: true,
        ..Query::default()
    };
    let Runs { mut runs, .. } = runs::select(&options.selection, common, query)?;
    runs.retain(|run| run.fate == Fate::Interrupted);
    Ok(runs)
}

/// Marks the runs in every folder's file that this user has: which journal a run is of matters to nobody.
fn write(
    all: &mut [Marks],
    mark: Mark,
    runs: &[Run],
    options: &cli::Interrupted,
    common: &Common,
) -> Result<(), Failure> {
    // A selection sees only some of them; the marks of the others must stay.
    let selection = cli::Selection::default();
    let everything = cli::Interrupted { selection, ..*options };
    let known: BTreeSet<String> = interrupted(&everything, common)?
        .into_iter()
        .map(|run| run.id)
        .collect();
    for marks in all {
        for run in runs {
            marks.set(&run.id, mark);
        }
        marks.write(|run| known.contains(run))?;
    }
    Ok(())
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
        let mut log = Log::new(own.unwrap_or(&Config::default()));
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
