//! `rcronctl timeline`: which server ran which job at what time. See rcronctl-timeline(8).

mod axis;
mod bars;
mod duplicates;
#[cfg(test)]
mod example;
mod finding;
mod findings;
mod gaps;
mod json;
mod model;
mod page;
mod period;
mod plot;
mod rows;
mod run_span;
mod store_ticks;
mod terminal;
mod words;

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::output::{print_json, print_text, warn};
use crate::output_file::write_file;
use crate::runs::{self, Selected};
use crate::screen::Screen;
use crate::when;
use bars::{Bars, TooManyJobs};
use jiff::tz::TimeZone;
use journal::Query;
use journal::run::Run;
use model::{Journals, TimelineModel, build_timeline};
use run_span::Window;
use std::path::Path;
use std::process::ExitCode;
use store_ticks::StoreTicks;

/// Commands may contain secrets, and only their owners can read the journals.
const MODE: u32 = 0o600;

/// How much memory the runs may take, in bytes.
const MOST_BYTES: usize = 512 << 20;

/// How far the timeline reaches back without `--since`.
const HOURS: i64 = 6;

/// Draws the runs, or writes the page or the JSON.
pub(crate) fn draw_timeline(options: &cli::Timeline, common: &Common) -> Result<ExitCode, Failure> {
    let mut window = Window::last_hours(HOURS);
    window.since = options.selection.since.unwrap_or(window.since);
    let query = Query {
        since: Some(window.since),
        ..Query::default()
    };
    let mut found = Selected::read(&options.selection, Some(&options.hosts), common, query)?;
    let (runs, is_cut) = load(&mut found);
    if let Some(oldest) = runs.last().filter(|_| is_cut) {
        window.since = oldest.started;
        let since = when::local(oldest.started);
        warn(format_args!(
            "there are too many runs: only those since {since} are shown"
        ));
    }
    let ticks = StoreTicks::fetch(options, window);
    let mut timeline = build_timeline(&runs, window, journals(&found, &options.selection));
    timeline.add_ticks(&ticks);
    match (&options.html, common.json) {
        (Some(_), true) => {
            return Err(Failure::new("--html and --json cannot be used together"));
        }
        (Some(file), false) => write_page(&timeline, file)?,
        (None, true) => print_json(&json::document(&timeline, &Bars::single(&timeline)))?,
        (None, false) => print_text(&terminal::draw(&timeline, Screen::of_stdout(), &TimeZone::system()))?,
    }
    found.warn();
    if runs.is_empty() {
        runs::warn_of_unknown_names(&options.selection, &options.hosts, common)?;
    }
    Ok(ExitCode::from(if runs.is_empty() && !found.is_complete() {
        FAILED
    } else {
        0
    }))
}

/// Whether the runs are enough to show that a tick ran nowhere.
fn journals(found: &Selected, selection: &cli::Selection) -> Journals {
    match &found.hosts {
        None => Journals::Named(selection.journal.len()),
        Some(hosts) if hosts.are_several() && hosts.are_complete() => Journals::All,
        Some(hosts) if hosts.are_several() => Journals::SomeUnread,
        Some(_) => Journals::Named(1),
    }
}

/// The runs, the newest first, as long as the memory for them is within bounds; and whether older ones are missing.
fn load(found: &mut Selected) -> (Vec<Run>, bool) {
    let (mut runs, mut bytes) = (Vec::new(), 0);
    for run in found.runs.iter() {
        bytes += size_of::<Run>()
            + run.id.len()
            + run.node.len()
            + run.server().len()
            + run.cluster.len()
            + 2 * run.name().len();
        if bytes > MOST_BYTES {
            return (runs, true);
        }
        runs.push(run);
    }
    (runs, false)
}

fn write_page(timeline: &TimelineModel, file: &Path) -> Result<(), Failure> {
    let bars = Bars::for_page(timeline).map_err(|TooManyJobs(jobs)| {
        Failure::new(format!(
            "a page cannot show {jobs} jobs: choose some with --job, --cluster or --since"
        ))
    })?;
    if bars.are_joined() {
        warn(format_args!(
            "{} runs are too many for a page: runs that follow one another and ended alike are drawn as one bar; a later --since \
             shows each",
            bars.runs
        ));
    }
    let page = page::render_page(timeline, &bars, &page::nonce()).map_err(|error| json_failure(&error))?;
    if file == Path::new("-") {
        return print_text(&page);
    }
    write_file(file, &page, MODE, "name another one, or - for stdout")
}

fn json_failure(error: &serde_json::Error) -> Failure {
    Failure::new(format!("cannot write the runs as JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::example::{ok, seconds};
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn write(file: &Path) -> Result<(), Failure> {
        let window = Window {
            since: seconds(0),
            now: seconds(60),
        };
        write_page(&build_timeline(&[ok("a", 0, 1)], window, Journals::Named(1)), file)
    }

    #[test]
    fn page_replaces_the_old_one_and_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("night.html");
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("chmod");
        write(&file).expect("written");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, MODE);
        assert!(fs::read_to_string(&file).expect("text").starts_with("<!doctype html>"));
    }

    #[test]
    fn page_replaces_no_device_and_makes_no_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let missing = directory.path().join("missing/night.html");
        assert!(write(&missing).is_err() && !directory.path().join("missing").exists());
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).expect("made");
        assert!(write(&pipe).is_err() && !pipe.is_file());
    }
}
