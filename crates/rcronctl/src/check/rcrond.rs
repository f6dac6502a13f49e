//! Whether rcrond answers where it has been running.

use super::finding::{Finding, Group, Kind, Place, Report};
use super::root::Root;
use crate::daemon::QUICK;
use control::client::{self, NoAnswer};
use control::{DEFAULT_SOCKET, Request, Response};
use inputs::diagnostic::shown;
use std::io::ErrorKind;
use std::path::Path;

/// How it sees its clusters, if it answers. Nothing is said where there is no socket: rcrond is one way of many.
pub(crate) fn check(root: &Root, report: &mut Report) -> Option<control::Report> {
    let socket = root.locate(Path::new(DEFAULT_SOCKET)).ok()?.outside;
    let place = Place::file(&socket);
    let what = match client::ask(&socket, &Request::Status { nodes: false }, QUICK) {
        Err(NoAnswer::NoSocket) => return None,
        Err(NoAnswer::System(error)) if error.kind() == ErrorKind::PermissionDenied => {
            report.missed(Group::Programs, format!("{place}: Permission denied"));
            return None;
        }
        Ok(Response::Status(answer)) => {
            let (version, node) = (shown(answer.version.as_ref()), shown(answer.node.as_ref()));
            report.saw(
                Group::Programs,
                format!("{place}: rcrond {version} answers, on node {node}"),
            );
            return Some(answer);
        }
        Ok(Response::Error { message } | Response::Refused { message }) => shown(message.as_ref()),
        Ok(_) => "another answer than was asked for".to_owned(),
        Err(no_answer) => shown(no_answer.to_string().as_ref()),
    };
    let remedy = "start it (systemctl start rcrond), or remove the socket if it is not to run here any more";
    let finding = Finding::wrong(
        Kind::RcrondSilent,
        place,
        format!("rcrond does not answer: {what}"),
        remedy,
    );
    report.add(finding.because("a lease that nobody renews ends, and this server is passive"));
    None
}
