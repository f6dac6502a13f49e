//! The machine, step by step, with a small store. The simulation covers many steps and many nodes.

mod release;
mod renewal;
mod restart;
mod session;
mod settle;
mod share;
mod store;
mod takeover;

use super::Machine;
use crate::{
    Action, Call, Change, ClusterConfig, ClusterName, ClusterRecord, ClusterStart, Found, Incarnation, Input, Key,
    LeaseDuration, NodeName, Notice, Ownership, Reading, Record, RunOn, SessionId, SessionRecord, SessionRef,
    SessionState, Start, StateFileContent, Timing, Verdict, Version,
};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;

const LEASE: Duration = Duration::from_secs(10);
const BEGIN: BootTime = BootTime(Duration::from_secs(1000));

/// The machine of node n1, its store, and what it does.
struct Fixture {
    machine: Machine,
    now: BootTime,
    records: Vec<(Key, Found)>,
    version: u64,
    /// 0: the store has none, and no revision either.
    incarnation: u8,
    /// Whether state files and epochs can be written.
    can_write: bool,
    /// Whether the store answers reads.
    answers_reads: bool,
    /// How many of the next changes are done without an answer.
    lost_answers: u32,
    /// Whether the store refuses each change of a cluster.
    refuses_takeovers: bool,
    /// The results of the next changes; `Done` after the last one.
    verdicts: Vec<Verdict>,
    /// All actions except wake-ups, in order.
    actions: Vec<Action>,
    wake: BootTime,
}

fn name() -> ClusterName {
    ClusterName::new("web")
}

fn node(name: &str) -> NodeName {
    NodeName::new(name).expect("a name")
}

fn start(kept: Option<SessionId>, file: Option<(BootTime, u64)>) -> Start {
    let seconds = Duration::from_secs;
    let timing = Timing::new(LEASE, seconds(1), Duration::ZERO, seconds(5)).expect("durations within their limits");
    Start {
        node: node("n1"),
        kept,
        seed: [1, 2],
        clusters: vec![ClusterStart {
            config: ClusterConfig {
                name: name(),
                timing,
                priority: 100,
                run_on: RunOn::Active,
            },
            drained: false,
            epoch: 0,
            file: file.map(|(until, epoch)| StateFileContent::Active {
                until,
                epoch,
                draining: false,
            }),
            shared: false,
        }],
    }
}

impl Fixture {
    fn new(start: Start) -> Self {
        Self {
            machine: Machine::new(start, BEGIN),
            now: BEGIN,
            records: Vec::new(),
            version: 0,
            incarnation: 1,
            can_write: true,
            answers_reads: true,
            lost_answers: 0,
            refuses_takeovers: false,
            verdicts: Vec::new(),
            actions: Vec::new(),
            wake: BEGIN,
        }
    }

    /// Node n2 holds the cluster with an open session.
    fn with_holder(mut self, id: u8, epoch: u64) -> Self {
        self.put_session("n2", id, 1);
        let by = SessionRef {
            node: node("n2"),
            session: SessionId([id; 16]),
            priority: 100,
        };
        let record = ClusterRecord {
            epoch,
            lease: LeaseDuration::new(LEASE).expect("a lease"),
            ownership: Ownership::Held { by, ask: None },
        };
        self.put(Key::Cluster(name()), Record::Cluster(record));
        self
    }

    /// Writes an open session, as its own node does.
    fn put_session(&mut self, of: &str, id: u8, heartbeat: u64) {
        let session = SessionRecord {
            id: SessionId([id; 16]),
            heartbeat,
            state: SessionState::Open,
        };
        self.put(Key::Session(node(of)), Record::Session(session));
    }

    fn put(&mut self, key: Key, record: Record) {
        self.put_found(key, Some(record));
    }

    /// Writes bytes that are not a record.
    fn spoil(&mut self, key: Key) {
        self.put_found(key, None);
    }

    fn put_found(&mut self, key: Key, record: Option<Record>) {
        self.version += 1;
        let found = Found {
            version: Version(self.version),
            record,
        };
        self.records.retain(|(of, _)| *of != key);
        self.records.push((key, found));
    }

    fn get(&self, key: &Key) -> Option<&Found> {
        self.records.iter().find(|(of, _)| of == key).map(|(_, found)| found)
    }

