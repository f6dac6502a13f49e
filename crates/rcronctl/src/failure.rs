//! Why a command could not be carried out, printed in one place.

use inputs::clusters::{ListError, SelectError};
use std::fmt::Display;
use std::process::ExitCode;

/// The exit status for invalid usage, a missing permission and a file that cannot be read: the question is not answered. clap
/// exits with the same status.
pub(crate) const FAILED: u8 = 2;

/// The message that ends a command. It names the object and the action, and what to do.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// `cannot ACTION: the system's words`.
    pub(crate) fn cannot(action: impl Display, error: &std::io::Error) -> Self {
        Self(format!("cannot {action}: {}", sys::output::error_text(error)))
    }

    /// Prints the message; returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        self.report_as(FAILED)
    }

    /// The same, for a command with another exit status.
    pub(crate) fn report_as(&self, status: u8) -> ExitCode {
        sys::output::to_stderr(format!("rcronctl: {}\n", self.0).as_bytes());
        ExitCode::from(status)
    }
}

impl Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
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
