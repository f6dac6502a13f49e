//! The connection to rcrond for claims: `once_per_tick`. No operation on it ever waits for rcrond.

mod held;
mod wait;

pub(crate) use held::HeldClaim;
pub(crate) use wait::{Claiming, Waited};

use inputs::clock;
use policy::claim::wait::NotConnected;
use policy::claim::{Answer, Claim, LONGEST_LINE, Request};
use policy::config::Config;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;
use sys::output::error_text;
use sys::poll;
use sys::stream::Stream;

/// How long a dry run waits for rcrond's answer.
const ASKING: Duration = Duration::from_secs(1);
/// In bytes. A message is shorter as a rule.
const CHUNK: usize = 512;

/// A connection, and what has come of the next line.
struct Connection {
    stream: Stream,
    received: Vec<u8>,
}

/// What has come from rcrond.
enum Received {
    Answer(Answer),
    Nothing,
    /// The connection is closed or broken, or what has come is not a message.
    Closed,
}

impl Connection {
    fn open(config: &Config) -> io::Result<Self> {
        Stream::connect(&config.claim_socket).map(|stream| Self {
            stream,
            received: Vec::new(),
        })
    }

    /// Returns whether the request was sent.
    fn send(&self, request: &Request) -> bool {
        let mut line = request.line();
        line.push('\n');
        self.stream.send(line.as_bytes())
    }

    /// The next message, if it has come.
    fn receive(&mut self) -> Received {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                return Answer::parse(&line[..end]).map_or(Received::Closed, Received::Answer);
            }
            if self.received.len() > LONGEST_LINE {
                return Received::Closed;
            }
            let mut chunk = [0; CHUNK];
            match self.stream.receive(&mut chunk) {
                Ok(0) => return Received::Closed,
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Received::Nothing,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Received::Closed,
            }
        }
    }

    /// Waits for a message, at most for `patience`. `None` if there is none, or the connection is closed.
    fn receive_within(&mut self, patience: Duration) -> Option<Answer> {
        let given_up_at = clock::boot_time().after(patience);
        loop {
            match self.receive() {
                Received::Answer(answer) => return Some(answer),
                Received::Closed => return None,
                Received::Nothing => {}
            }
            let remaining = given_up_at.since(clock::boot_time());
            if remaining.is_zero() {
                return None;
            }
            poll::until_ready(&[self.as_fd()], Some(remaining));
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn why_not(error: &io::Error) -> NotConnected {
    match error.kind() {
        ErrorKind::WouldBlock => NotConnected::Full,
        _ => NotConnected::Absent,
    }
}

/// For a dry run: asks rcrond what it would answer to the claim.
///
/// # Errors
/// Why there is no answer.
pub(crate) fn ask(config: &Config, claim: Claim) -> Result<Answer, String> {
    let mut connection = Connection::open(config).map_err(|error| error_text(&error))?;
    if !connection.send(&Request::Ask(claim)) {
        return Err("it has closed the connection".to_owned());
    }
    let answer = connection.receive_within(ASKING);
    answer.ok_or_else(|| "it does not answer".to_owned())
}
