//! The machine, step by step, with a store in a few lines. What many steps come to is the simulation's.

use super::Machine;
use crate::{
    Action, Call, Change, ClusterConfig, ClusterName, ClusterRecord, ClusterStart, Found, Incarnation, Input, Key,
    NodeName, Notice, Ownership, Reading, Record, SessionId, SessionRecord, SessionRef, SessionState, Start,
    StateFileContent, Timing, Verdict, Version,
};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;

const LEASE: Duration = Duration::from_secs(10);
const BEGIN: BootTime = BootTime(Duration::from_secs(1000));

/// A machine, its store, and what it does.
struct Scene {
    machine: Machine,
    now: BootTime,
    records: Vec<(Key, Found)>,
    version: u64,
    incarnation: u8,
    /// Whether state files and epochs can be written.
    disk: bool,
    /// Whether the store answers reads.
    up: bool,
    /// So many of the next changes are done, and their answers lost.
    lost_answers: u32,
    /// What becomes of the next changes; done if none is given.
    fates: Vec<Verdict>,
    /// Everything but wake-ups, in order.
    done: Vec<Action>,
    wake: BootTime,
}

fn name() -> ClusterName {
    ClusterName::new("web")
}

fn node(name: &str) -> NodeName {
    NodeName::new(name).expect("a name")
}

fn start(kept: Option<SessionId>, file: Option<(BootTime, u64)>) -> Start {
    let timing = Timing::new(LEASE, Duration::from_secs(1), Duration::ZERO, Duration::from_secs(5)).expect("spans");
    Start {
        node: node("n1"),
        kept,
        seed: [1, 2],
        clusters: vec![ClusterStart {
            config: ClusterConfig {
                name: name(),
                timing,
                priority: 100,
            },
            drained: false,
            epoch: 0,
            file,
        }],
    }
}

impl Scene {
    fn new(start: Start) -> Self {
        Self {
            machine: Machine::new(start, BEGIN),
            now: BEGIN,
            records: Vec::new(),
            version: 0,
            incarnation: 1,
            disk: true,
            up: true,
            lost_answers: 0,
            fates: Vec::new(),
            done: Vec::new(),
            wake: BEGIN,
        }
    }

    /// Another node's session, open.
    fn with_holder(mut self, id: u8, epoch: u64) -> Self {
        let id = SessionId([id; 16]);
        let session = SessionRecord {
            id,
            heartbeat: 1,
            state: SessionState::Open,
        };
        let by = SessionRef {
            node: node("n2"),
            session: id,
            priority: 100,
        };
        self.put(Key::Session(node("n2")), Record::Session(session));
        self.put(Key::Cluster(name()), Record::Cluster(held(by, epoch)));
        self
    }

