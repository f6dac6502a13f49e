//! Why the service cannot start, and the one place that prints it.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// The exit status. clap uses the same one for a command line that it rejects.
const FAILED: u8 = 2;

/// What failed, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `cannot ACT: ERROR`.
    pub(crate) fn system(act: impl Display, error: &io::Error) -> Self {
        Self(format!("cannot {act}: {}", sys::output::error_text(error)))
    }

    /// Prints it to stderr and returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        sys::output::to_stderr(format!("rcron-keepalived: {}\n", self.0).as_bytes());
        ExitCode::from(FAILED)
    }
}
