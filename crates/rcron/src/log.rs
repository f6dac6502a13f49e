//! The log: lines to syslog that never hold a job up.

use inputs::clock;
use inputs::diagnostic::Diagnostic;
use policy::config::Config;
use policy::datagram::{self, Sender};
use policy::display;
use policy::event::{self, Event, Subject};
use policy::moment::BootTime;
use policy::priority::Level;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;
use sys::output;
use sys::poll;
use sys::syslog::{Sent, Syslog};

/// How long a line may wait for room in the daemon's queue, from its first try on.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often to try. Not by poll(2): when a place gets free, that wakes every sender that waits, be it a thousand.
const RETRY: Duration = Duration::from_millis(5);

/// Where lines go.
pub(crate) struct Log {
    syslog: Syslog,
    sender: Sender,
    level: Level,
    verbose: bool,
    pending: VecDeque<Pending>,
    /// Lines that could not be sent, and that no line has told of yet.
    lost: u32,
}

struct Pending {
    datagram: Vec<u8>,
    given_up_at: BootTime,
    /// How many lost lines it tells of.
    tells_of: u32,
}

impl Log {
    pub(crate) fn new(config: &Config, verbose: bool) -> Self {
        let sender = Sender {
            facility: config.syslog_facility,
            ident: ident(),
            pid: std::process::id(),
        };
        let syslog = Syslog::new(OsString::from_vec(config.syslog_socket.clone()));
        Self {
            syslog,
            sender,
            level: config.syslog_level,
            verbose,
            pending: VecDeque::new(),
            lost: 0,
        }
    }

    /// The same log, for one who works for the process of this number.
    pub(crate) fn of(config: &Config, pid: u32) -> Self {
        let mut log = Self::new(config, false);
        log.sender.pid = pid;
        log
    }

    /// The log line of an event.
    pub(crate) fn event(&mut self, subject: &Subject, event: &Event) {
        let tells_of = std::mem::take(&mut self.lost);
        let line = event::line(subject, event, tells_of);
        self.write(self.level, &line, tells_of);
    }

    /// A line that is none of an event.
    pub(crate) fn note(&mut self, text: &str) {
        self.write(self.level, text.as_bytes(), 0);
    }

    /// A warning that nobody needs to be mailed.
    pub(crate) fn warn(&mut self, text: &str) {
        self.write(Level::WARNING, format!("warning: {text}").as_bytes(), 0);
    }

    /// A warning to stderr and syslog.
    pub(crate) fn tell_warning(&mut self, diagnostic: &Diagnostic) {
        output::to_stderr(format!("rcron: warning: {}\n", diagnostic.full).as_bytes());
        self.send(Level::WARNING, format!("warning: {}", diagnostic.summary).as_bytes(), 0);
    }

    /// An error to stderr and syslog.
    pub(crate) fn tell_error(&mut self, diagnostic: &Diagnostic) {
        output::to_stderr(format!("rcron: {}\n", diagnostic.full).as_bytes());
        self.send(Level::ERROR, format!("error: {}", diagnostic.summary).as_bytes(), 0);
    }

    /// Tries what has not been sent yet.
    pub(crate) fn retry(&mut self) {
        while let Some(first) = self.pending.front() {
            let sent = self.syslog.send(&first.datagram);
            if sent == Sent::NotNow && clock::boot_time() < first.given_up_at {
                return;
            }
            self.settle(sent);
        }
    }

    /// How long to wait before the next [`Log::retry`]; `None` if all is sent.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let first = self.pending.front()?;
        Some(first.given_up_at.since(clock::boot_time()).min(RETRY))
    }

    /// Waits until every line is sent or given up: at the end of rcron, when nothing else is to be done.
    pub(crate) fn finish(&mut self) {
        while let Some(first) = self.pending.front() {
            let remaining = first.given_up_at.since(clock::boot_time());
            let sent = self.syslog.send_within(&first.datagram, remaining);
            if sent == Sent::NotNow && !remaining.is_zero() {
                poll::until_ready(&[], Some(remaining.min(RETRY))); // a stream, which is not waited for
                continue;
            }
            self.settle(sent);
        }
    }

    /// Takes the first line off, and counts it if it is lost.
    fn settle(&mut self, sent: Sent) {
        let tells_of = self.pending.pop_front().map_or(0, |first| first.tells_of);
        if matches!(sent, Sent::NotNow | Sent::Lost) {
            self.lost += 1 + tells_of;
        }
    }

    fn write(&mut self, level: Level, text: &[u8], tells_of: u32) {
        if self.verbose {
            let line = format!("rcron: {}\n", display::escaped(text));
            output::to_stderr(line.as_bytes());
        }
        self.send(level, text, tells_of);
    }

    fn send(&mut self, level: Level, text: &[u8], tells_of: u32) {
        let time = clock::civil_time(clock::wall_time());
        let datagram = datagram::datagram(&self.sender, level, time, text);
        let given_up_at = clock::boot_time().after(PATIENCE);
        self.pending.push_back(Pending {
            datagram,
            given_up_at,
            tells_of,
        });
        self.retry();
    }
}

/// The base name of `argv[0]`: a renamed rcron logs under its new name.
fn ident() -> Vec<u8> {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name)
        .file_name()
        .map_or_else(|| b"rcron".to_vec(), |base| base.as_bytes().to_vec())
}
