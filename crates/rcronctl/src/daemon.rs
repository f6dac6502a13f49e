//! rcrond of this server, asked over its socket.

use crate::failure::Failure;
use control::client::{self, NoAnswer};
use control::{ClusterReport, Report, Request, Response};
use inputs::diagnostic::shown;
use policy::config::Config;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;
use sys::output::error_text;

/// For rcrond to say how things are on this server: it need not ask anybody.
pub(crate) const QUICK: Duration = Duration::from_secs(2);
/// For it to look the other nodes up in the store.
pub(crate) const SURVEY: Duration = Duration::from_secs(10);

/// How this server's rcrond sees things, with the other nodes or without. Else a sentence that says why not, and what to do.
pub(crate) fn report(socket: &Path, nodes: bool) -> Result<Report, Silence> {
    let limit = if nodes { SURVEY } else { QUICK };
    match client::ask(socket, &Request::Status { nodes }, limit) {
        Ok(Response::Status(report)) => Ok(report),
        Ok(Response::Error { message } | Response::Refused { message }) => Err(Silence::Other(message)),
        Ok(_) => Err(Silence::Other(strange(socket, "another answer than was asked for"))),
        Err(NoAnswer::NoSocket) => Err(Silence::NoSocket(why(socket, &NoAnswer::NoSocket, limit))),
        Err(no_answer) => Err(Silence::Other(why(socket, &no_answer, limit))),
    }
}

/// No report, in a sentence.
pub(crate) enum Silence {
    /// No rcrond has run since the server was started, or it listens elsewhere.
    NoSocket(String),
    /// It ought to answer.
    Other(String),
}

impl Silence {
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::NoSocket(text) | Self::Other(text) => text,
        }
    }
}

impl From<Silence> for Failure {
    fn from(silence: Silence) -> Self {
        Self::new(silence.into_text())
    }
}

/// Why there is no answer, and what to do about it.
pub(crate) fn why(socket: &Path, no_answer: &NoAnswer, limit: Duration) -> String {
    let name = shown(socket.as_os_str());
    match no_answer {
        NoAnswer::NoSocket => {
            format!("there is no {name}: start rcrond (systemctl start rcrond), or name its socket with --socket")
        }
        NoAnswer::NotListening => {
            format!("nobody listens on {name}, so rcrond has ended: start it (systemctl start rcrond)")
        }
        NoAnswer::TimedOut => {
            let seconds = limit.as_secs();
            format!("rcrond has not answered on {name} within {seconds} s: see systemctl status rcrond")
        }
        NoAnswer::Closed => format!("rcrond has closed {name} without an answer: see journalctl -u rcrond"),
        NoAnswer::Invalid(error) => strange(socket, &error.to_string()),
        NoAnswer::System(error) => format!("cannot ask rcrond on {name}: {}", error_text(error)),
    }
}

fn strange(socket: &Path, what: &str) -> String {
    let (name, what) = (shown(socket.as_os_str()), shown(what.as_ref()));
    format!("what answers on {name} is not rcrond, or one of another version: {what}")
}

/// What rcrond says of the cluster of this configuration.
pub(crate) fn cluster<'a>(report: &'a Report, config: &Config) -> Option<&'a ClusterReport> {
    let by_name = |cluster: &&ClusterReport| cluster.name.as_bytes() == config.cluster_name;
    let by_file = |cluster: &&ClusterReport| is_same_file(cluster.state_file.as_ref(), &config.state_file);
    let clusters = &report.clusters;
    clusters.iter().find(by_name).or_else(|| clusters.iter().find(by_file))
}

/// `/var/run` is a link to `/run`.
fn is_same_file(one: &Path, other: &[u8]) -> bool {
    let other = Path::new(OsStr::from_bytes(other));
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}
