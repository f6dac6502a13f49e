//! A limit for what a server sends. A server that is hostile or damaged, or another program at its address, must not fill this
//! process's memory: the libraries of the protocols collect an answer as a whole, whatever its length.

use crate::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest answer to one request, in bytes. A hundred values of the greatest length fit.
pub(crate) const LONGEST_ANSWER: usize = 8 << 20;

/// Looks at what a server sends before the protocol's library does.
pub(crate) trait Inspector: Send + Unpin {
    /// Bytes have come. They may begin or end in the middle of a message.
    fn received(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// A request is being sent, so the answer to the last one is over.
    fn requested(&mut self);
}

/// A connection that fails when an answer is too long, or when its inspector refuses the answer.
pub(crate) struct Bounded<S, I> {
    stream: S,
    inspector: I,
    /// How many bytes the answer may still have.
    left: usize,
    refused: Option<Error>,
}

impl<S, I: Inspector> Bounded<S, I> {
    pub(crate) const fn new(stream: S, inspector: I) -> Self {
        Self {
            stream,
            inspector,
            left: LONGEST_ANSWER,
            refused: None,
        }
    }

    pub(crate) const fn stream(&self) -> &S {
        &self.stream
    }

    fn check(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(Error::TooLong {
            what: "an answer",
            limit: LONGEST_ANSWER,
        })?;
        self.inspector.received(bytes)
    }
}

impl<S: AsyncRead + Unpin, I: Inspector> AsyncRead for Bounded<S, I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.refused.is_none() {
            let before = into.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
            self.refused = self.check(&into.filled()[before..]).err();
            if self.refused.is_some() {
                into.set_filled(before);
            }
        }
        let refused = self.refused.clone().map(io::Error::other);
        Poll::Ready(refused.map_or(Ok(()), Err))
    }
}

impl<S: AsyncWrite + Unpin, I: Inspector> AsyncWrite for Bounded<S, I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.left = LONGEST_ANSWER;
        self.inspector.requested();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
