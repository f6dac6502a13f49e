//! A log daemon that counts lines, in a process and a session of its own.
//!
//! If the kernel shares the processor between sessions (sched(7), autogroup), a thousand busy processes cannot keep the daemon from
//! reading; on a real server, systemd's groups for cron and the log daemon have the same effect.

use crate::Result;
use crate::running::Running;
use crate::wait::{DEADLINE, until};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::setsid;
use std::env;
use std::ffi::OsStr;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes this program the daemon. Not for users.
pub(crate) const DAEMON_OPTION: &str = "log-daemon";

const QUESTION: &[u8] = b"count";

/// Numbers of received lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) ignored: usize,
    pub(crate) started: usize,
    pub(crate) ended: usize,
    pub(crate) demoted: usize,
    /// The sum of `lost=` in the received lines.
    pub(crate) lost: usize,
}

/// The running daemon, and the socket to ask it.
pub(crate) struct LogDaemon {
    asker: UnixDatagram,
    /// Killed at the end.
    _process: Running,
}

impl LogDaemon {
    /// The daemon listens at `path`, and answers to `reply`.
    pub(crate) fn start(path: &Path, reply: &Path) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(format!("--{DAEMON_OPTION}")).arg(path).stdin(Stdio::null());
        let process = Running::start(&mut command)?;
        let asker = UnixDatagram::bind(reply)?;
        asker.set_read_timeout(Some(DEADLINE))?;
        asker.set_write_timeout(Some(DEADLINE))?;
        until("the log daemon", || Ok(asker.connect(path).ok()))?;
        Ok(Self {
            asker,
            _process: process,
        })
    }

    /// Counts all lines that were sent before this call: the kernel keeps their order.
    pub(crate) fn count(&self) -> Result<Count> {
        self.asker.send(QUESTION)?;
        let mut answer = [0; 200];
        let length = self.asker.recv(&mut answer)?;
        Count::parse(std::str::from_utf8(&answer[..length])?)
    }
}

/// Runs the daemon. It is killed when its parent ends.
pub(crate) fn be_daemon(path: &OsStr) -> Result<()> {
    set_pdeathsig(Signal::SIGTERM)?;
    setsid()?;
    let socket = UnixDatagram::bind(path)?;
    let mut count = Count::default();
    let mut buffer = [0; 4096]; // of a longer line, the part that is cut off does not matter here
    loop {
        let (length, sender) = socket.recv_from(&mut buffer)?;
        match sender.as_pathname() {
            Some(asker) if &buffer[..length] == QUESTION => {
                socket.send_to(count.to_text().as_bytes(), asker)?;
            }
            _ => count.take(&buffer[..length]),
        }
    }
}

impl Count {
    /// The difference to an earlier count.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            ignored: self.ignored - before.ignored,
            started: self.started - before.started,
            ended: self.ended - before.ended,
            demoted: self.demoted - before.demoted,
            lost: self.lost - before.lost,
        }
    }

    /// `… state=active status=start … cmd=…`
    fn take(&mut self, datagram: &[u8]) {
        for word in datagram.split(|byte| *byte == b' ') {
            match word {
                b"status=ignore" => self.ignored += 1,
                b"status=start" => self.started += 1,
                b"status=ok" | b"status=fail" => self.ended += 1,
                b"reason=demoted" => self.demoted += 1,
                // The job's own words follow.
                _ if word.starts_with(b"cmd=") => return,
                _ => self.lost += lost(word),
            }
        }
    }

    fn to_text(self) -> String {
        let numbers = [self.ignored, self.started, self.ended, self.demoted, self.lost];
        numbers.map(|number| number.to_string()).join(" ")
    }

    fn parse(text: &str) -> Result<Self> {
        let numbers = text
            .split(' ')
            .map(str::parse)
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let [ignored, started, ended, demoted, lost] = numbers[..] else {
            return Err("the log daemon does not answer".into());
        };
        Ok(Self {
            ignored,
            started,
            ended,
            demoted,
            lost,
        })
    }
}

/// `lost=N`; anything else is 0.
fn lost(word: &[u8]) -> usize {
    let number = word
        .strip_prefix(b"lost=")
        .and_then(|rest| std::str::from_utf8(rest).ok());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
