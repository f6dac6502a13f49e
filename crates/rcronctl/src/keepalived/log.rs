//! What the service tells: to the journal where systemd has connected it, else to syslog.

use crate::syslog;
use inputs::diagnostic::shown;
use policy::priority::{Facility, Level};
use std::ffi::OsStr;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use sys::output;

/// A log daemon that is stuck must not hold a state up for longer.
const PATIENCE: Duration = Duration::from_millis(50);

/// Where it goes.
pub(super) enum Log {
    /// stderr is the journal, which hands its lines on to syslog where a site wants that. To send them there, too, would
    /// double them.
    Journal,
    /// The log socket, and stderr if somebody looks at it.
    Syslog { log: syslog::Log, is_watched: bool },
}

impl Log {
    pub(super) fn new() -> Self {
        if stderr_is_the_journal() {
            return Self::Journal;
        }
        Self::Syslog {
            log: syslog::Log::new(
                "/dev/log".into(),
                Facility::parse(b"daemon").unwrap_or(Facility::CRON),
                PATIENCE,
            ),
            is_watched: std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn info(&mut self, text: &str) {
        self.write(Level::INFO, 6, text);
    }

    pub(super) fn warn(&mut self, text: &str) {
        self.write(Level::WARNING, 4, &format!("warning: {text}"));
    }

    pub(super) fn error(&mut self, text: &str) {
        self.write(Level::ERROR, 3, &format!("error: {text}"));
    }

    fn write(&mut self, level: Level, number: u8, text: &str) {
        let text = shown(OsStr::from_bytes(text.as_bytes()));
        match self {
            // sd-daemon(3): a priority at the head of the line.
            Self::Journal => output::to_stderr(format!("<{number}>{text}\n").as_bytes()),
            Self::Syslog { log, is_watched } => {
                log.send(level, text.as_bytes());
                if *is_watched {
                    output::to_stderr(format!("rcronctl: {text}\n").as_bytes());
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
