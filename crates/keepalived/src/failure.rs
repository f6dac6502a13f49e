//! Why the service cannot start, reported in one place.

use std::fmt::Display;
use std::process::ExitCode;

/// Usage, a configuration that cannot be used, no permission. (clap exits with the same status.)
const FAILED: u8 = 2;

/// What could not be done, and what to do about it.
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

    /// Prints it to stderr; returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        sys::output::to_stderr(format!("rcron-keepalived: {}\n", self.0).as_bytes());
        ExitCode::from(FAILED)
    }
}
