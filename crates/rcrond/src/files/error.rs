//! Why a file was not written.

use inputs::state_file;
use std::fmt;
use std::io;
use sys::output::error_text;

/// Why a file was not written, or not with the intended content.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The thread that writes this directory's files cannot be started.
    NoThread(io::Error),
    /// A state file was not replaced.
    StateFile(state_file::WriteError),
    /// Another file was not replaced.
    System(io::Error),
    /// A state file was not replaced, but overwritten with `passive`.
    MadePassiveInPlace(io::Error),
}

impl fmt::Display for WriteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoThread(error) => write!(out, "cannot start a thread: {}", error_text(error)),
            Self::StateFile(error) => error.fmt(out),
            Self::System(error) => out.write_str(&error_text(error)),
            Self::MadePassiveInPlace(error) => write!(out, "{}; made passive in place", error_text(error)),
        }
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
