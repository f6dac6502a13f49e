//! Questions to this server's rcrond, over its socket.

use crate::failure::Failure;
use crate::when;
use control::client::{self, NoAnswer};
use control::{ClusterReport, DrainOrigin, Report, Request, Response, TicksReport};
use inputs::diagnostic::shown;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use policy::config::Config;
use policy::display::escaped;
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
    match ask(socket, &Request::Status { nodes }, limit)? {
        Response::Status(report) => Ok(report),
        answer => Err(NoReport::of_answer(socket, answer)),
    }
}

/// The ticks that the store has records of. `request` is a [`Request::Ticks`].
pub(crate) fn fetch_ticks<'a>(socket: &'a Path, request: &Request) -> Result<TicksReport, NoReport<'a>> {
    match ask_store(socket, request)? {
        Response::Ticks(report) => Ok(report),
        answer => Err(NoReport::of_answer(socket, answer)),
    }
}

/// The last answer to a request for which rcrond asks the store. An older rcrond's "what is this" is an error.
pub(crate) fn ask_store<'a>(socket: &'a Path, request: &Request) -> Result<Response, NoReport<'a>> {
    ask(socket, request, SURVEY)
}

/// The last answer, if rcrond knows the request and has not refused it.
pub(crate) fn ask<'a>(socket: &'a Path, request: &Request, limit: Duration) -> Result<Response, NoReport<'a>> {
    let reason = match client::ask(socket, request, limit) {
        Ok(Response::Refused { message }) => Reason::Rejected(message),
        Ok(Response::Error { message }) if message.starts_with(UNKNOWN) => Reason::TooOld,
        Ok(answer) => return Ok(answer),
        Err(no_answer) => Reason::NoAnswer(no_answer, limit),
    };
    Err(NoReport { socket, reason })
}

/// How rcrond's answer to a request begins that it does not know.
const UNKNOWN: &str = "not a request, or one of a later version of rcronctl";

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
    /// rcrond is of a version that does not know the request.
    TooOld,
    OtherAnswer,
}

impl<'a> NoReport<'a> {
    /// An answer that is not what was asked for.
    pub(crate) fn of_answer(socket: &'a Path, answer: Response) -> Self {
        let reason = match answer {
            Response::Error { message } | Response::Refused { message } => Reason::Rejected(message),
            _ => Reason::OtherAnswer,
        };
        Self { socket, reason }
    }

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
            Reason::TooOld => write!(
                out,
                "rcrond on {name} is older than this rcronctl, and does not know the request: upgrade the package rcrond"
            ),
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

/// `since 2026-12-01 03:12 by root (login anna)`, in local time.
pub(crate) fn drain_origin(origin: &DrainOrigin) -> String {
    let local = |time| when::local_in(time, &TimeZone::system(), "%Y-%m-%d %H:%M");
    let since = origin
        .since
        .parse::<Timestamp>()
        .map_or_else(|_| escaped(&origin.since).into_owned(), local);
    format!("since {since} by {}", escaped(&origin.by))
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
