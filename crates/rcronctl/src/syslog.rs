//! Lines for the log daemon.

use inputs::clock;
use policy::datagram::{self, Sender};
use policy::priority::{Facility, Level};
use std::ffi::OsString;
use std::time::{Duration, Instant};
use sys::poll;
use sys::syslog::{Sent, Syslog};

/// Between two tries, where the system does not wake us when there is room.
const PAUSE: Duration = Duration::from_millis(20);

/// A connection to the log daemon.
pub(crate) struct Log {
    syslog: Syslog,
    sender: Sender,
}

impl Log {
    pub(crate) fn new(socket: OsString, facility: Facility) -> Self {
        Self {
            syslog: Syslog::new(socket),
            sender: Sender {
                facility,
                ident: b"rcronctl".to_vec(),
                pid: std::process::id(),
            },
        }
    }

    /// Sends one line; returns whether the daemon accepted it. `patience` is how long to wait for room in the daemon's queue.
    pub(crate) fn send(&mut self, level: Level, text: &[u8], patience: Duration) -> bool {
        let datagram = datagram::datagram(&self.sender, level, clock::civil_time(clock::wall_time()), text);
        let began = Instant::now();
        loop {
            let left = patience.saturating_sub(began.elapsed());
            let tried = Instant::now();
            match self.syslog.send_within(&datagram, left) {
                Sent::Yes => return true,
                Sent::NotNow if !left.is_zero() => {
                    if tried.elapsed() < PAUSE {
                        poll::until_ready(&[], Some(PAUSE));
                    }
                }
                Sent::NotNow | Sent::Lost | Sent::NoDaemon => return false,
            }
        }
    }
}