    fn put(&mut self, key: Key, record: Record) {
        self.version += 1;
        let found = Found {
            version: Version(self.version),
            record: Some(record),
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

    /// One input and all that follows from it at this instant.
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
                    other => self.done.push(other),
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
                done: self.disk,
            }),
            Action::PersistEpoch { cluster, epoch } => Some(Input::EpochKept {
                cluster: cluster.clone(),
                epoch: *epoch,
                done: self.disk,
            }),
            _ => None,
        }
    }

    fn read(&self, call: Call, keys: &[Key]) -> Input {
        let reading = Reading {
            incarnation: Some(Incarnation([self.incarnation].into())),
            revision: Some(self.version),
            records: keys.iter().map(|key| self.get(key).cloned()).collect(),
        };
        Input::Read(call, self.up.then_some(reading))
    }

    fn change(&mut self, change: &Change) -> Verdict {
        let fate = if self.fates.is_empty() {
            Verdict::Done
        } else {
            self.fates.remove(0)
        };
        let holds = change
            .conditions
            .iter()
            .all(|(key, version)| self.get(key).map(|found| found.version) == *version);
        assert!(holds || fate != Verdict::Done, "nobody else is here to move a version");
        let lost = self.lost_answers > 0;
        self.lost_answers = self.lost_answers.saturating_sub(1);
        if fate == Verdict::Done {
            change
                .writes
                .iter()
                .for_each(|(key, record)| self.put(key.clone(), record.clone()));
        }
        if lost { Verdict::NoAnswer } else { fate }
    }

    /// Time goes on, wake-up by wake-up.
    fn pass(&mut self, span: Duration) {
        let end = self.now.after(span);
        while self.wake <= end {
            self.now = self.wake.max(self.now);
            self.give(Input::Tick);
            // Nothing takes no time at all.
            self.wake = self.wake.max(self.now.after(Duration::from_millis(1)));
        }
        self.now = end;
    }

    fn pass_ms(&mut self, span: u64) {
        self.pass(Duration::from_millis(span));
    }

    /// The last thing that was to stand in the file.
    fn content(&self) -> Option<StateFileContent> {
        let marks = self.done.iter().rev();
        marks.into_iter().find_map(|action| match action {
            Action::WriteState { content, .. } => Some(*content),
            _ => None,
        })
    }

    fn is_active(&self) -> bool {
        matches!(self.content(), Some(StateFileContent::Active { until, .. }) if until > self.now)
    }

    fn tells(&self) -> Vec<&Notice> {
        let tells = self.done.iter().filter_map(|action| match action {
            Action::Notify(tell) => Some(tell),
            _ => None,
        });
        tells.collect()
    }

    fn wins(mut self) -> Self {
        self.give(Input::Tick);
        self.pass_ms(13_000);
        assert!(self.is_active(), "{:?}", self.done);
        self
    }
}

fn held(by: SessionRef, epoch: u64) -> ClusterRecord {
    ClusterRecord {
        epoch,
        lease: crate::LeaseDuration::new(LEASE).expect("a lease"),
        ownership: Ownership::Held { by, ask: None },
    }
}

#[test]
fn a_missing_record_is_not_free() {
    let mut scene = Scene::new(start(None, None));
    scene.give(Input::Tick);
    assert_eq!(scene.content(), Some(StateFileContent::Passive));
    // A lease and its margin, from after the first read that found the own session and no record.
    scene.pass_ms(11_300);
    assert!(scene.cluster().is_none());
    scene.pass_ms(200);
    assert_eq!(scene.cluster().map(|record| record.epoch), Some(1));
    // `settle`, for the wall clocks.
    assert!(!scene.is_active());
    scene.pass_ms(1000);
    assert!(scene.is_active());
}

#[test]
fn a_holder_that_stands_still_is_waited_for_and_its_session_ended() {
    let mut scene = Scene::new(start(None, None)).with_holder(7, 41);
    scene.give(Input::Tick);
    scene.pass_ms(10_200);
    assert_eq!(scene.cluster().map(|record| record.epoch), Some(41));
    scene.pass_ms(1500);
    assert_eq!(scene.cluster().map(|record| record.epoch), Some(42));
    let old = scene
        .get(&Key::Session(node("n2")))
        .and_then(|found| found.record.clone());
    let Some(Record::Session(SessionRecord { state, .. })) = old else {
        panic!("{old:?}")
    };
    assert!(matches!(state, SessionState::Ended { .. }));
}

#[test]
fn a_holder_that_lives_keeps_it() {
    let mut scene = Scene::new(start(None, None)).with_holder(7, 41);
    scene.give(Input::Tick);
    for heartbeat in 2..20 {
        scene.pass_ms(3300);
        let session = SessionRecord {
            id: SessionId([7; 16]),
            heartbeat,
            state: SessionState::Open,
        };
        scene.put(Key::Session(node("n2")), Record::Session(session));
    }
    assert_eq!(scene.cluster().map(|record| record.epoch), Some(41));
    assert_eq!(scene.content(), Some(StateFileContent::Passive));
}

#[test]
fn no_answer_costs_nothing_until_the_lease_is_over() {
    let mut scene = Scene::new(start(None, None)).wins();
    scene.fates = vec![Verdict::NoAnswer; 1000];
    scene.pass_ms(6000);
    assert!(scene.is_active());
    scene.pass_ms(6000);
    assert!(!scene.is_active());
    assert!(scene.tells().contains(&&Notice::LeaseOver(name())));
}

