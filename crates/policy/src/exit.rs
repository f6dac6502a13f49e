//! Exit statuses of rcron (rcron(8), "EXIT STATUS"). Its own are those of env(1), nice(1) and timeout(1).

/// The job was not run because this server is passive, or rcron only printed something.
pub const SUCCESS: u8 = 0;
/// rcron itself failed: usage, configuration, fork. The job was not run.
pub const FAILED: u8 = 125;
/// The job's program was found but cannot be executed.
pub const CANNOT_EXECUTE: u8 = 126;
/// The job's program was not found.
pub const NOT_FOUND: u8 = 127;

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It exited with this status.
    Exited(u8),
    /// A signal of this number killed it.
    Killed(i32),
}

impl Outcome {
    /// Whether the log line says `ok`.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::Exited(SUCCESS)
    }

    /// The exit status as a number: 128 + N for signal N, as in a shell.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Killed(signal) => u8::try_from(signal).map_or(u8::MAX, |signal| signal.saturating_add(128)),
        }
    }
}
