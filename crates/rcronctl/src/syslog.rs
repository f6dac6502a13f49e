//! Lines for the log daemon.

use platform::clock;
use platform::syslog::{Sent, Syslog};
use policy::config::Config;
use policy::datagram::{self, Sender};
use policy::priority::{Facility, Level};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

/// Nothing waits for us, but nobody shall hang either.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to the log of a configuration.
pub(crate) struct Log {
    syslog: Syslog,
    facility: Facility,
}

impl Log {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            syslog: Syslog::new(OsString::from_vec(config.syslog_socket.clone())),
            facility: config.syslog_facility,
        }
    }

    /// Sends one line; whether the daemon has it.
    pub(crate) fn send(&mut self, level: Level, text: &[u8]) -> bool {
        let sender = Sender {
            facility: self.facility,
            ident: b"rcronctl".to_vec(),
            pid: std::process::id(),
        };
        let datagram = datagram::datagram(&sender, level, clock::civil_time(clock::wall_time()), text);
        self.syslog.send_within(&datagram, PATIENCE) == Sent::Yes
    }
}
