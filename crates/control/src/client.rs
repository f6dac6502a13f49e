//! The client's end of the socket. No function waits longer than its limit, whatever program listens at the other end.

use crate::{Request, Response};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// In bytes. The report of a thousand clusters of ten nodes is two million bytes long.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// The reason why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// The path does not exist.
    NoSocket,
    /// The socket exists, but the process that created it no longer listens.
    NotListening,
    /// The limit has passed.
    TimedOut,
    /// The connection was closed before the answer was complete.
    Closed,
    /// The other end sent something other than an answer of rcrond.
    Invalid(InvalidAnswer),
    /// A system call failed.
    System(io::Error),
}

/// What is wrong with an answer.
#[derive(Debug)]
pub enum InvalidAnswer {
    /// It is not JSON, or not a [`Response`].
    Json(serde_json::Error),
    /// It is longer than any answer of rcrond.
    TooLong,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSocket => out.write_str("there is no such socket"),
            Self::NotListening => out.write_str("no process listens on the socket"),
            Self::TimedOut => out.write_str("no answer in time"),
            Self::Closed => out.write_str("the connection was closed before the answer was complete"),
            Self::Invalid(error) => write!(out, "not an answer of rcrond: {error}"),
            Self::System(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for NoAnswer {}

impl fmt::Display for InvalidAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(out),
            Self::TooLong => write!(out, "a line of more than {MAX_ANSWER_BYTES} bytes"),
        }
    }
}

/// A connection to a daemon, for one request.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    /// Bytes that were read after the end of the last answer.
    ahead: Vec<u8>,
}

impl Connection {
    /// Connects. The limit matters if the daemon does not accept connections.
    ///
    /// # Errors
    /// [`NoAnswer::NoSocket`], [`NoAnswer::NotListening`], [`NoAnswer::TimedOut`]; or [`NoAnswer::System`], for instance
    /// without permission, or if the file is not a socket.
    pub fn open(path: &Path, limit: Duration) -> Result<Self, NoAnswer> {
        match connect(path, limit) {
            Ok(stream) => Ok(Self {
                stream,
                ahead: Vec::new(),
            }),
            Err(error) => Err(match error.kind() {
                ErrorKind::NotFound => NoAnswer::NoSocket,
                ErrorKind::ConnectionRefused if is_socket(path) => NoAnswer::NotListening,
                ErrorKind::ConnectionRefused => NoAnswer::System(io::Error::other("it is not a socket")),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => NoAnswer::TimedOut,
                _ => NoAnswer::System(error),
            }),
        }
    }

    /// Sends the request. The limit matters if the daemon does not read.
    ///
    /// # Errors
    /// [`NoAnswer::TimedOut`] or [`NoAnswer::System`]. It is not an error if the daemon has closed the connection already: its
    /// answer may say why.
    pub fn ask(&mut self, request: &Request, limit: Duration) -> Result<(), NoAnswer> {
        let mut line = serde_json::to_vec(request).map_err(|error| NoAnswer::System(error.into()))?;
        line.push(b'\n');
        let sent = self
            .stream
            .set_write_timeout(Some(limit))
            .and_then(|()| self.stream.write_all(&line));
        match sent {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            sent => sent.map_err(from_io),
        }
    }

    /// Reads the next answer.
    ///
    /// # Errors
    /// Each kind except those of connecting.
    pub fn answer(&mut self, deadline: Instant) -> Result<Response, NoAnswer> {
        let line = self.read_line(deadline)?;
        serde_json::from_slice(&line).map_err(|error| NoAnswer::Invalid(InvalidAnswer::Json(error)))
    }

    fn read_line(&mut self, deadline: Instant) -> Result<Vec<u8>, NoAnswer> {
        let mut searched = 0;
        let mut chunk = vec![0; 1 << 16];
        loop {
            if let Some(end) = self.ahead[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.ahead.split_off(searched + end + 1);
                return Ok(std::mem::replace(&mut self.ahead, rest));
            }
            searched = self.ahead.len();
            if searched > MAX_ANSWER_BYTES {
                return Err(NoAnswer::Invalid(InvalidAnswer::TooLong));
            }
            match self.read(&mut chunk, deadline)? {
                0 => return Err(NoAnswer::Closed),
                count => self.ahead.extend_from_slice(&chunk[..count]),
            }
        }
    }

    fn read(&mut self, chunk: &mut [u8], deadline: Instant) -> Result<usize, NoAnswer> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoAnswer::TimedOut);
            }
            let read = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(chunk));
            match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read.map_err(from_io),
            }
        }
    }
}

/// Connects, sends the request and waits for the last answer. The limit applies to all of this together.
///
/// # Errors
/// Each kind of [`NoAnswer`].
pub fn ask(path: &Path, request: &Request, limit: Duration) -> Result<Response, NoAnswer> {
    let deadline = Instant::now() + limit;
    let mut connection = Connection::open(path, limit)?;
    connection.ask(request, limit)?;
    loop {
        let answer = connection.answer(deadline)?;
        if answer.is_last() {
            return Ok(answer);
        }
    }
}

/// While the listener's queue is full, connect(2) waits, but no longer than the socket's send timeout: unix(7).
fn connect(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_write_timeout(Some(limit))?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(OwnedFd::from(socket).into())
}

/// connect(2) fails with ECONNREFUSED both for a socket without a listener and for a file that is not a socket.
fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

fn from_io(error: io::Error) -> NoAnswer {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => NoAnswer::TimedOut,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => NoAnswer::Closed,
        _ => NoAnswer::System(error),
    }
}

#[cfg(test)]
mod tests;