#[test]
fn a_silent_store_is_told_of_once() {
    let mut scene = Scene::new(start(None, None)).wins();
    scene.up = false;
    scene.pass_ms(600_000);
    assert!(!scene.is_active());
    scene.up = true;
    scene.pass_ms(2000);
    assert!(scene.is_active(), "back within 2 s");
    let (silent, back) = (Notice::StoreSilent, Notice::StoreBack);
    let tells: Vec<_> = scene
        .tells()
        .into_iter()
        .filter(|tell| **tell == silent || **tell == back)
        .collect();
    assert_eq!(tells, [&silent, &back]);
}

#[test]
fn a_refusal_is_passive_at_once() {
    let mut scene = Scene::new(start(None, None)).wins();
    let before = scene.done.len();
    scene.fates = vec![Verdict::Refused];
    scene.pass_ms(3400);
    let marks: Vec<_> = scene.done[before..]
        .iter()
        .filter_map(|action| match action {
            Action::WriteState { content, .. } => Some(*content),
            _ => None,
        })
        .collect();
    // The next read showed that all is well, after all.
    assert_eq!(marks.first(), Some(&StateFileContent::Passive), "{marks:?}");
    assert!(
        matches!(marks.last(), Some(StateFileContent::Active { .. })),
        "{marks:?}"
    );
}

#[test]
fn the_file_is_passive_before_the_cluster_is_free() {
    let mut scene = Scene::new(start(None, None)).wins();
    let before = scene.done.len();
    scene.give(Input::Stop);
    scene.pass_ms(1000);
    let after = &scene.done[before..];
    let passive = after.iter().position(|action| {
        matches!(
            action,
            Action::WriteState {
                content: StateFileContent::Passive,
                ..
            }
        )
    });
    let free = after.iter().position(|action| match action {
        Action::Change { change, .. } => change.writes.iter().any(|(_, record)| {
            matches!(
                record,
                Record::Cluster(ClusterRecord {
                    ownership: Ownership::Free { .. },
                    ..
                })
            )
        }),
        _ => false,
    });
    assert!(passive.is_some() && free.is_some() && passive < free, "{after:?}");
    assert_eq!(after.last(), Some(&Action::Stopped));
    assert!(scene.machine.is_finished());
}

#[test]
fn who_cannot_write_does_not_win() {
    let mut scene = Scene::new(start(None, None));
    scene.disk = false;
    scene.give(Input::Tick);
    scene.pass_ms(60_000);
    assert!(scene.cluster().is_none());
    assert!(scene.tells().contains(&&Notice::Unwritable(name())));
    scene.disk = true;
    scene.pass_ms(5000);
    assert!(scene.is_active());
}

/// A process that has ended while it was active, and the next one with what it finds.
fn restarted(file: impl FnOnce(BootTime, u64) -> Option<(BootTime, u64)>) -> Scene {
    let mut first = Scene::new(start(None, None)).wins();
    let id = first.done.iter().rev().find_map(|action| match action {
        Action::KeepIdentity(id) => Some(*id),
        _ => None,
    });
    let Some(StateFileContent::Active { until, epoch, .. }) = first.content() else {
        panic!("active")
    };
    let mut second = Scene::new(start(id, file(until, epoch)));
    second.records = core::mem::take(&mut first.records);
    (second.version, second.now, second.wake) = (first.version, first.now, first.now);
    second
}

#[test]
fn a_restarted_daemon_takes_its_session_up() {
    let mut second = restarted(|until, epoch| Some((until, epoch)));
    second.give(Input::Tick);
    assert_eq!(second.cluster().map(|record| record.epoch), Some(1));
    assert!(
        matches!(second.content(), Some(StateFileContent::Active { epoch: 1, .. })),
        "{:?}",
        second.done
    );
}

