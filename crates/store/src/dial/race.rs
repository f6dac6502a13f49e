//! Connects to a name that has several addresses.

use super::lookup::look_up;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// After this time without an answer, the name's next address is tried as well. It is the shortest that RFC 8305 allows,
/// because a call has no more than 250 ms with a short lease.
const HEAD_START: Duration = Duration::from_millis(100);

/// Connects to the name's first address that answers.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    first_of(look_up(host, port).await?.into_iter()).await
}

/// Tries the addresses in turn. One that does not answer does not hold up the next.
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpSocket};

    #[tokio::test(flavor = "current_thread")]
    async fn a_silent_address_does_not_hold_up_the_next() {
        let local = "127.0.0.1:0".parse().expect("an address");
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(local).expect("bound");
        let listener = socket.listen(1).expect("listening");
        let silent = listener.local_addr().expect("an address");
        // No program accepts connections here. When the queue is full, the kernel no longer answers.
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
