//! Reports to systemd: sd_notify(3), a datagram to the socket that `NOTIFY_SOCKET` names.
//!
//! The crate sd-notify sends a blocking datagram. A service that must renew leases cannot wait for systemd.

use std::env;
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The socket; `None` if the service was started by hand.
pub(crate) struct Notify(Option<UnixDatagram>);

impl Notify {
    pub(crate) fn new() -> Self {
        Self(env::var_os("NOTIFY_SOCKET").and_then(|name| connect(&name.into_vec())))
    }

    /// `READY=1`, `STATUS=…`, `STOPPING=1`. A report that cannot be sent at once is dropped.
    pub(crate) fn send(&self, text: &str) {
        if let Some(socket) = &self.0 {
            let _ = socket.send(text.as_bytes());
        }
    }
}

fn connect(name: &[u8]) -> Option<UnixDatagram> {
    // `@` is written for the NUL of an abstract name: unix(7).
    let address = match name {
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest),
        _ => SocketAddr::from_pathname(OsStr::from_bytes(name)),
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect_addr(&address.ok()?).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_a_path_and_an_abstract_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        let name = format!("rcron-keepalived-test-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name).expect("a name");
        let listeners = [
            (
                UnixDatagram::bind(&path).expect("bound"),
                path.into_os_string().into_vec(),
            ),
            (
                UnixDatagram::bind_addr(&abstract_name).expect("bound"),
                format!("@{name}").into_bytes(),
            ),
        ];
        for (listener, name) in listeners {
            Notify(connect(&name)).send("READY=1");
            let mut bytes = [0; 32];
            let count = listener.recv(&mut bytes).expect("received");
            assert_eq!(&bytes[..count], b"READY=1");
        }
    }

    #[test]
    fn ignores_a_missing_socket() {
        Notify(connect(b"/nowhere/socket")).send("READY=1");
    }
}
