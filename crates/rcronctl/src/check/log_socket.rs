//! Whether rcron's log lines reach a log daemon. Nothing is sent, and a full queue is not waited for.

use super::configuration::Cluster;
use super::finding::{Finding, Place, Severity};
use super::kind::{Group, Kind};
use super::report::Report;
use jobs::root::Root;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use sys::output::error_text;
use sys::syslog::Syslog;

const DEFAULT: &[u8] = b"/dev/log";

pub(crate) fn check(root: &Root, cluster: &Cluster, report: &mut Report) {
    let socket = &cluster.config.syslog_socket;
    let path = Path::new(OsStr::from_bytes(socket));
    let Ok(located) = root.locate(path) else { return };
    let place = Place::file(&located.outside);
    let is_socket = located
        .metadata()
        .is_ok_and(|metadata| metadata.file_type().is_socket());
    match Syslog::new(located.outside.into_os_string()).probe() {
        Ok(()) => report.saw(Group::Log, format!("{place}: a log daemon listens")),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            report.saw(
                Group::Log,
                format!("{place}: the queue of the log daemon is full at present"),
            );
        }
        Err(error) => {
            let fault = fault(&place, is_socket, socket == DEFAULT, &error);
            report.add(fault.because("rcron's log lines are lost"));
        }
    }
}

/// connect(2) returns the same error for a socket that nobody serves and for a file of another type.
fn fault(place: &Place, is_socket: bool, is_default: bool, error: &io::Error) -> Finding {
    match error.kind() {
        ErrorKind::NotFound => {
            // A container may do without a log daemon, but a socket that is configured is wanted.
            let severity = if is_default {
                Severity::Doubtful
            } else {
                Severity::Wrong
            };
            let remedy = "start the log daemon; in a container, use rcron --verbose or mount the host's socket";
            Finding::new(
                severity,
                Kind::SyslogMissing,
                place,
                "the log socket does not exist",
                remedy,
            )
        }
        ErrorKind::ConnectionRefused if is_socket => {
            let remedy = "start the log daemon (rsyslog, syslog-ng, systemd-journald.socket)";
            Finding::wrong(Kind::SyslogDeaf, place, "no log daemon listens on the socket", remedy)
        }
        _ => {
            let what = format!("cannot connect to the log socket: {}", error_text(error));
            let remedy = "set syslog_socket to the socket of the log daemon; every user must be able to write to it";
            Finding::wrong(Kind::SyslogUnreachable, place, what, remedy)
        }
    }
}
