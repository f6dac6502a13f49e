//! From a configured address to a stream of bytes.

use super::trouble::trouble;
use crate::{Failure, tls};
use rustls::ClientConfig;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// After this time without an answer, the next of a name's addresses is tried beside those before it (as RFC 8305 says).
const HEAD_START: Duration = Duration::from_millis(250);

/// TCP, or TLS over it.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// How to speak TLS.
#[derive(Clone)]
pub(super) struct Tls {
    settings: tls::Settings,
    config: Arc<ClientConfig>,
}

impl Tls {
    pub(super) fn new(settings: tls::Settings) -> Result<Self, Failure> {
        let mut config = tls::client(&settings)?;
        Arc::make_mut(&mut config).alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { settings, config })
    }
}

/// Connects to `HOST:PORT`.
pub(super) async fn dial(server: &str, tls: Option<&Tls>) -> Result<Box<dyn Bytes>, Failure> {
    let stream = tcp(server)
        .await
        .map_err(|error| trouble(server, format_args!("cannot connect: {error}"), tcp_help(&error)))?;
    // Our messages are small, and somebody waits for each.
    stream.set_nodelay(true).map_err(|error| Failure::new(server, error))?;
    let Some(tls) = tls else {
        return Ok(Box::new(stream));
    };
    let name = tls::server_name(&tls.settings, host(server)).map_err(|failure| Failure {
        server: server.to_owned(),
        ..failure
    })?;
    let stream = TlsConnector::from(Arc::clone(&tls.config)).connect(name, stream).await;
    let stream = stream.map_err(|error| trouble(server, format_args!("TLS: {error}"), tls::help(&error)))?;
    Ok(Box::new(stream))
}

async fn tcp(server: &str) -> io::Result<TcpStream> {
    first_of(lookup_host(server).await?).await
}

/// Each of a name's addresses in turn, without waiting for one that is silent.
async fn first_of(mut addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut refusal = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(TcpStream::connect(address));
        } else if attempts.is_empty() {
            return Err(refusal);
        }
        if let Ok(Some(ended)) = timeout(HEAD_START, attempts.join_next()).await {
            match ended? {
                Ok(stream) => return Ok(stream),
                Err(error) => refusal = error,
            }
        }
    }
}

/// The host of `HOST:PORT`; an IPv6 address without its brackets.
fn host(server: &str) -> &str {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn tcp_help(error: &io::Error) -> Option<&'static str> {
    (error.kind() == io::ErrorKind::ConnectionRefused)
        .then_some("does etcd run there, and is this its client port (2379, unless configured otherwise)?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpSocket};

    #[test]
    fn a_host_has_no_port_and_no_brackets() {
        assert_eq!(host("etcd1.example:2379"), "etcd1.example");
        assert_eq!(host("192.0.2.1:2379"), "192.0.2.1");
        assert_eq!(host("[2001:db8::1]:2379"), "2001:db8::1");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_port_where_nobody_listens_is_told_at_once() {
        // Bound but not listening: nobody else can take it meanwhile.
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("bound");
        let server = socket.local_addr().expect("an address").to_string();
        let told = dial(&server, None).await.err().expect("refused").to_string();
        assert!(told.starts_with(&format!("{server}: cannot connect: ")), "{told}");
        assert!(told.contains("does etcd run there"), "{told}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_address_that_is_silent_does_not_hold_up_the_next() {
        let local = "127.0.0.1:0".parse().expect("an address");
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(local).expect("bound");
        let listener = socket.listen(1).expect("listening");
        let silent = listener.local_addr().expect("an address");
        // Nobody accepts: when its queue is full the kernel does not answer any more.
        let mut queue = Vec::new();
        while let Ok(stream) = timeout(HEAD_START, TcpStream::connect(silent)).await {
            queue.push(stream.expect("queued"));
        }
        let other = TcpListener::bind(local).await.expect("listening");
        let good = other.local_addr().expect("an address");
        let stream = first_of([silent, good].into_iter()).await.expect("connected");
        assert_eq!(stream.peer_addr().expect("connected"), good);
    }
}
