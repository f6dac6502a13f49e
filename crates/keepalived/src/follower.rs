//! Follows keepalived: turns what waits in the FIFO into states, saves them, and has them published.

use crate::event::Event;
use crate::fifo_writer;
use crate::instances::{Change, Instances};
use crate::lines::Lines;
use crate::pauses::Pauses;
use crate::publisher::{Publisher, notify_systemd};
use crate::reporter::Reporter;
use crate::saved_states::SavedStatesFile;
use crate::source::{Source, SourceEvent};
use crate::targets::{TargetError, Targets};
use crate::unreported::{self, PATIENCE};
use inputs::clock;
use policy::moment::BootTime;
use policy::state::Reason;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

pub(crate) struct Follower {
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
    /// Events were lost since keepalived has had the FIFO open: instances without a report stay passive until their next event.
    events_were_lost: bool,
    /// After this time keepalived should have reported every instance.
    report_patience: Duration,
    /// Why instances without a report are passive, as it was last published.
    unreported: Option<Reason>,
    /// Something has changed since the states were published.
    is_dirty: bool,
    reporter: Reporter,
}

impl Follower {
    /// Continues with the states that an earlier process has saved, if the same keepalived has had the same FIFO open all the time.
    /// No file is written yet.
    pub(crate) fn new(fifo: &Path, saved: SavedStatesFile, publisher: Publisher, reporter: Reporter) -> Self {
        let mut follower = Self {
            source: Source::new(fifo),
            lines: Lines::default(),
            instances: Instances::default(),
            pauses: Pauses::new(clock::boot_time()),
            saved,
            publisher,
            events_were_lost: false,
            report_patience: PATIENCE,
            unreported: None,
            is_dirty: true,
            reporter,
        };
        follower.resume();
        follower
    }

    fn resume(&mut self) {
        let saved = self.saved.load();
        let Some(writer @ (keepalived, _)) = saved.writer else {
            return;
        };
        if self.source.resume(writer) {
            self.instances = saved.instances;
            self.events_were_lost = saved.events_were_lost;
            self.reporter.resumed(keepalived);
            return;
        }
        self.events_were_lost = !fifo_writer::has_ended(keepalived);
        self.save(); // nothing: the next process must not resume what this one could not
        if self.events_were_lost {
            self.reporter.reopened(keepalived);
        }
    }

    /// Processes the waiting events before it writes any file: a saved `active` must not be written if a BACKUP waits.
    pub(crate) fn start(&mut self) {
        self.process_waiting();
        self.publish();
        notify_systemd("READY=1");
    }

    /// To be called when the descriptor is readable or the renewal is due, and at least once a second.
    pub(crate) fn step(&mut self) {
        let is_stopped = self.source.is_stopped();
        if let Some(change) = self.pauses.check(clock::boot_time(), clock::wall_time(), is_stopped) {
            self.reporter.hold(&change);
            self.is_dirty = true;
        }
        self.process_waiting();
        self.is_dirty |= self.why_unreported() != self.unreported;
        if self.is_dirty || clock::boot_time() >= self.next_renewal() {
            self.publish();
        }
    }

    /// Leaves the files as they are. If no other process renews them, their leases expire; a package upgrade demotes no instance.
    pub(crate) fn stop(&mut self) {
        notify_systemd("STOPPING=1");
        self.reporter.stopping();
    }

    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.source.descriptor()
    }

    pub(crate) fn next_renewal(&self) -> BootTime {
        self.publisher.next_renewal()
    }

    /// Uses the configurations that were read again.
    pub(crate) fn reload(&mut self, read: Result<Targets, TargetError>) {
        self.reporter.reload(&read);
        if let Ok(targets) = read {
            self.publisher
                .replace_targets(targets.usable, self.pauses.checked(), &mut self.reporter);
            self.is_dirty = true;
        }
    }

    fn process_waiting(&mut self) {
        let before = self.source.writer();
        loop {
            match self.source.next_event(clock::boot_time()) {
                SourceEvent::Overflow(count) => {
                    self.reporter.overflow(count);
                    self.lose_events();
                    if !self.consume(count) {
                        break;
                    }
                }
                SourceEvent::Waiting(bytes) => {
                    if !self.process(&bytes) {
                        break;
                    }
                }
                SourceEvent::WriterReplaced => {
                    self.events_were_lost = false;
                    self.make_all_passive("another process has opened the FIFO");
                }
                SourceEvent::WriterGone => {
                    self.events_were_lost = false;
                    self.make_all_passive("keepalived has ended");
                    self.reporter.fifo_error(self.source.path(), self.source.error());
                    break;
                }
                SourceEvent::Idle => break,
            }
        }
        if self.source.writer() != before {
            self.save();
        }
        self.reporter.keepalived(self.source.process());
    }

    /// Save, publish, then consume: if this process is killed at any point, the next one finds the event in the saved states or in the
    /// FIFO, and processing an event twice has no effect. Returns whether the FIFO can be read further.
    fn process(&mut self, bytes: &[u8]) -> bool {
        let (lines, count) = self.lines.split(bytes);
        for event in lines.iter().filter_map(|line| Event::parse(line)) {
            let change = self.instances.apply(&event, &utc_now());
            self.is_dirty |= matches!(change, Change::To(_));
            let has_target = self.publisher.has_target(event.instance);
            self.reporter.change(&event, &change, has_target);
        }
        if self.is_dirty {
            self.save();
            self.publish();
        }
        self.consume(count)
    }

    fn consume(&mut self, count: usize) -> bool {
        let consumed = self.source.consume(count);
        if let Err(error) = &consumed {
            self.reporter.not_consumed(error);
            self.lose_events();
        }
        consumed.is_ok()
    }

    fn lose_events(&mut self) {
        self.events_were_lost = true;
        self.is_dirty = true;
        self.make_all_passive("events were lost");
    }

    /// Here the files are written before the states are saved, because a demotion must not wait.
    fn make_all_passive(&mut self, reason: &str) {
        self.lines.clear();
        self.pauses.clear();
        self.is_dirty |= self.instances.iter().any(|instance| instance.reported.is_some());
        for name in self.instances.forget_reports(&utc_now()) {
            self.reporter.demoted(&name, reason);
        }
        if self.is_dirty {
            self.publish();
            self.save();
        }
    }

    fn save(&mut self) {
        let saved = self
            .saved
            .save(self.source.writer(), &self.instances, self.events_were_lost);
        self.reporter.saved(&self.saved, saved);
    }

    fn publish(&mut self) {
        self.unreported = self.why_unreported();
        self.publisher
            .publish(&self.instances, &self.pauses, self.unreported, &mut self.reporter);
        self.is_dirty = false;
    }

    fn why_unreported(&self) -> Option<Reason> {
        let now = clock::boot_time();
        unreported::reason(
            self.source.open_since(),
            self.events_were_lost,
            self.report_patience,
            now,
        )
    }
}

/// As `since=` has it, to the second: `2026-11-23T09:15:02Z`.
fn utc_now() -> String {
    clock::wall_time().rfc3339_seconds()
}

#[cfg(test)]
mod tests;
