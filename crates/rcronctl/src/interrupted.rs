//! `rcronctl interrupted`: the runs that a crash cut off.

mod log;

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::marks::{Mark, Marks, RunKey};
use crate::output::{print_text, warn};
use crate::run_json::RunsJson;
use crate::run_table::{RunColumns, print_runs};
use crate::runs::{self, Selected};
use journal::run::{Fate, Run};
use journal::{Query, States};
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit status if there are interrupted runs.
const SOME: u8 = 1;

/// How many runs without an end there are, by what is known about them.
#[derive(Default)]
struct Counts {
    seen: usize,
    unseen: usize,
    /// They may be running, in another container or as another user, and are not marked as seen.
    hidden: usize,
    /// There was no room for their marks.
    unmarked: usize,
}

/// Prints the runs, or logs them, or marks them as seen. The exit status is 1 if there are any that are not marked as seen, 2 if
/// this is not certain.
pub(crate) fn report_interrupted(options: &cli::Interrupted, common: &Common) -> Result<ExitCode, Failure> {
    let directories = marked_directories(options, common)?;
    // An administrator who has switched the journal off wants neither a unit that fails at each boot nor a lasting alarm.
    if options.selection.journal.is_empty() && !options.hosts.are_named() && directories.is_empty() {
        return without_journal(options, common);
    }
    let old = Marks::read_all(&directories)?;
    let query = Query {
        states: States::Unfinished,
        ..Query::default()
    };
    let mut found = Selected::read(&options.selection, Some(&options.hosts), common, query)?;
    found.runs.keep_interrupted();
    let mut marks = old.fresh();
    let mut counts = Counts::default();
    found.runs.retain(|run| counts.add(run, options, &old, &mut marks));
    // A run that this selection does not contain, or that could not be read, must keep its mark.
    if !options.selection.is_all() || !found.is_complete() {
        marks.add_all(&old);
    }
    if options.log {
        log::log_runs(&mut found.runs, &mut marks, &mut counts.unmarked, common)?;
    }
    if options.log || options.ack {
        marks.write()?;
    }
    finish(&mut found, &counts, options, common)
}

impl Counts {
    /// Counts a run, marks it as seen if the options say so, and returns whether it is to be shown.
    fn add(&mut self, run: &Run, options: &cli::Interrupted, old: &Marks, marks: &mut Marks) -> bool {
        let mark = if run.is_seen {
            Some(Mark::Seen)
        } else {
            old.of_run(key(run))
        };
        if let Some(mark) = mark {
            marks.add(key(run), mark);
        }
        let is_interrupted = run.fate == Fate::Interrupted;
        match (mark, is_interrupted) {
            (Some(Mark::Seen), true) => self.seen += 1,
            (Some(Mark::Seen), false) => {}
            (_, true) => self.unseen += 1,
            (_, false) => self.hidden += 1,
        }
        if options.ack && !marks.add(key(run), Mark::Seen) {
            self.unmarked += 1;
        }
        is_interrupted && (options.all || mark != Some(Mark::Seen))
    }
}

fn key(run: &Run) -> RunKey {
    (run.uid, run.number())
}

/// The directories whose marks apply: those of this server's own journals.
fn marked_directories(options: &cli::Interrupted, common: &Common) -> Result<Vec<PathBuf>, Failure> {
    if options.hosts.are_named() && (options.ack || options.log) {
        return Err(Failure::new(
            "--log and --ack apply to this server's own journals, not to those of --host and --hosts: run them on each server, for \
             example with ssh NAME rcronctl interrupted --ack",
        ));
    }
    if options.selection.journal.is_empty() {
        return match runs::own_directories(common) {
            // Other servers are read anyway; what is wrong here is reported with them.
            Err(_) if options.hosts.are_named() => Ok(Vec::new()),
            directories => directories,
        };
    }
    if options.ack || options.log {
        return Err(Failure::new(
            "--log and --ack apply to this server's own journals, not to one that --journal names",
        ));
    }
    Ok(Vec::new())
}

fn without_journal(options: &cli::Interrupted, common: &Common) -> Result<ExitCode, Failure> {
    let note = "journaling is off, so interrupted runs cannot be found";
    if common.json {
        let document = serde_json::json!({ "runs": [], "unseen": [note] });
        crate::output::print_json(&document)?;
    } else if !options.log {
        print_text(&format!("{note}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn finish(
    found: &mut Selected,
    counts: &Counts,
    options: &cli::Interrupted,
    common: &Common,
) -> Result<ExitCode, Failure> {
    let notes = counts.notes();
    if options.ack {
        let marked = counts.unseen + counts.hidden - counts.unmarked.min(counts.unseen + counts.hidden);
        print_text(&format!("{} marked as seen\n", count(marked)))?;
    } else if common.json {
        RunsJson::of_interrupted(found, notes.clone()).print()?;
    } else if !options.log {
        // The lines of --log are in the log; a unit at boot would log them a second time.
        show(found, counts, options, common)?;
    }
    found.warn();
    notes
        .iter()
        .filter(|_| !options.ack || counts.unmarked > 0)
        .for_each(warn);
    let is_uncertain = !found.is_complete() || counts.hidden > 0 || counts.unmarked > 0;
    Ok(ExitCode::from(match (options.ack, counts.unseen) {
        (false, 1..) => SOME,
        (false, 0) if is_uncertain => FAILED,
        (true, _) if counts.unmarked > 0 => FAILED,
        _ => 0,
    }))
}

fn show(found: &mut Selected, counts: &Counts, options: &cli::Interrupted, common: &Common) -> Result<(), Failure> {
    if !found.runs.is_empty() {
        let columns = RunColumns::of(found);
        print_runs(&mut found.runs, columns)?;
        return print_text(&found.own_note());
    }
    if found.is_complete() && counts.hidden == 0 {
        let hidden = match counts.seen {
            0 => String::new(),
            seen => format!(" ({} marked as seen; --all shows them)", count(seen)),
        };
        let of_yours = if found.runs.is_only_own {
            " of yours (only root sees those of other users)"
        } else {
            ""
        };
        print_text(&format!(
            "no interrupted runs{of_yours}{hidden}\n{}",
            found.hosts_note()
        ))?;
    }
    runs::warn_of_unknown_names(&options.selection, &options.hosts, common)
}

impl Counts {
    /// What is not certain, in words.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.hidden > 0 {
            notes.push(format!(
                "{} no recorded end and may still be running, in another container with this host name or as another user. Run this \
                 command on the host, where all processes are visible, or use --ack",
                match self.hidden {
                    1 => "1 run has".to_owned(),
                    runs => format!("{runs} runs have"),
                }
            ));
        }
        if self.unmarked > 0 {
            notes.push(format!(
                "there are too many runs: {} not marked and will be reported again",
                match self.unmarked {
                    1 => "1 run was".to_owned(),
                    runs => format!("{runs} runs were"),
                }
            ));
        }
        notes
    }
}

fn count(runs: usize) -> String {
    match runs {
        1 => "1 run".to_owned(),
        _ => format!("{runs} runs"),
    }
}
