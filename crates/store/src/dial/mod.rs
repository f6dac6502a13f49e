//! Connects to a server. A connection whose other end vanishes is noticed by the kernel.

mod address;
mod bounded;
mod encryption;
mod lookup;
mod race;
mod stream;

pub(crate) use address::Address;
pub(crate) use bounded::{Bounded, Inspector, LONGEST_ANSWER};
pub(crate) use encryption::{Tls, connection_error};
pub(crate) use stream::Stream;

use crate::Error;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// A server must be able to do the same, so that it drops the connections of nodes that have vanished.
pub(crate) struct Keepalive {
    /// After this time without data the kernel asks whether the other end is still there.
    pub(crate) idle: Duration,
    /// The time between two such probes.
    pub(crate) interval: Duration,
    /// The connection ends after so many probes without an answer.
    pub(crate) probes: u32,
}

pub(crate) const KEEPALIVE: Keepalive = Keepalive {
    idle: Duration::from_secs(10),
    interval: Duration::from_secs(3),
    probes: 3,
};

/// The kernel ends a connection on which sent data were not acknowledged for this long.
const ACKNOWLEDGE: Duration = Duration::from_secs(15);

/// A configured server.
#[derive(Debug)]
pub(crate) struct Server {
    /// As it was configured: errors name it.
    pub(crate) name: String,
    pub(crate) address: Address,
}

impl Server {
    /// Connects without TLS.
    pub(crate) async fn connect_plain(&self) -> Result<Stream, Error> {
        let stream = match &self.address {
            Address::Tcp { host, port } => connect_tcp(host, *port).await.map(Stream::new),
            Address::Unix(path) => UnixStream::connect(path).await.map(Stream::new),
        };
        stream.map_err(|error| Error::unreachable(&error))
    }

    /// Connects, with TLS if it is configured. No network can listen to a socket in the file system, so there is no TLS.
    pub(crate) async fn connect(&self, tls: Option<&Tls>) -> Result<Stream, Error> {
        let stream = self.connect_plain().await?;
        match (tls, &self.address) {
            (Some(tls), Address::Tcp { host, .. }) => tls.wrap(host, stream).await,
            _ => Ok(stream),
        }
    }
}

async fn connect_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = race::connect(host, port).await?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE.idle)
        .with_interval(KEEPALIVE.interval)
        .with_retries(KEEPALIVE.probes);
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(ACKNOWLEDGE))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpSocket;

    #[tokio::test(flavor = "current_thread")]
    async fn a_port_without_a_listener_is_reported_at_once() {
        // The socket is bound but does not listen, so that no other program can take the port meanwhile.
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("bound");
        let name = socket.local_addr().expect("an address").to_string();
        let address = Address::parse(&name).expect("an address");
        let server = Server { name, address };
        let error = server.connect(None).await.err().expect("refused").to_string();
        assert!(error.starts_with("cannot connect: "), "{error}");
        assert!(error.contains("check that the server runs there"), "{error}");
    }
}
