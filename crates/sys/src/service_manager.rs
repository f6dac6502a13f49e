//! Notifications for the service manager: sd_notify(3), a datagram to the socket that `NOTIFY_SOCKET` names.
//!
//! The crate sd-notify waits for a manager that does not read. A service that must renew leases cannot.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Whether the process was started by a service manager that expects notifications.
#[must_use]
pub fn is_present() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// Sends `READY=1`, `STATUS=…` or the like; several assignments, each on a line of its own, are one message. If the socket is full, waits
/// at most for `patience`. Does nothing if the service was started by hand.
///
/// # Errors
/// The system's: there is no such socket, or it stayed full.
pub fn notify(message: &str, patience: Duration) -> io::Result<()> {
    match env::var_os("NOTIFY_SOCKET") {
        Some(socket) => send(&socket, message, patience),
        None => Ok(()),
    }
}

fn send(socket: &OsStr, message: &str, patience: Duration) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    if patience.is_zero() {
        sender.set_nonblocking(true)?;
    } else {
        sender.set_write_timeout(Some(patience))?;
    }
    sender.connect_addr(&address(socket)?)?;
    sender.send(message.as_bytes())?;
    Ok(())
}

/// A path or, after `@`, a name in the abstract namespace: unix(7).
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(socket),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_a_path_and_an_abstract_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        let name = format!("rcron-sys-test-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name).expect("a name");
        let listeners = [
            (UnixDatagram::bind(&path).expect("bound"), path.into_os_string()),
            (
                UnixDatagram::bind_addr(&abstract_name).expect("bound"),
                format!("@{name}").into(),
            ),
        ];
        for (listener, name) in listeners {
            send(&name, "READY=1", Duration::ZERO).expect("sent");
            let mut bytes = [0; 32];
            let count = listener.recv(&mut bytes).expect("received");
            assert_eq!(&bytes[..count], b"READY=1");
        }
    }

    #[test]
    fn does_not_wait_for_a_manager_that_does_not_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        let _listener = UnixDatagram::bind(&path).expect("bound");
        let send = |patience| send(path.as_os_str(), "READY=1", patience);
        while send(Duration::ZERO).is_ok() {}
        for patience in [Duration::ZERO, Duration::from_millis(1)] {
            let error = send(patience).expect_err("it is full");
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn reports_a_missing_socket() {
        assert!(send(OsStr::new("/nowhere/socket"), "READY=1", Duration::ZERO).is_err());
    }
}
