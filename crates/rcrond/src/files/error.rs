//! Why a file was not written.

use std::fmt;
use std::io;
use sys::output::error_text;
use sys::replace::Refused;

/// Why a file was not written, or not with the intended content.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The thread that writes this directory's files cannot be started.
    NoThread(io::Error),
    /// The path cannot be followed to a file.
    Path(Refused),
    /// The path leads to a directory, a device or the like.
    NotRegular,
    /// The new file cannot be written.
    System(io::Error),
    /// The new file cannot be written, but the old one was overwritten with `passive`.
    MadePassiveInPlace(io::Error),
}

impl fmt::Display for WriteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoThread(error) => write!(out, "cannot start a thread: {}", error_text(error)),
            Self::Path(refused) => refused.fmt(out),
            Self::NotRegular => out.write_str("it is not a regular file: configure another state_file"),
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
