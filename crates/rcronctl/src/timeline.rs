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

pub(crate) use picture::Window;

use crate::cli;
use crate::failure::Failure;
use journal::run::Run;
use picture::Picture;
use platform::replace;
use std::path::Path;
use std::process::ExitCode;

/// Commands may hold secrets, and the journals are only for their owners.
const MODE: u32 = 0o600;

/// Draws the runs, or writes the page, or the data. Every run of the window is needed, and those before it do no harm.
pub(crate) fn run(options: &cli::Timeline, runs: &[Run], window: Window, json: bool) -> Result<ExitCode, Failure> {
    let picture = picture::lay_out(runs, window, options.selection.journal.len());
    match (&options.html, json) {
        (Some(_), true) => {
            return Err(Failure::new(
                "--html and --json are two forms of one picture: give one of them",
            ));
        }
        (Some(file), false) => write_page(&picture, file)?,
        (None, true) => print(&data(&picture)?)?,
        (None, false) => print(&terminal::draw(&picture, &screen::look()))?,
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
        return print(&page);
    }
    let target = replace::target(file)
        .map_err(|refused| Failure::new(format!("cannot write {}: {refused}; name another file", file.display())))?;
    replace::replace(&target, page.as_bytes(), MODE)
        .map_err(|error| Failure::of(format_args!("write {}", file.display()), &error))
}

fn print(text: &str) -> Result<(), Failure> {
    platform::output::to_stdout(text.as_bytes()).map_err(|error| Failure::of("write to stdout", &error))
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::new(format!("cannot write the runs as JSON: {error}"))
}
