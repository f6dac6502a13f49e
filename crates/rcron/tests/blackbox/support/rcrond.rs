//! rcrond's side of the socket for claims, in the hand of a test.

use super::until;
use policy::claim::wait::RETRY;
use policy::claim::{Answer, Claim, Ended, Grant, Held, Over, OverReason, Request, Wait, WaitReason};
use policy::moment::BootTime;
use policy::tick::TickTime;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use testing::wait::DEADLINE;

/// The tick of all grants here: 2026-12-01T03:00:00Z.
pub(crate) const TICK: TickTime = TickTime(1_796_094_000);

/// A listening rcrond. Dropping it is its death: its socket file stays behind.
pub(crate) struct FakeRcrond {
    listener: UnixListener,
    path: PathBuf,
}

/// A connection of an rcron. Dropping it closes it.
pub(crate) struct Client(BufReader<UnixStream>);

impl FakeRcrond {
    /// Replaces an older socket file, as a new rcrond does.
    pub(crate) fn start(path: &Path) -> Self {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).expect("bound");
        listener.set_nonblocking(true).expect("set");
        Self {
            listener,
            path: path.to_owned(),
        }
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Client {
        until("a connection of rcron", || self.try_accept())
    }

    /// Dies, and another one starts.
    pub(crate) fn restart(self) -> Self {
        let path = self.path.clone();
        drop(self);
        Self::start(&path)
    }

    pub(crate) fn try_accept(&self) -> Option<Client> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("set");
                stream.set_read_timeout(Some(DEADLINE)).expect("set");
                Some(Client(BufReader::new(stream)))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next connection, and the claim on it.
    pub(crate) fn claimed(&self) -> (Client, Claim) {
        let mut client = self.accept();
        match client.request() {
            Some(Request::Claim(claim)) => (client, claim),
            other => panic!("{other:?}"),
        }
    }

    /// The next connection, and the run that holds a grant.
    pub(crate) fn held(&self) -> (Client, Held) {
        let mut client = self.accept();
        match client.request() {
            Some(Request::Held(held)) => (client, held),
            other => panic!("{other:?}"),
        }
    }
}

impl Client {
    /// The next request; `None` if rcron has closed the connection.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let mut line = Vec::new();
        match self.0.read_until(b'\n', &mut line) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error}"),
        }
        let request = line.strip_suffix(b"\n").and_then(Request::parse);
        Some(request.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&line))))
    }

    pub(crate) fn ended(&mut self) -> Ended {
        match self.request() {
            Some(Request::Ended(ended)) => ended,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn not_started(&mut self) -> String {
        match self.request() {
            Some(Request::NotStarted { why }) => why,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn answer(&mut self, answer: &Answer) {
        self.send(format!("{}\n", answer.line()).as_bytes());
    }

    /// Sends bytes. That rcron has closed the connection meanwhile is no error.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// Grants the first attempt of [`TICK`] for an hour, with this lease.
    pub(crate) fn grant(&mut self, lease: &str) {
        self.answer(&grant(lease, 3600.0));
    }

    pub(crate) fn wait(&mut self, seconds: f64, reason: WaitReason, by: Option<&str>) {
        self.answer(&Answer::Wait(Wait {
            until: boot(seconds),
            tick: Some(TICK),
            reason,
            by: by.map(str::to_owned),
        }));
    }

    pub(crate) fn over(&mut self, reason: OverReason, by: Option<&str>) {
        self.answer(&Answer::Over(Over {
            reason,
            by: by.map(str::to_owned),
            tick: Some(TICK),
            ended: None,
        }));
    }
}

/// A grant of the first attempt of [`TICK`] with this lease, to be used within these seconds.
pub(crate) fn grant(lease: &str, seconds: f64) -> Answer {
    Answer::Grant(Grant {
        tick: TICK,
        attempt: 1,
        start_by: boot(seconds),
        lease: lease.to_owned(),
    })
}

/// A moment so many seconds from now.
pub(crate) fn boot(seconds: f64) -> BootTime {
    BootTime(Duration::from_secs_f64(super::lease::now() + seconds))
}

/// Longer than rcron pauses between two tries to connect.
pub(crate) const SEVERAL_RETRIES: Duration = RETRY.saturating_mul(3);
