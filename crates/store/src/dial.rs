//! A way to a server: an address becomes a stream of bytes whose other end is noticed when it is gone.

mod race;

use crate::{Failure, tls};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// After this long without a word the kernel asks whether the other side is still there, ...
pub(crate) const QUIET: Duration = Duration::from_secs(10);
/// ... so many times, ...
pub(crate) const ASKS: u32 = 3;
/// ... this long apart. With [`LOST`] this ends what hangs on a connection whose other side has vanished.
pub(crate) const APART: Duration = Duration::from_secs(3);
/// What was sent and not acknowledged for this long never will be.
const LOST: Duration = Duration::from_secs(15);

/// Bytes both ways. A type with a name: what a client's library makes of `Box<dyn ...>` could not be sent to a task.
pub(crate) struct Stream(Box<dyn Bytes>);

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    /// `HOST:PORT`, an IPv6 address in brackets, or a path that begins with `/`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        let parts = text.rsplit_once(':').and_then(|(host, port)| {
            let port = port.parse().ok().filter(|port| *port != 0)?;
            Some((bare(host)?, port))
        });
        let (host, port) = parts.ok_or_else(|| {
            Failure::new(text, "not a server's address")
                .with_help("write HOST:PORT, [IPV6]:PORT, or a path beginning with /")
        })?;
        Ok(Self::Tcp {
            host: host.to_owned(),
            port,
        })
    }

    /// Connects, without TLS.
    pub(crate) async fn reach(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp { host, port } => {
                let stream = race::connect(host, *port).await?;
                attend(&stream)?;
                Ok(Stream(Box::new(stream)))
            }
            Self::Unix(path) => Ok(Stream(Box::new(UnixStream::connect(path).await?))),
        }
    }
}

/// A host without the brackets that only IPv6 addresses have, and must have.
fn bare(host: &str) -> Option<&str> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().ok().map(|_| address),
        None => (!host.is_empty() && !host.contains([':', '[', ']', '/', ' '])).then_some(host),
    }
}

fn attend(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(QUIET)
        .with_interval(APART)
        .with_retries(ASKS);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(LOST))
}

/// TLS as it was configured, made ready once.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    settings: tls::Settings,
    pub(crate) config: Arc<ClientConfig>,
}

impl Tls {
    pub(crate) fn new(settings: &tls::Settings) -> Result<Self, Failure> {
        Ok(Self {
            settings: settings.clone(),
            config: tls::client(settings)?,
        })
    }

    /// Says in the handshake which protocol is meant (ALPN, RFC 7301).
    pub(crate) fn speaking(mut self, protocol: &[u8]) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols = vec![protocol.to_vec()];
        self
    }

    /// The name that the certificate of the server at `host` must bear.
    pub(crate) fn name(&self, server: &str, host: &str) -> Result<ServerName<'static>, Failure> {
        tls::server_name(&self.settings, host).map_err(|failure| Failure {
            server: server.to_owned(),
            ..failure
        })
    }

    /// Shakes hands with the server at `host`.
    pub(crate) async fn wrap(&self, server: &str, host: &str, stream: Stream) -> Result<Stream, Failure> {
        let name = self.name(server, host)?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Stream(Box::new(stream))),
            Err(error) => Err(handshake(server, &error)),
        }
    }
}

/// A connection that broke. With TLS 1.3 a server that wants a client's certificate says so only when it is first asked for something.
pub(crate) fn broke(server: &str, error: &io::Error) -> Failure {
    if error
        .get_ref()
        .is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some())
    {
        return handshake(server, error);
    }
    Failure::new(server, format_args!("the connection broke: {error}"))
}

/// A handshake that failed.
fn handshake(server: &str, error: &io::Error) -> Failure {
    let failure = Failure::new(server, format_args!("TLS: {error}"));
    match tls::help(error) {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

/// An address that could not be reached.
pub(crate) fn unreached(server: &str, error: &io::Error) -> Failure {
    Failure::new(server, format_args!("cannot connect: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn addresses_are_names_numbers_and_paths() {
        assert_eq!(Address::parse("db.example:5432"), Ok(tcp("db.example", 5432)));
        assert_eq!(Address::parse("192.0.2.1:1"), Ok(tcp("192.0.2.1", 1)));
        assert_eq!(Address::parse("[2001:db8::1]:6379"), Ok(tcp("2001:db8::1", 6379)));
        assert_eq!(Address::parse("/run/x"), Ok(Address::Unix("/run/x".into())));
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_word_on_how_to_write_one() {
        for wrong in [
            "",
            "db",
            "db:",
            "db:0",
            "db:65536",
            ":5432",
            "::1:5432",
            "[::1]",
            "[db]:1",
            "a b:1",
            "redis://db:1",
        ] {
            let failure = Address::parse(wrong).expect_err(wrong);
            assert!(failure.to_string().contains("HOST:PORT"), "{failure}");
        }
    }
}
