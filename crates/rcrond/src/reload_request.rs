//! `rcrond --reload`: asks the running daemon to read its configuration again. Unlike a signal, this has a result.

use crate::cli;
use crate::config;
use control::client::{self, NoAnswer};
use control::{Request, Response};
use inputs::diagnostic::shown;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use sys::output::to_stderr;

/// The daemon's own limit is shorter.
const LIMIT: Duration = Duration::from_secs(15);

/// Why nothing was reloaded.
enum Error {
    NoAnswer(PathBuf, NoAnswer),
    /// The daemon's message.
    Rejected(String),
    OtherAnswer,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(socket, why) => write!(
                out,
                "cannot ask the running daemon on {}: {why}; if `[control] socket` or `run_dir` was changed, restart rcrond",
                shown(socket.as_os_str())
            ),
            Self::Rejected(message) => out.write_str(message),
            Self::OtherAnswer => out.write_str("the running daemon's answer does not match the request"),
        }
    }
}

pub(crate) fn run(file: &Path) -> ExitCode {
    match reload(file) {
        Ok(lines) => cli::print(&(lines.join("\n") + "\n")),
        Err(error) => {
            to_stderr(format!("rcrond: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn reload(file: &Path) -> Result<Vec<String>, Error> {
    let socket = config::find_socket(file);
    match client::ask(&socket, &Request::Reload {}, LIMIT) {
        Ok(Response::Done { lines }) => Ok(lines),
        Ok(Response::Error { message } | Response::Refused { message }) => Err(Error::Rejected(message)),
        Ok(_) => Err(Error::OtherAnswer),
        Err(why) => Err(Error::NoAnswer(socket, why)),
    }
}