    fn cluster(&self) -> Option<&ClusterRecord> {
        match self.get(&Key::Cluster(name()))?.record.as_ref()? {
            Record::Cluster(record) => Some(record),
            Record::Session(_) => None,
        }
    }

    fn epoch(&self) -> Option<u64> {
        self.cluster().map(|record| record.epoch)
    }

    /// Passes an input, and then the answers to all actions, without letting time pass.
    fn give(&mut self, input: Input) {
        let mut inputs = vec![input];
        while !inputs.is_empty() {
            let mut actions = Vec::new();
            for input in core::mem::take(&mut inputs) {
                self.machine.step(self.now, input, &mut actions);
            }
            for action in actions {
                inputs.extend(self.answer(&action));
                match action {
                    Action::WakeAt(at) => self.wake = at,
                    other => self.actions.push(other),
                }
            }
        }
    }

    fn answer(&mut self, action: &Action) -> Option<Input> {
        match action {
            Action::Read { call, keys, .. } => Some(self.read(*call, keys)),
            Action::Change { call, change, .. } => Some(Input::Changed(*call, self.change(change))),
            Action::WriteState { cluster, .. } => Some(Input::StateWritten {
                cluster: cluster.clone(),
                done: self.can_write,
            }),
            Action::PersistEpoch { cluster, epoch } => Some(Input::EpochKept {
                cluster: cluster.clone(),
                epoch: *epoch,
                done: self.can_write,
            }),
            _ => None,
        }
    }

    fn read(&self, call: Call, keys: &[Key]) -> Input {
        let reading = Reading {
            incarnation: (self.incarnation > 0).then(|| Incarnation([self.incarnation].into())),
            revision: (self.incarnation > 0).then_some(self.version),
            records: keys.iter().map(|key| self.get(key).cloned()).collect(),
        };
        Input::Read(call, self.answers_reads.then_some(reading))
    }

    fn change(&mut self, change: &Change) -> Verdict {
        let verdict = if self.refuses_takeovers && change.writes.len() > 1 {
            Verdict::Refused
        } else if self.verdicts.is_empty() {
            Verdict::Done
        } else {
            self.verdicts.remove(0)
        };
        let holds = change
            .conditions
            .iter()
            .all(|(key, version)| self.get(key).map(|found| found.version) == *version);
        assert!(holds || verdict != Verdict::Done, "no other node moves a version here");
        let lost = self.lost_answers > 0;
        self.lost_answers = self.lost_answers.saturating_sub(1);
        if verdict == Verdict::Done {
            for (key, record) in &change.writes {
                self.put(key.clone(), record.clone());
            }
        }
        if lost { Verdict::NoAnswer } else { verdict }
    }

    /// Lets time pass, from wake-up to wake-up.
    fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while self.wake <= end {
            self.now = self.wake.max(self.now);
            self.give(Input::Tick);
            // A step takes some time.
            self.wake = self.wake.max(self.now.after(Duration::from_millis(1)));
        }
        self.now = end;
    }

    fn pass_ms(&mut self, milliseconds: u64) {
        self.pass(Duration::from_millis(milliseconds));
    }

    /// All contents of the state file, in their order, after the first actions.
    fn contents(&self, after: usize) -> Vec<StateFileContent> {
        let contents = self.actions[after..].iter().filter_map(|action| match action {
            Action::WriteState { content, .. } => Some(*content),
            _ => None,
        });
        contents.collect()
    }

    fn content(&self) -> Option<StateFileContent> {
        self.contents(0).last().copied()
    }

    fn is_active(&self) -> bool {
        matches!(self.content(), Some(StateFileContent::Active { until, .. }) if until > self.now)
    }

    fn count(&self, notice: &Notice) -> usize {
        self.notices().iter().filter(|of| **of == notice).count()
    }

    fn notices(&self) -> Vec<&Notice> {
        let notices = self.actions.iter().filter_map(|action| match action {
            Action::Notify(notice) => Some(notice),
            _ => None,
        });
        notices.collect()
    }

    fn wins(mut self) -> Self {
        self.give(Input::Tick);
        self.pass_ms(13_000);
        assert!(self.is_active(), "{:?}", self.actions);
        self
    }
}
