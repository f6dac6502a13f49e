//! What the service tells: to the journal where systemd has connected it, else to syslog.

use inputs::clock;
use inputs::diagnostic::shown;
use policy::datagram::{self, Sender};
use policy::priority::{Facility, Level};
use std::ffi::OsStr;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use sys::output;
use sys::syslog::Syslog;

/// A log daemon that is stuck must not hold a state up for longer.
const PATIENCE: Duration = Duration::from_millis(50);

/// Where it goes.
pub(crate) enum Log {
    /// stderr is the journal, which hands its lines on to syslog where a site wants that. To send them there, too, would
    /// double them.
    Journal,
    /// The log socket, and stderr if somebody looks at it.
    Syslog {
        socket: Syslog,
        sender: Sender,
        is_watched: bool,
    },
}

impl Log {
    pub(crate) fn new() -> Self {
        if stderr_is_the_journal() {
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
        self.write(Level::INFO, 6, text);
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.write(Level::WARNING, 4, &format!("warning: {text}"));
    }

    pub(crate) fn error(&mut self, text: &str) {
        self.write(Level::ERROR, 3, &format!("error: {text}"));
    }

    fn write(&mut self, level: Level, number: u8, text: &str) {
        let text = shown(OsStr::from_bytes(text.as_bytes()));
        match self {
            // sd-daemon(3): a priority at the head of the line.
            Self::Journal => output::to_stderr(format!("<{number}>{text}\n").as_bytes()),
            Self::Syslog {
                socket,
                sender,
                is_watched,
            } => {
                let datagram =
                    datagram::datagram(sender, level, clock::civil_time(clock::wall_time()), text.as_bytes());
                socket.send_within(&datagram, PATIENCE);
                if *is_watched {
                    output::to_stderr(format!("rcron-keepalived: {text}\n").as_bytes());
                }
            }
        }
    }
}

/// systemd.exec(5), `$JOURNAL_STREAM`: device and inode of what it has connected; a shell in between may have led stderr
/// elsewhere.
fn stderr_is_the_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let stderr = std::fs::metadata("/proc/self/fd/2");
    stderr.is_ok_and(|stderr| format!("{}:{}", stderr.dev(), stderr.ino()) == stream)
}
