//! Whether anybody takes rcron's log lines. Nothing is sent, and a full queue is not waited for.

use super::configuration::Cluster;
use super::finding::{Finding, Group, Kind, Place, Report, Severity};
use super::root::Root;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use sys::output::error_text;
use sys::syslog::Syslog;

const DEFAULT: &[u8] = b"/dev/log";

pub(crate) fn check(root: &Root, cluster: &Cluster, report: &mut Report) {
    let socket = &cluster.config.syslog_socket;
    let path = Path::new(OsStr::from_bytes(socket));
    let Ok(located) = root.locate(path) else { return };
    let place = Place::file(&located.outside);
    let error = match Syslog::new(located.outside.clone().into_os_string()).probe() {
        Ok(()) => {
            report.saw(Group::Log, format!("{place}: somebody listens"));
            return;
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            report.saw(Group::Log, format!("{place}: its queue is full at the moment"));
            return;
        }
        Err(error) => error,
    };
    let finding = match error.kind() {
        ErrorKind::NotFound => {
            // A container without a log daemon is none the worse; but who names a socket wants it.
            let severity = if socket == DEFAULT {
                Severity::Doubtful
            } else {
                Severity::Wrong
            };
            let what = "there is no log socket: rcron's lines go nowhere";
            let remedy = "start the log daemon; in a container, use rcron --verbose or mount the host's socket";
            Finding::new(severity, Kind::SyslogMissing, place, what, remedy)
        }
        ErrorKind::ConnectionRefused if is_socket(&located.outside) => {
            let remedy = "start the log daemon (rsyslog, syslog-ng, systemd-journald.socket)";
            Finding::wrong(
                Kind::SyslogDeaf,
                place,
                "nobody listens: rcron's lines are lost",
                remedy,
            )
        }
        _ => {
            let what = format!("the log socket cannot be reached: {}", error_text(&error));
            let remedy = "name the log daemon's socket as syslog_socket; every user must be able to write it";
            Finding::wrong(Kind::SyslogUnreachable, place, what, remedy)
        }
    };
    report.add(finding);
}

/// connect(2) says the same of a file that is none.
fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}
