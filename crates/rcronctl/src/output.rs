//! What a command prints: answers on stdout, warnings on stderr.

use crate::failure::Failure;
use serde::Serialize;
use std::fmt::Display;
use std::io;
use sys::output::{to_stderr, to_stdout};

/// Prints text to stdout. A reader that has closed the pipe, as in `rcronctl history | head`, has seen enough.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    match to_stdout(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::cannot("write to stdout", &error)),
    }
}

/// Prints one JSON document to stdout.
pub(crate) fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failure::cannot("write JSON", &error.into()))?;
    print_text(&(policy::display::json_document(&text) + "\n"))
}

/// Prints a warning to stderr.
pub(crate) fn warn(text: impl Display) {
    to_stderr(format!("rcronctl: warning: {text}\n").as_bytes());
}
