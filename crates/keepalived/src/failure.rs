//! Why the service cannot start, and the one place that prints it.

use crate::targets::TargetError;
use inputs::diagnostic::shown;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit status. clap uses the same one for a command line that it rejects.
const FAILED: u8 = 2;

#[derive(Debug)]
pub(crate) enum Failure {
    NotAFifo(PathBuf),
    /// Another process has the lock of this FIFO.
    AlreadyRead(PathBuf),
    Targets(TargetError),
    /// Without the id of this boot, no lease can be written.
    NoBootId,
    /// The system's error; `act` completes "cannot …".
    System {
        act: String,
        error: io::Error,
    },
}

impl Failure {
    pub(crate) fn system(act: impl Into<String>, error: io::Error) -> Self {
        Self::System { act: act.into(), error }
    }

    /// Prints it to stderr and returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        sys::output::to_stderr(format!("rcron-keepalived: {self}\n").as_bytes());
        ExitCode::from(FAILED)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFifo(path) => write!(
                out,
                "{} is not a FIFO: name the one that vrrp_notify_fifo or notify_fifo in keepalived.conf names",
                shown(path.as_os_str())
            ),
            Self::AlreadyRead(path) => write!(
                out,
                "another rcron-keepalived reads {}: stop it first",
                shown(path.as_os_str())
            ),
            Self::Targets(error) => error.fmt(out),
            Self::NoBootId => out.write_str("cannot read the id of this boot: mount /proc"),
            Self::System { act, error } => write!(out, "cannot {act}: {}", sys::output::error_text(error)),
        }
    }
}
