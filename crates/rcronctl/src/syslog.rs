//! Lines for the log daemon.

use inputs::clock;
use policy::datagram::{self, Sender};
use policy::priority::{Facility, Level};
use std::ffi::OsString;
use std::time::Duration;
use sys::syslog::{Sent, Syslog};

pub(crate) struct Log {
    syslog: Syslog,
    sender: Sender,
    patience: Duration,
}

impl Log {
    /// `patience` is how long each line may wait for room in the daemon's queue.
    pub(crate) fn new(socket: OsString, facility: Facility, patience: Duration) -> Self {
        Self {
            syslog: Syslog::new(socket),
            sender: Sender {
                facility,
                ident: b"rcronctl".to_vec(),
                pid: std::process::id(),
            },
            patience,
        }
    }

    /// Sends one line; returns whether the daemon accepted it.
    pub(crate) fn send(&mut self, level: Level, text: &[u8]) -> bool {
        let datagram = datagram::datagram(&self.sender, level, clock::civil_time(clock::wall_time()), text);
        self.syslog.send_within(&datagram, self.patience) == Sent::Yes
    }
}
