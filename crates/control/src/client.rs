//! rcronctl's end of the socket. Nothing here waits longer than it is told to, whatever listens at the other end.

use crate::{Request, Response};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// No answer is longer, in bytes: a thousand clusters of ten nodes are two million.
const LONGEST_ANSWER: usize = 16 << 20;

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// There is no such socket.
    NoSocket,
    /// The socket is there, but nobody listens: who made it has ended.
    Deaf,
    /// Nothing came in time.
    Late,
    /// The connection was closed before the answer was complete.
    Closed,
    /// What came is no answer, and why.
    Garbage(String),
    /// The system's error.
    System(io::Error),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSocket => out.write_str("there is no such socket"),
            Self::Deaf => out.write_str("nobody listens"),
            Self::Late => out.write_str("no answer in time"),
            Self::Closed => out.write_str("closed before an answer came"),
            Self::Garbage(why) => write!(out, "not rcrond's answer: {why}"),
            Self::System(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for NoAnswer {}

/// A connection to a daemon, for one request.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    /// What has been read beyond the last answer.
    ahead: Vec<u8>,
}

impl Connection {
    /// Connects; waits at most so long where the daemon is slow to accept.
    ///
    /// # Errors
    /// [`NoAnswer::NoSocket`], [`NoAnswer::Deaf`], [`NoAnswer::Late`], or the system's: no permission, no socket but
    /// another kind of file.
    pub fn open(path: &Path, limit: Duration) -> Result<Self, NoAnswer> {
        match connect(path, limit) {
            Ok(stream) => Ok(Self {
                stream,
                ahead: Vec::new(),
            }),
            Err(error) => Err(match error.kind() {
                ErrorKind::NotFound => NoAnswer::NoSocket,
                ErrorKind::ConnectionRefused if is_socket(path) => NoAnswer::Deaf,
                ErrorKind::ConnectionRefused => NoAnswer::System(io::Error::other("it is not a socket")),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => NoAnswer::Late,
                _ => NoAnswer::System(error),
            }),
        }
    }

    /// Sends the request; waits at most so long where the daemon does not read.
    ///
    /// # Errors
    /// [`NoAnswer::Late`], or the system's. A daemon that has closed the connection is none: it may have said why.
    pub fn ask(&mut self, request: &Request, limit: Duration) -> Result<(), NoAnswer> {
        let mut line = serde_json::to_vec(request).map_err(|error| NoAnswer::System(error.into()))?;
        line.push(b'\n');
        let sent = self
            .stream
            .set_write_timeout(Some(limit))
            .and_then(|()| self.stream.write_all(&line));
        match sent {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            sent => sent.map_err(no_answer),
        }
    }

    /// The next answer; waits until then at most.
    ///
    /// # Errors
    /// Any but those of connecting.
    pub fn answer(&mut self, deadline: Instant) -> Result<Response, NoAnswer> {
        let line = self.line(deadline)?;
        serde_json::from_slice(&line).map_err(|error| NoAnswer::Garbage(error.to_string()))
    }

    fn line(&mut self, deadline: Instant) -> Result<Vec<u8>, NoAnswer> {
        let mut searched = 0;
        let mut chunk = vec![0; 1 << 16];
        loop {
            if let Some(end) = self.ahead[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.ahead.split_off(searched + end + 1);
                return Ok(std::mem::replace(&mut self.ahead, rest));
            }
            searched = self.ahead.len();
            if searched > LONGEST_ANSWER {
                return Err(NoAnswer::Garbage(format!("a line of more than {LONGEST_ANSWER} bytes")));
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
                return Err(NoAnswer::Late);
            }
            let read = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(chunk));
            match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read.map_err(no_answer),
            }
        }
    }
}

/// Asks for one thing and waits for its last answer. The limit is for all of it.
///
/// # Errors
/// [`NoAnswer`] says what was missing.
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

/// connect(2) waits while the listener's queue is full, but not beyond the limit for sending.
fn connect(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_write_timeout(Some(limit))?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(OwnedFd::from(socket).into())
}

/// connect(2) says the same of a file that is none.
fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

fn no_answer(error: io::Error) -> NoAnswer {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => NoAnswer::Late,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => NoAnswer::Closed,
        _ => NoAnswer::System(error),
    }
}

#[cfg(test)]
mod tests;
