//! `rcronctl timeline`: who ran what when, as a picture. See rcronctl-timeline(8).

mod axis;
mod beat;
mod cells;
#[cfg(test)]
mod example;
mod finding;
mod gaps;
mod json;
mod page;
mod picture;
mod plot;
mod screen;
mod span;
mod terminal;
mod twice;
mod words;

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::json::say;
use crate::{runs, when};
use jiff::Zoned;
use journal::Query;
use picture::{Picture, Window};
use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use sys::replace::{self, Refused};

/// Commands may hold secrets, and the journals are only for their owners.
const MODE: u32 = 0o600;

/// How far back the picture goes where the user does not say.
const HOURS: i64 = 6;

/// Draws the runs, or writes the page, or the data.
pub(crate) fn run(options: &cli::Timeline, common: &Common) -> Result<ExitCode, Failure> {
    let mut window = Window::last_hours(HOURS);
    if let Some(since) = &options.selection.since {
        window.since = when::parse(since, &Zoned::now())?;
    }
    let query = Query {
        since: Some(window.since),
        ..Query::default()
    };
    let runs = runs::select(&options.selection, common, query)?.runs;
    let picture = picture::lay_out(&runs, window, options.selection.journal.len());
    match (&options.html, common.json) {
        (Some(_), true) => {
            return Err(Failure::new(
                "--html and --json are two forms of one picture: give one of them",
            ));
        }
        (Some(file), false) => write_page(&picture, file)?,
        (None, true) => say(&data(&picture)?)?,
        (None, false) => say(&terminal::draw(&picture, &screen::look()))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn data(picture: &Picture) -> Result<String, Failure> {
    let mut text = serde_json::to_string(&json::document(picture)).map_err(|error| unwritable(&error))?;
    text.push('\n');
    Ok(text)
}

fn write_page(picture: &Picture, file: &Path) -> Result<(), Failure> {
    let page = page::render(picture, &page::nonce()).map_err(|error| unwritable(&error))?;
    if file == Path::new("-") {
        return say(&page);
    }
    let cannot = |why: &dyn Display| Failure::new(format!("cannot write {}: {why}", file.display()));
    let target = replace::target(file).map_err(|refused| match refused {
        Refused::NotRegular(_) => cannot(&format_args!("{refused}; name another, or - for stdout")),
        _ => cannot(&refused),
    })?;
    if !target.parent().is_some_and(Path::is_dir) {
        return Err(cannot(&"there is no such directory; make it first"));
    }
    replace::replace(&target, page.as_bytes(), MODE)
        .map_err(|error| Failure::of(format_args!("write {}", file.display()), &error))
}

fn unwritable(error: &serde_json::Error) -> Failure {
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
        write_page(&picture::lay_out(&[ok("a", 0, 1)], window, 1), file)
    }

    #[test]
    fn the_page_is_its_owners_alone_and_replaces_the_one_before() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("night.html");
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("chmod");
        write(&file).expect("written");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, MODE);
        assert!(fs::read_to_string(&file).expect("text").starts_with("<!doctype html>"));
    }

    #[test]
    fn neither_a_device_is_replaced_nor_a_directory_made() {
        let directory = tempfile::tempdir().expect("a directory");
        let missing = directory.path().join("missing/night.html");
        assert!(write(&missing).is_err() && !directory.path().join("missing").exists());
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).expect("made");
        assert!(write(&pipe).is_err() && !pipe.is_file());
    }
}
