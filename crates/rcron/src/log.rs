//! The log: lines to syslog that never delay a job.

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

/// How long a line may wait for room in the log daemon's queue, counted from its first try.
const PATIENCE: Duration = Duration::from_millis(200);
/// The pause between two tries. poll(2) would not do: each free place would wake every waiting sender, be it a thousand.
const RETRY: Duration = Duration::from_millis(5);

/// Where /dev/log leads if systemd's journal receives it: systemd-journald.service(8).
const DEV_LOG: &str = "/run/systemd/journal/dev-log";

/// The connection to the log daemon, and the lines that it has not taken yet.
pub(crate) struct Log {
    syslog: Syslog,
    sender: Sender,
    level: Level,
    /// Whether log lines also go to stderr.
    verbose: bool,
    pending: VecDeque<Pending>,
    /// How many lines could not be sent and are not counted by the `lost=` of a later line yet.
    lost: u32,
}

struct Pending {
    datagram: Vec<u8>,
    given_up_at: BootTime,
    /// Its `lost=`: if this line is lost too, these lines must be counted again.
    reports_lost: u32,
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

    /// The log for a process that logs in the name of the process `pid`.
    pub(crate) fn on_behalf_of(config: &Config, pid: u32) -> Self {
        let mut log = Self::new(config, false);
        log.sender.pid = pid;
        log
    }

    /// Logs an event of the job, with the number of lines lost before.
    pub(crate) fn event(&mut self, subject: &Subject, event: &Event) {
        let reports_lost = std::mem::take(&mut self.lost);
        let line = event::line(subject, event, reports_lost);
        let level = if event.is_error() { Level::ERROR } else { self.level };
        self.write(level, &line, reports_lost);
    }

    /// Logs a remark at the level of events.
    pub(crate) fn note(&mut self, text: &str) {
        self.write(self.level, text.as_bytes(), 0);
    }

    /// Logs a warning. It is not printed to stderr, because cron mails that.
    pub(crate) fn warn(&mut self, text: &str) {
        self.write(Level::WARNING, format!("warning: {text}").as_bytes(), 0);
    }

    /// Prints a warning to stderr and logs its summary.
    pub(crate) fn report_warning(&mut self, diagnostic: &Diagnostic) {
        self.print(&format!("rcron: warning: {}\n", diagnostic.full));
        self.send(Level::WARNING, format!("warning: {}", diagnostic.summary).as_bytes(), 0);
    }

    /// Prints an error to stderr and logs its summary.
    pub(crate) fn report_error(&mut self, diagnostic: &Diagnostic) {
        self.print(&format!("rcron: {}\n", diagnostic.full));
        self.send(Level::ERROR, format!("error: {}", diagnostic.summary).as_bytes(), 0);
    }

    /// Prints to stderr, except where that is systemd's journal and the log is, too: there the message would appear twice, and the one
    /// in the log has its level.
    fn print(&self, text: &str) {
        let log_is_the_journal =
            || std::fs::canonicalize(self.syslog.path()).is_ok_and(|path| path == Path::new(DEV_LOG));
        if !(output::stderr_is_the_journal() && log_is_the_journal()) {
            output::to_stderr(text.as_bytes());
        }
    }

    /// Prints an error that prevents the job to stderr, and logs its summary with the command.
    pub(crate) fn report_rejection(&mut self, diagnostic: &Diagnostic, command: &[u8]) {
        self.print(&format!("rcron: {}\n", diagnostic.full));
        let line = [b"error: ", diagnostic.summary.as_bytes(), b" cmd=", command].concat();
        self.send(Level::ERROR, &line, 0);
    }

    /// Sends the pending lines, in order, as far as the daemon takes them. Never waits.
    pub(crate) fn retry(&mut self) {
        while let Some(first) = self.pending.front() {
            let sent = self.syslog.send(&first.datagram);
            if sent == Sent::NotNow && clock::boot_time() < first.given_up_at {
                return;
            }
            self.settle(sent);
        }
    }

    /// How long to wait before the next [`Log::retry`]; `None` if no line is pending.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let first = self.pending.front()?;
        Some(first.given_up_at.since(clock::boot_time()).min(RETRY))
    }

    /// Waits until every line is sent or given up. Called when rcron has nothing else left to do.
    pub(crate) fn finish(&mut self) {
        while let Some(first) = self.pending.front() {
            let remaining = first.given_up_at.since(clock::boot_time());
            let sent = self.syslog.send_within(&first.datagram, remaining);
            if sent == Sent::NotNow && !remaining.is_zero() {
                poll::until_ready(&[], Some(remaining.min(RETRY))); // a stream: send(2) does not wait on it
                continue;
            }
            self.settle(sent);
        }
    }

    /// Removes the first pending line, and counts it if it is lost.
    fn settle(&mut self, sent: Sent) {
        let reports_lost = self.pending.pop_front().map_or(0, |first| first.reports_lost);
        if matches!(sent, Sent::NotNow | Sent::Lost) {
            self.lost += 1 + reports_lost;
        }
    }

    fn write(&mut self, level: Level, text: &[u8], reports_lost: u32) {
        if self.verbose {
            let line = format!("rcron: {}\n", display::escaped(text));
            output::to_stderr(line.as_bytes());
        }
        self.send(level, text, reports_lost);
    }

    fn send(&mut self, level: Level, text: &[u8], reports_lost: u32) {
        let time = clock::civil_time(clock::wall_time());
        let datagram = datagram::datagram(&self.sender, level, time, text);
        let given_up_at = clock::boot_time().after(PATIENCE);
        self.pending.push_back(Pending {
            datagram,
            given_up_at,
            reports_lost,
        });
        self.retry();
    }
}

/// The base name of `argv[0]`: a renamed rcron logs under its new name, as syslog(3) does.
fn ident() -> Vec<u8> {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name)
        .file_name()
        .map_or_else(|| b"rcron".to_vec(), |base| base.as_bytes().to_vec())
}
