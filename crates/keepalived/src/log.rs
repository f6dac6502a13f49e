//! The service's log: the journal if systemd has connected stderr to it, otherwise syslog.

use inputs::clock;
use policy::datagram::{self, Sender};
use policy::display::escaped;
use policy::priority::{self, Facility, Level};
use std::io::IsTerminal;
use std::time::Duration;
use sys::output;
use sys::syslog::Syslog;

/// A log daemon that hangs must not delay a state file any longer.
const PATIENCE: Duration = Duration::from_millis(50);

pub(crate) enum Log {
    /// stderr is the journal, which forwards its messages to syslog if the site wants that. Sending them to syslog as well would
    /// duplicate them.
    Journal,
    Syslog {
        socket: Syslog,
        sender: Sender,
        /// The messages also go to stderr, because it is a terminal.
        is_watched: bool,
    },
    #[cfg(test)]
    Memory(Vec<String>),
}

impl Log {
    pub(crate) fn new() -> Self {
        if output::stderr_is_the_journal() {
            return Self::Journal;
        }
        Self::Syslog {
            socket: Syslog::new("/dev/log".into()),
            sender: Sender {
                facility: Facility::parse(b"daemon").unwrap_or(Facility::CRON),
                ident: b"rcron-keepalived".to_vec(),
                pid: std::process::id(),
            },
            is_watched: std::io::stderr().is_terminal(),
        }
    }

    pub(crate) fn info(&mut self, text: &str) {
        self.write(Level::INFO, text);
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.write(Level::WARNING, &format!("warning: {text}"));
    }

    pub(crate) fn error(&mut self, text: &str) {
        self.write(Level::ERROR, &format!("error: {text}"));
    }

    fn write(&mut self, level: Level, text: &str) {
        let text = escaped(text);
        match self {
            #[cfg(test)]
            Self::Memory(lines) => lines.push(text.into_owned()),
            Self::Journal => {
                // sd-daemon(3): the level, without a facility, in front of the line.
                let level = priority::priority(Facility::CRON, level) % 8;
                output::to_stderr(format!("<{level}>{text}\n").as_bytes());
            }
            Self::Syslog {
                socket,
                sender,
                is_watched,
            } => {
                let time = clock::civil_time(clock::wall_time());
                let datagram = datagram::datagram(sender, level, time, text.as_bytes());
                socket.send_within(&datagram, PATIENCE);
                if *is_watched {
                    output::to_stderr(format!("rcron-keepalived: {text}\n").as_bytes());
                }
            }
        }
    }
}
