//! What could not be done, told in one place.

use inputs::clusters::{ListError, SelectError};
use std::fmt::Display;
use std::process::ExitCode;

/// Usage, permission, a file that cannot be read: the question was not answered. (clap ends with the same status.)
pub(crate) const FAILED: u8 = 2;

/// Why a command could not be done: names the object and the act, and what to do.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `cannot ACT: the system's words`.
    pub(crate) fn of(act: impl Display, error: &std::io::Error) -> Self {
        Self(format!("cannot {act}: {}", sys::output::error_text(error)))
    }

    /// Prints it; returns the exit status.
    pub(crate) fn tell(&self) -> ExitCode {
        sys::output::to_stderr(format!("rcronctl: {}\n", self.0).as_bytes());
        ExitCode::from(FAILED)
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        Self(error.to_string())
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        Self(error.to_string())
    }
}
