//! Packets: 3 bytes of length, a number, and a body. A request is one packet or, if it is longer, several; an answer is one or
//! more. Everything that a server sends has a limit, which is checked as soon as a length is announced.

use super::answer::ERROR;
use super::error::Error;
use crate::dial::{LONGEST_ANSWER, connection_error};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest packet of an answer, in bytes. The longest are rows with the value of a record.
const LONGEST_PACKET: usize = 1 << 20;
/// How many packets an answer may have. Each row of a read is one.
const MOST_PACKETS: usize = 10_000;
/// A body of this length continues in the next packet.
const FULL: usize = 0xff_ffff;

/// One direction after the other: a request, and then the whole of its answer.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    /// The number of the next packet, in either direction.
    number: u8,
    /// How many bytes, and how many packets, the answer may still have.
    bytes_left: usize,
    packets_left: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// The server begins.
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            number: 0,
            bytes_left: LONGEST_ANSWER,
            packets_left: MOST_PACKETS,
        }
    }

    /// Continues over another transport: TLS over this one. No byte of the plain text is buffered, so that none which was sent
    /// before the handshake can be taken for one that was sent over TLS.
    pub(super) async fn upgraded<T, F>(self, upgrade: impl FnOnce(S) -> F) -> Result<Wire<T>, crate::Error>
    where
        F: Future<Output = Result<T, crate::Error>>,
    {
        Ok(Wire {
            stream: upgrade(self.stream).await?,
            number: self.number,
            bytes_left: self.bytes_left,
            packets_left: self.packets_left,
        })
    }

    /// Receives the next packet of an answer.
    pub(super) async fn receive(&mut self) -> Result<Vec<u8>, crate::Error> {
        let mut header = [0; 4];
        self.fill(&mut header).await?;
        let length = usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
        let is_next = header[3] == self.number;
        if !is_next && header[3] != 0 {
            return Err(Error::NotMariaDb.into());
        }
        self.number = self.number.wrapping_add(1);
        self.packets_left = self
            .packets_left
            .checked_sub(1)
            .ok_or(Error::TooManyPackets(MOST_PACKETS))?;
        let what_and_limit = [("a packet", LONGEST_PACKET), ("an answer", self.bytes_left)];
        if let Some((what, _)) = what_and_limit.into_iter().find(|(_, limit)| length > *limit) {
            let limit = if what == "a packet" {
                LONGEST_PACKET
            } else {
                LONGEST_ANSWER
            };
            return Err(crate::Error::TooLong { what, limit });
        }
        self.bytes_left -= length;
        let mut body = vec![0; length];
        self.fill(&mut body).await?;
        // A server that ends a connection says why before it is asked. The number of this packet is 0.
        if is_next || body.first() == Some(&ERROR) {
            Ok(body)
        } else {
            Err(Error::NotMariaDb.into())
        }
    }

    async fn fill(&mut self, into: &mut [u8]) -> Result<(), crate::Error> {
        let read = self.stream.read_exact(into).await;
        read.map(drop).map_err(|error| connection_error(&error))
    }

    /// Sends a packet that continues the exchange, for example a part of the log-in.
    pub(super) async fn send(&mut self, body: &[u8]) -> Result<(), crate::Error> {
        let mut all = Vec::with_capacity(body.len() + 8);
        let mut rest = body;
        loop {
            let (part, others) = rest.split_at(rest.len().min(FULL));
            let length = u32::try_from(part.len()).unwrap_or_default().to_le_bytes();
            all.extend_from_slice(&length[..3]);
            all.push(self.number);
            all.extend_from_slice(part);
            self.number = self.number.wrapping_add(1);
            rest = others;
            if part.len() < FULL {
                break;
            }
        }
        let sent = async {
            self.stream.write_all(&all).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| connection_error(&error))
    }

    /// Sends the first packet of a request, whose answer may have the full length.
    pub(super) async fn request(&mut self, body: &[u8]) -> Result<(), crate::Error> {
        self.number = 0;
        self.bytes_left = LONGEST_ANSWER;
        self.packets_left = MOST_PACKETS;
        self.send(body).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// What a client sends, and what it receives of it.
    async fn sent(body: Vec<u8>) -> Vec<u8> {
        let mut wire = Wire::new(Cursor::new(Vec::new()));
        wire.request(&body).await.expect("sent");
        wire.stream.into_inner()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn long_requests_are_several_packets() {
        assert_eq!(sent(b"abc".to_vec()).await, b"\x03\0\0\0abc");
        let exact = sent(vec![0; FULL]).await;
        assert_eq!(&exact[..4], b"\xff\xff\xff\0");
        assert_eq!(&exact[4 + FULL..], b"\0\0\0\x01");
        let longer = sent(vec![0; FULL + 2]).await;
        assert_eq!(&longer[4 + FULL..], b"\x02\0\0\x01\0\0");
    }

    async fn received(bytes: &[u8]) -> Result<Vec<u8>, crate::Error> {
        Wire::new(Cursor::new(bytes.to_vec())).receive().await
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_answer_is_checked_before_its_bytes_come() {
        assert_eq!(received(b"\x02\0\0\0ok").await.expect("whole"), b"ok");
        let error = received(b"\x01\0\x10\0").await.expect_err("too long");
        assert!(error.what().contains("a packet of more than 1048576 bytes"), "{error}");
        let error = received(b"\x02\0\0\x01ok").await.expect_err("another number");
        assert!(error.what().contains("not a packet"), "{error}");
        assert!(received(b"\x02\0\0\0o").await.is_err());
    }
}
