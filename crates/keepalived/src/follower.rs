//! Follows keepalived: turns what waits in the FIFO into states, saves them, and has them published.

use crate::event::Event;
use crate::fifo::FifoError;
use crate::fifo_writer;
use crate::instances::{Change, Instances, MAX_INSTANCES};
use crate::lines::Lines;
use crate::log::Log;
use crate::pauses::{HoldChange, Pauses};
use crate::publisher::Publisher;
use crate::saved_states::SavedStatesFile;
use crate::source::{Source, SourceEvent};
use crate::targets::{TargetError, Targets};
use inputs::clock;
use inputs::diagnostic::{Diagnostic, shown};
use policy::moment::BootTime;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use sys::output::error_text;
use sys::process_tree::Process;

const EVENTS_LOST: &str =
    "every instance is passive until its next event; restart keepalived to get the current states";

pub(crate) struct Follower {
    /// The name of the FIFO, for the log.
    fifo: PathBuf,
    /// The FIFO and the keepalived that writes to it.
    source: Source,
    /// Contains an incomplete line between two reads.
    lines: Lines,
    /// What keepalived's events say. This is what is saved for the next process.
    instances: Instances,
    /// Whether the instances count, or everything is passive for a while.
    pauses: Pauses,
    /// Where the instances are saved before any event is consumed.
    saved: SavedStatesFile,
    /// Where the instances go.
    publisher: Publisher,
    /// Something has changed since the states were published.
    is_dirty: bool,
    log: Log,
    logged: Logged,
}

/// Conditions that last: each is logged when it begins, and not again.
#[derive(Default)]
struct Logged {
    keepalived: Option<Process>,
    fifo_error: Option<FifoError>,
    save_fails: bool,
    too_many_instances: bool,
    /// Instances without a target.
    ignored: BTreeSet<Vec<u8>>,
}

/// Why keepalived's events no longer count.
#[derive(Clone, Copy)]
enum Loss {
    KeepalivedEnded,
    KeepalivedReplaced,
    EventsLost,
}

impl Follower {
    pub(crate) fn new(fifo: &Path, saved: SavedStatesFile, publisher: Publisher, log: Log) -> Self {
        Self {
            fifo: fifo.to_owned(),
            source: Source::new(fifo),
            lines: Lines::default(),
            instances: Instances::default(),
            pauses: Pauses::new(clock::boot_time()),
            saved,
            publisher,
            is_dirty: true,
            log,
            logged: Logged::default(),
        }
    }

    /// Processes the waiting events before it writes any file: a saved `active` must not be written if a BACKUP waits.
    pub(crate) fn start(&mut self, rejected: &[Diagnostic]) {
        self.log_rejected(rejected);
        self.resume();
        self.process_waiting();
        self.publish();
        self.publisher.report("READY=1");
    }

    /// To be called when the descriptor is readable or the renewal is due, and at least once a second.
    pub(crate) fn step(&mut self) {
        self.check_pauses();
        self.process_waiting();
        if self.is_dirty || clock::boot_time() >= self.next_renewal() {
            self.publish();
        }
    }