#[test]
fn a_lease_in_a_file_is_believed_for_no_longer_than_one_lasts() {
    let mut second = restarted(|until, epoch| Some((until.after(Duration::from_secs(300)), epoch)));
    second.fates = vec![Verdict::NoAnswer; 1000];
    second.give(Input::Tick);
    assert!(second.is_active());
    second.pass(LEASE);
    assert!(!second.is_active(), "{:?}", second.content());
}

#[test]
fn a_cluster_that_no_file_tells_of_is_waited_out_and_the_session_goes_on() {
    let mut second = restarted(|_, _| None);
    second.give(Input::Tick);
    second.pass_ms(9000);
    assert_eq!(second.content(), Some(StateFileContent::Passive));
    assert_eq!(second.cluster().map(|record| record.epoch), Some(1));
    second.pass_ms(4000);
    assert!(second.is_active());
    assert_eq!(second.cluster().map(|record| record.epoch), Some(2));
    assert!(
        !second.tells().iter().any(|tell| matches!(tell, Notice::SessionLost(_))),
        "{:?}",
        second.tells()
    );
}

#[test]
fn a_restarted_daemon_that_is_stopped_before_the_store_answers_is_passive_at_once() {
    let mut second = restarted(|until, epoch| Some((until, epoch)));
    second.up = false;
    second.give(Input::Tick);
    assert_eq!(second.content(), None, "nobody knows yet");
    second.give(Input::Stop);
    assert_eq!(second.content(), Some(StateFileContent::Passive));
}

#[test]
fn a_cluster_that_was_perhaps_won_is_given_back_before_it_is_forgotten() {
    let mut scene = Scene::new(start(None, None));
    scene.give(Input::Tick);
    scene.pass_ms(9000);
    scene.lost_answers = 1000;
    scene.pass_ms(3000);
    assert!(scene.cluster().is_some(), "won, and not known");
    scene.up = false;
    scene.give(Input::Configure(Vec::new()));
    scene.pass_ms(5000);
    (scene.up, scene.lost_answers) = (true, 0);
    scene.pass_ms(5000);
    let ownership = scene.cluster().map(|record| record.ownership.clone());
    assert!(matches!(ownership, Some(Ownership::Free { .. })), "{ownership:?}");
    assert_eq!(scene.machine.views().count(), 0);
}

#[test]
fn a_store_that_takes_no_changes_is_silent_whatever_it_reads() {
    let mut scene = Scene::new(start(None, None)).wins();
    scene.fates = vec![Verdict::NoAnswer; 100_000];
    scene.pass_ms(60_000);
    assert_eq!(
        scene
            .tells()
            .iter()
            .filter(|tell| ***tell == Notice::StoreSilent)
            .count(),
        1
    );
    assert!(!scene.machine.is_answered());
    scene.fates.clear();
    scene.pass_ms(2000);
    assert!(scene.tells().contains(&&Notice::StoreBack));
}

#[test]
fn a_name_that_another_living_machine_has_is_left_to_it() {
    let mut scene = Scene::new(start(None, None));
    for heartbeat in 1..20 {
        let session = SessionRecord {
            id: SessionId([9; 16]),
            heartbeat,
            state: SessionState::Open,
        };
        scene.put(Key::Session(node("n1")), Record::Session(session));
        scene.give(Input::Tick);
        scene.pass_ms(3000);
    }
    assert_eq!(scene.tells(), [&Notice::NameTaken]);
    assert!(!scene.done.iter().any(|action| matches!(action, Action::Change { .. })));
}

#[test]
fn other_data_begin_all_waiting_anew_and_a_holder_in_time_goes_on() {
    let mut holder = Scene::new(start(None, None)).wins();
    holder.incarnation = 2;
    holder.pass_ms(10_000);
    assert!(holder.is_active());
    let mut candidate = Scene::new(start(None, None)).with_holder(7, 41);
    candidate.give(Input::Tick);
    candidate.pass_ms(8000);
    candidate.incarnation = 2;
    candidate.pass_ms(9000);
    assert_eq!(candidate.cluster().map(|record| record.epoch), Some(41));
    candidate.pass_ms(4000);
    assert_eq!(candidate.cluster().map(|record| record.epoch), Some(42));
}
