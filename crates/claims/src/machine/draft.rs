//! A job's record while a round changes it.

use crate::job::JobKey;
use crate::message::{Gap, Key, MissReason, Now, Record};
use crate::record::{EndedTick, Entry, EntryState, JobRecord, LastTick, MOST_SLOTS, Outcome};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;
use lease::{NodeName, SessionRecord, Version};
use policy::tick::TickTime;

/// A record, and what a round has decided to change in it and beside it.
pub(super) struct Draft {
    /// `None`: there is no record.
    pub(super) version: Option<Version>,
    pub(super) record: JobRecord,
    pub(super) is_changed: bool,
    /// The change depends on this node's session.
    pub(super) needs_session: bool,
    /// Ended ticks by their slot.
    ended: BTreeMap<u32, EndedTick>,
    /// Sessions that are ended in the same change.
    pub(super) ended_sessions: BTreeMap<NodeName, (Version, SessionRecord)>,
}

impl Draft {
    pub(super) fn of(version: Version, record: JobRecord) -> Self {
        Self {
            version: Some(version),
            record,
            is_changed: false,
            needs_session: false,
            ended: BTreeMap::new(),
            ended_sessions: BTreeMap::new(),
        }
    }

    /// A job that has no record yet.
    pub(super) fn new_job() -> Self {
        let record = JobRecord {
            closed: TickTime(0),
            written: 0,
            last: None,
            entries: Vec::new(),
        };
        Self {
            version: None,
            ..Self::of(Version(0), record)
        }
    }

    /// How many records it writes.
    pub(super) fn writes(&self) -> usize {
        usize::from(self.is_changed) + self.ended.len() + self.ended_sessions.len()
    }

    /// The records that it writes.
    pub(super) fn into_writes(self, job: &JobKey) -> Vec<(Key, Record)> {
        let mut writes = Vec::from([(Key::Job(job.clone()), Record::Job(self.record))]);
        let ended = self.ended.into_iter();
        writes.extend(ended.map(|(slot, ended)| (Key::Ended(job.clone(), slot), Record::Ended(ended))));
        let sessions = self.ended_sessions.into_iter();
        writes.extend(sessions.map(|(node, (_, record))| (Key::Session(node), Record::Session(record))));
        writes
    }

    /// The entry at this place becomes an ended tick.
    pub(super) fn end(&mut self, at: usize, outcome: Outcome, lasted: Option<Duration>) {
        let entry = self.record.entries.remove(at);
        self.is_changed = true;
        self.write(EndedTick {
            gap: Gap::single(entry.tick),
            attempt: entry.attempt,
            node: entry.node,
            run: Some(entry.run),
            at: entry.claimed,
            lasted,
            outcome,
        });
    }

    /// The entry at this place was given back, and nothing follows: its tick is missed, unless an earlier attempt was started. How
    /// that one ended is recorded already. Returns whether the tick is missed.
    pub(super) fn end_unstarted(&mut self, at: usize) -> bool {
        if self.record.entries.get(at).is_none_or(|entry| entry.attempt == 1) {
            self.end(at, NEVER_STARTED, None);
            return true;
        }
        let entry = self.record.entries.remove(at);
        self.is_changed = true;
        self.note_last(LastTick {
            tick: entry.tick,
            node: None,
            outcome: Outcome::Interrupted,
        });
        false
    }

    /// Another attempt follows the one at this place, which becomes an ended tick; the last one's is not changed.
    pub(super) fn replace(&mut self, at: usize, next: Entry) {
        let old = core::mem::replace(&mut self.record.entries[at], next);
        self.is_changed = true;
        if old.state == EntryState::NeverStarted {
            return;
        }
        let last = self.record.last.clone();
        self.write(EndedTick {
            gap: Gap::single(old.tick),
            attempt: old.attempt,
            node: old.node,
            run: Some(old.run),
            at: old.claimed,
            lasted: None,
            outcome: Outcome::Interrupted,
        });
        self.record.last = last;
    }

    /// The ticks were not started: `node` records it.
    pub(super) fn miss(&mut self, gap: Gap, outcome: Outcome, node: &NodeName, now: Now) {
        self.is_changed = true;
        self.write(EndedTick {
            gap,
            attempt: 0,
            node: node.clone(),
            run: None,
            at: now.wall,
            lasted: None,
            outcome,
        });
    }

    fn write(&mut self, ended: EndedTick) {
        self.note_last(LastTick {
            tick: ended.gap.last,
            node: (ended.attempt > 0).then(|| ended.node.clone()),
            outcome: ended.outcome,
        });
        let slot = self.record.next_slot();
        self.record.written = self.record.written.saturating_add(1);
        self.ended.insert(slot, ended);
        debug_assert!(slot < MOST_SLOTS, "a slot within the round");
    }

    fn note_last(&mut self, ended: LastTick) {
        if self.record.last.as_ref().is_none_or(|last| last.tick <= ended.tick) {
            self.record.last = Some(ended);
        }
    }

    /// The place of the entry of this tick that is the latest attempt.
    pub(super) fn place(&self, tick: TickTime) -> Option<usize> {
        self.record.entries.iter().position(|entry| entry.tick == tick)
    }
}

/// How a tick is recorded whose entry was given back and that nobody took.
pub(super) const NEVER_STARTED: Outcome = Outcome::Missed(MissReason::NotAsked);
