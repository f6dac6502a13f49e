//! Questions to this server's rcrond, over its socket.

use crate::failure::Failure;
use control::client::{self, NoAnswer};
use control::{ClusterReport, Report, Request, Response};
use inputs::diagnostic::shown;
use policy::config::Config;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;
use sys::output::error_text;

/// For an answer that rcrond knows without asking anyone.
pub(crate) const QUICK: Duration = Duration::from_secs(2);
/// For an answer for which rcrond reads the store: it gives the store 3 seconds.
const SURVEY: Duration = Duration::from_secs(5);

/// How rcrond sees this server; with `nodes`, also the other nodes as the store has them.
pub(crate) fn fetch_report(socket: &Path, nodes: bool) -> Result<Report, NoReport<'_>> {
    let limit = if nodes { SURVEY } else { QUICK };
    let reason = match client::ask(socket, &Request::Status { nodes }, limit) {
        Ok(Response::Status(report)) => return Ok(report),
        Ok(Response::Error { message } | Response::Refused { message }) => Reason::Rejected(message),
        Ok(_) => Reason::OtherAnswer,
        Err(no_answer) => Reason::NoAnswer(no_answer, limit),
    };
    Err(NoReport { socket, reason })
}

/// Why rcrond did not do what it was asked, with what to do about it.
#[derive(Debug)]
pub(crate) struct NoReport<'a> {
    pub(crate) socket: &'a Path,
    pub(crate) reason: Reason,
}

#[derive(Debug)]
pub(crate) enum Reason {
    /// Nothing came within this time.
    NoAnswer(NoAnswer, Duration),
    /// rcrond's own message.
    Rejected(String),
    OtherAnswer,
}

impl NoReport<'_> {
    /// Whether nothing shows that rcrond has run since this server booted. It may also listen on another socket.
    pub(crate) const fn is_without_socket(&self) -> bool {
        matches!(self.reason, Reason::NoAnswer(NoAnswer::NoSocket, _))
    }
}

impl fmt::Display for NoReport<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = shown(self.socket.as_os_str());
        let not_rcrond = "not from rcrond, or from another version of it";
        match &self.reason {
            Reason::Rejected(message) => out.write_str(message),
            Reason::OtherAnswer => write!(
                out,
                "the answer on {name} is {not_rcrond}: it does not match the request"
            ),
            Reason::NoAnswer(no_answer, limit) => match no_answer {
                NoAnswer::NoSocket => write!(
                    out,
                    "there is no {name}: start rcrond (systemctl start rcrond), or name its socket with --socket"
                ),
                NoAnswer::NotListening => write!(
                    out,
                    "no process listens on {name}: rcrond has stopped; start it (systemctl start rcrond)"
                ),
                NoAnswer::TimedOut => {
                    let seconds = limit.as_secs();
                    write!(
                        out,
                        "rcrond did not answer on {name} within {seconds} s: see systemctl status rcrond"
                    )
                }
                NoAnswer::Closed => write!(out, "rcrond closed {name} without an answer: see journalctl -u rcrond"),
                NoAnswer::Invalid(error) => {
                    write!(
                        out,
                        "the answer on {name} is {not_rcrond}: {}",
                        shown(error.to_string().as_ref())
                    )
                }
                NoAnswer::System(error) => write!(out, "cannot ask rcrond on {name}: {}", error_text(error)),
            },
        }
    }
}

impl From<NoReport<'_>> for Failure {
    fn from(no_report: NoReport) -> Self {
        Self::new(no_report.to_string())
    }
}

/// The cluster of this configuration in rcrond's report: by its name, otherwise by its state file.
pub(crate) fn cluster<'a>(report: &'a Report, config: &Config) -> Option<&'a ClusterReport> {
    let by_name = |cluster: &&ClusterReport| cluster.name.as_bytes() == config.cluster_name;
    let by_file = |cluster: &&ClusterReport| is_same_file(cluster.state_file.as_ref(), &config.state_file);
    let clusters = &report.clusters;
    clusters.iter().find(by_name).or_else(|| clusters.iter().find(by_file))
}

/// Whether rcrond writes this state file.
pub(crate) fn writes(report: &Report, file: &[u8]) -> bool {
    let clusters = &report.clusters;
    clusters
        .iter()
        .any(|cluster| is_same_file(cluster.state_file.as_ref(), file))
}

/// `/var/run` is a link to `/run`.
fn is_same_file(one: &Path, other: &[u8]) -> bool {
    let other = Path::new(OsStr::from_bytes(other));
    // The file itself may be missing.
    let real = |path: &Path| {
        let directory = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
        path.canonicalize().ok().or_else(directory)
    };
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}
