//! Whether rcrond answers, if it has run since the server was started.

use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use super::root::Root;
use crate::daemon::QUICK;
use control::client::{self, NoAnswer};
use control::{DEFAULT_SOCKET, Request, Response};
use policy::display::escaped;
use std::io::ErrorKind;
use std::path::Path;

/// Returns rcrond's own report, if it answers. A missing socket is not a finding: not every cluster uses rcrond.
pub(crate) fn check(root: &Root, report: &mut Report) -> Option<control::Report> {
    let socket = root.locate(Path::new(DEFAULT_SOCKET)).ok()?.outside;
    let place = Place::file(&socket);
    let why = match client::ask(&socket, &Request::Status { nodes: false }, QUICK) {
        Err(NoAnswer::NoSocket) => return None,
        Err(NoAnswer::System(error)) if error.kind() == ErrorKind::PermissionDenied => {
            report.cannot_read(Group::Programs, &socket, &error);
            return None;
        }
        Ok(Response::Status(answer)) => {
            let (version, node) = (escaped(&answer.version), escaped(&answer.node));
            let text = format!("{place}: rcrond {version} answers, on node {node}");
            report.saw(Group::Programs, text);
            return Some(answer);
        }
        Ok(Response::Error { message } | Response::Refused { message }) => message,
        Ok(_) => "it answered another question".to_owned(),
        Err(no_answer) => no_answer.to_string(),
    };
    let what = format!("rcrond does not answer: {}", escaped(&why));
    let remedy = "start it (systemctl start rcrond); if it is not to run here any more, remove the socket";
    let finding = Finding::wrong(Kind::RcrondSilent, &place, what, remedy);
    report.add(finding.because("a lease that is not renewed expires, and this server becomes passive"));
    None
}
