//! From a configured address to a stream of bytes.

use super::trouble::trouble;
use crate::Failure;
use crate::dial::{Address, Stream, Tls};
use std::io;

/// Connects to `HOST:PORT`.
pub(super) async fn dial(server: &str, tls: Option<&Tls>) -> Result<Stream, Failure> {
    let address = Address::parse(server)?;
    let stream = address
        .reach()
        .await
        .map_err(|error| trouble(server, format_args!("cannot connect: {error}"), help(&error)))?;
    match (tls, &address) {
        (Some(tls), Address::Tcp { host, .. }) => tls.wrap(server, host, stream).await,
        _ => Ok(stream),
    }
}

fn help(error: &io::Error) -> Option<&'static str> {
    (error.kind() == io::ErrorKind::ConnectionRefused)
        .then_some("does etcd run there, and is this its client port (2379, unless configured otherwise)?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpSocket;

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
}