    /// Leaves the files as they are. If no other process renews them, their leases expire; a package upgrade demotes no instance.
    pub(crate) fn stop(&mut self) {
        self.publisher.report("STOPPING=1");
        self.log
            .info("stopping; the state files are valid until their leases expire");
    }

    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.source.descriptor()
    }

    pub(crate) fn next_renewal(&self) -> BootTime {
        self.publisher.next_renewal()
    }

    /// After the configurations were read again.
    pub(crate) fn reload(&mut self, read: Result<Targets, TargetError>) {
        match read {
            Ok(targets) => {
                self.log_rejected(&targets.rejected);
                self.publisher
                    .replace_targets(targets.usable, self.pauses.checked(), &mut self.log);
                self.logged.ignored.clear();
                self.is_dirty = true;
                self.log.info("the configurations have been read again");
            }
            Err(error) => self.log.error(&format!(
                "cannot use the new configurations, the previous ones remain in effect: {error}"
            )),
        }
    }

    fn log_rejected(&mut self, rejected: &[Diagnostic]) {
        for diagnostic in rejected {
            self.log.error(&diagnostic.summary);
        }
    }

    /// Continues with the states that an earlier process has saved, if the same keepalived has had the same FIFO open all the time.
    fn resume(&mut self) {
        let saved = self.saved.load();
        let Some(writer) = saved.writer else { return };
        let keepalived = writer.0;
        if self.source.resume(writer) {
            self.instances = saved.instances;
            self.logged.keepalived = Some(keepalived);
            self.log.info(&format!(
                "continuing with the saved states: keepalived is still process {}",
                keepalived.pid
            ));
            return;
        }
        self.save(); // nothing: the next process must not resume what this one could not
        if !fifo_writer::has_ended(keepalived) {
            self.log.error(&format!(
                "keepalived (process {}) has reopened the FIFO while no process was reading it, and events may be lost: {EVENTS_LOST}",
                keepalived.pid
            ));
        }
    }

    fn process_waiting(&mut self) {
        let before = self.source.writer();
        loop {
            match self.source.next_event(clock::boot_time()) {
                SourceEvent::Waiting {
                    bytes,
                    may_have_overflowed,
                } => {
                    if !self.process(&bytes, may_have_overflowed) {
                        break;
                    }
                }
                SourceEvent::WriterReplaced => self.make_all_passive(Loss::KeepalivedReplaced),
                SourceEvent::WriterGone => {
                    self.make_all_passive(Loss::KeepalivedEnded);
                    self.log_fifo_error();
                    break;
                }
                SourceEvent::Idle => break,
            }
        }
        if self.source.writer() != before {
            self.save();
        }
        self.log_keepalived();
    }

    /// Save, publish, then consume: if this process is killed at any point, the next one finds the event in the saved states or in the
    /// FIFO, and processing an event twice has no effect. Returns whether the FIFO can be read further.
    fn process(&mut self, bytes: &[u8], may_have_overflowed: bool) -> bool {
        let count = if may_have_overflowed {
            self.log.error(&format!(
                "{} bytes are waiting in the FIFO, and keepalived may have had no space for further events: {EVENTS_LOST}",
                bytes.len()
            ));
            self.make_all_passive(Loss::EventsLost);
            bytes.len()
        } else {
            let (lines, count) = self.lines.split(bytes);
            for event in lines.iter().filter_map(|line| Event::parse(line)) {
                self.apply(&event);
            }
            count
        };
        if self.is_dirty {
            self.save();
            self.publish();
        }
        let Err(error) = self.source.consume(count) else {
            return true;
        };
        self.log.error(&format!(
            "cannot consume the events that were read from the FIFO: {}; every instance is passive until its next event; \
             check that no other process reads the FIFO",
            error_text(&error)
        ));
        self.make_all_passive(Loss::EventsLost);
        false
    }

    fn apply(&mut self, event: &Event) {
        let name = shown(OsStr::from_bytes(event.instance));
        match self.instances.apply(event, &utc_now()) {
            Change::Unchanged => {}
            Change::TooMany => {
                if !std::mem::replace(&mut self.logged.too_many_instances, true) {
                    self.log.warn(&format!(
                        "keepalived has more than {MAX_INSTANCES} instances; the others are ignored"
                    ));
                }
            }
            Change::To(word) => {
                self.is_dirty = true;
                if self.publisher.has_target(event.instance) {
                    let keepalived_state = String::from_utf8_lossy(event.keepalived_state);
                    self.log
                        .info(&format!("{name}: {} (keepalived: {keepalived_state})", word.as_str()));
                } else if self.logged.ignored.insert(event.instance.to_vec()) {
                    self.log.warn(&format!(
                        "{name}: ignored, because no configuration has this cluster_name and no --instance names it"
                    ));
                }
            }
        }
    }

    /// Here the files are written first: if this process is killed before it saves, the next one cannot resume, or finds the events.
    fn make_all_passive(&mut self, loss: Loss) {
        self.lines.clear();
        self.pauses.clear();
        for name in self.instances.make_all_passive(&utc_now()) {
            let name = shown(OsStr::from_bytes(&name));
            self.log.warn(&format!("{name}: passive ({})", loss.as_str()));
            self.is_dirty = true;
        }
        if self.is_dirty {
            self.publish();
            self.save();
        }
    }

    fn check_pauses(&mut self) {
        let is_stopped = self.source.is_stopped();
        match self.pauses.check(clock::boot_time(), clock::wall_time(), is_stopped) {
            None => return,
            Some(HoldChange::BeginsForKeepalived) => self
                .log
                .warn("keepalived is stopped (SIGSTOP); every instance is passive until it continues"),
            Some(HoldChange::BeginsForService) => self.log.warn(
                "this service was paused; every instance is passive until keepalived has had time to hear the other servers",
            ),
            Some(HoldChange::Ends) => self
                .log
                .info("the pause is over; the instances have the states that keepalived reports"),
        }
        self.is_dirty = true;
    }

    fn save(&mut self) {
        let saved = self.saved.save(self.source.writer(), &self.instances);
        let failed_before = std::mem::replace(&mut self.logged.save_fails, saved.is_err());
        if let Some(error) = saved.err().filter(|_| !failed_before) {
            self.log.error(&format!(
                "cannot write {}: {}; if this service is killed, every instance is passive until its next event",
                self.saved,
                error_text(&error)
            ));
        }
    }

    fn publish(&mut self) {
        self.publisher.publish(&self.instances, &self.pauses, &mut self.log);
        self.is_dirty = false;
    }

    fn log_keepalived(&mut self) {
        let keepalived = self.source.process();
        if keepalived == self.logged.keepalived {
            return;
        }
        self.logged.keepalived = keepalived;
        match keepalived {
            Some(process) => self.log.info(&format!("keepalived is process {}", process.pid)),
            None => self.log.warn("keepalived has ended, or has closed its FIFO"),
        }
    }

    fn log_fifo_error(&mut self) {
        let error = self.source.error();
        let before = std::mem::replace(&mut self.logged.fifo_error, error);
        if let Some(error) = error.filter(|_| error != before) {
            self.log.warn(&format!("{}: {error}", shown(self.fifo.as_os_str())));
        }
    }
}

impl Loss {
    fn as_str(self) -> &'static str {
        match self {
            Self::KeepalivedEnded => "keepalived has ended",
            Self::KeepalivedReplaced => "another process has opened the FIFO",
            Self::EventsLost => "events were lost",
        }
    }
}

/// As `since=` has it, to the second: `2026-11-23T09:15:02Z`.
fn utc_now() -> String {
    clock::wall_time().rfc3339_seconds()
}
