//! Nodes with a store in memory. The test decides when a call is answered, and how.

use crate::*;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use lease::{
    ClusterName, Incarnation, LeaseDuration, NodeName, SessionId, SessionRecord, SessionState, Verdict, Version,
};
use policy::claim::{Answer, ClaimId, Ended};
use policy::exit::Outcome as ExitOutcome;
use policy::moment::{BootTime, WallTime};
use policy::tick::TickTime;

/// 2026-12-01T03:00:00Z.
pub(super) const TICK: u64 = 1_796_094_000;

/// Every minute.
#[derive(Debug)]
pub(super) struct Minutely;

impl Schedule for Minutely {
    fn gap(&self, after: TickTime, before: TickTime) -> Option<Gap> {
        let first = after.0 / 60 * 60 + 60;
        let last = before.0.checked_sub(1)? / 60 * 60;
        (first <= last).then(|| Gap {
            first: TickTime(first),
            last: TickTime(last),
            count: u32::try_from((last - first) / 60 + 1).expect("few"),
        })
    }
}

pub(super) fn cluster() -> ClusterName {
    ClusterName::new("main")
}

pub(super) fn job(name: &str) -> JobKey {
    JobKey::new(cluster(), "root", name)
}

pub(super) fn node(number: u8) -> NodeName {
    NodeName::new(&format!("server{number}")).expect("a name")
}

pub(super) fn run(number: u64) -> ClaimId {
    ClaimId::new(format!("00000000-0000-7000-8000-{number:012x}").as_bytes()).expect("a UUID")
}

/// The records, with versions that never come back.
#[derive(Default)]
pub(super) struct Store {
    pub(super) records: BTreeMap<Key, (Version, Record)>,
    version: u64,
    pub(super) changes: usize,
    pub(super) incarnation: u8,
}

impl Store {
    pub(super) fn put(&mut self, key: Key, record: Record) {
        self.version += 1;
        self.records.insert(key, (Version(self.version), record));
    }

    /// The node has this session, which is open: another write of it is a renewal.
    pub(super) fn open_session(&mut self, number: u8, id: SessionId) {
        let open = SessionRecord {
            id,
            heartbeat: self.version,
            state: SessionState::Open,
        };
        self.put(Key::Session(node(number)), Record::Session(open));
    }

    fn read(&self, keys: &[Key]) -> Reading {
        let found = |key: &Key| {
            let (version, record) = self.records.get(key)?.clone();
            let record = Some(record);
            Some(Found { version, record })
        };
        Reading {
            incarnation: Some(Incarnation([self.incarnation].into())),
            revision: Some(self.version),
            records: keys.iter().map(found).collect(),
        }
    }

    pub(super) fn change(&mut self, change: &Change) -> Verdict {
        let holds =
            |(key, version): &(Key, Option<Version>)| self.records.get(key).map(|(version, _)| *version) == *version;
        let is_current = change.incarnation == Some(Incarnation([self.incarnation].into()));
        if !is_current || !change.conditions.iter().all(holds) {
            return Verdict::Refused;
        }
        self.changes += 1;
        for (key, record) in &change.writes {
            self.put(key.clone(), record.clone());
        }
        Verdict::Done
    }

    pub(super) fn job(&self, name: &str) -> JobRecord {
        match self.records.get(&Key::Job(job(name))) {
            Some((_, Record::Job(record))) => record.clone(),
            other => panic!("no record of the job: {other:?}"),
        }
    }

    pub(super) fn ended(&self, name: &str, slot: u32) -> EndedTick {
        match self.records.get(&Key::Ended(job(name), slot)) {
            Some((_, Record::Ended(ended))) => ended.clone(),
            other => panic!("no ended tick: {other:?}"),
        }
    }
}

/// A node: its machine, its clocks, and what its rcrons and its log were told.
pub(super) struct Node {
    pub(super) machine: Machine,
    pub(super) facts: Facts,
    pub(super) boot: Duration,
    pub(super) wall: Duration,
    pub(super) answers: Vec<(u64, Answer)>,
    pub(super) notices: Vec<Notice>,
    pub(super) reopened: Vec<Result<alloc::string::String, alloc::string::String>>,
    /// Calls that were not answered yet.
    pub(super) calls: Vec<Action>,
}

impl Node {
    /// A node with an open session and an active state file, at the time of [`TICK`].
    pub(super) fn active(number: u8, store: &mut Store) -> Self {
        let mut node = Self::passive(number, store);
        node.permit(Permission::Active {
            until: BootTime(Duration::from_secs(1010)),
            epoch: 7,
        });
        node
    }

    pub(super) fn passive(number: u8, store: &mut Store) -> Self {
        let wall = Duration::from_secs(TICK);
        let boot = Duration::from_secs(1000);
        let start = Start {
            node: node(number),
            max_skew: Duration::from_secs(10),
            seed: [1, u64::from(number)],
        };
        let now = Now {
            boot: BootTime(boot),
            wall: WallTime(wall),
        };
        let session = SessionId([number; 16]);
        store.open_session(number, session);
        let mut node = Self {
            machine: Machine::new(start, now),
            facts: Facts {
                session: Some(session),
                clusters: BTreeMap::new(),
            },
            boot,
            wall,
            answers: Vec::new(),
            notices: Vec::new(),
            reopened: Vec::new(),
            calls: Vec::new(),
        };
        node.permit(Permission::None(StopReason::Passive));
        node
    }

    pub(super) fn permit(&mut self, permission: Permission) {
        let facts = ClusterFacts {
            permission,
            lease: LeaseDuration::new(Duration::from_secs(10)).expect("a lease"),
            grace: Duration::from_secs(2),
        };
        self.facts.clusters.insert(cluster(), facts);
    }

    pub(super) fn now(&self) -> Now {
        Now {
            boot: BootTime(self.boot),
            wall: WallTime(self.wall),
        }
    }

    /// Time passes. The lease is renewed if there is one.
    pub(super) fn pass(&mut self, time: Duration) {
        self.boot += time;
        self.wall += time;
        if let Some(facts) = self.facts.clusters.get_mut(&cluster()) {
            if let Permission::Active { until, .. } | Permission::Shared { until } = &mut facts.permission {
                *until = BootTime(self.boot + Duration::from_secs(9));
            }
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        let mut out = Vec::new();
        self.machine.step(self.now(), &self.facts, input, &mut out);
        for action in out {
            match action {
                Action::Read { .. } | Action::Change { .. } => self.calls.push(action),
                Action::Answer(client, answer) => self.answers.push((client.0, answer)),
                Action::Reopened(_, result) => self.reopened.push(result),
                Action::Notify(notice) => self.notices.push(notice),
                Action::WakeAt(_) => {}
            }
        }
    }

    /// Answers all calls, until there are none.
    pub(super) fn settle(&mut self, store: &mut Store) {
        self.input(Input::Tick);
        while let Some(action) = (!self.calls.is_empty()).then(|| self.calls.remove(0)) {
            self.answer(action, store);
        }
    }

    /// Answers one call.
    pub(super) fn answer(&mut self, action: Action, store: &mut Store) {
        match action {
            Action::Read { call, keys, .. } => self.input(Input::Read(call, Some(store.read(&keys)))),
            Action::Change { call, change, .. } => {
                let verdict = store.change(&change);
                self.input(Input::Changed(call, verdict));
            }
            _ => {}
        }
    }

    /// Claims the tick by a change that the store does, and whose answer is lost.
    pub(super) fn claim_without_answer(&mut self, client: u64, name: &str, tick: u64, store: &mut Store) {
        self.claim(client, name, tick);
        let (call, change) = self.until_change(store);
        assert_eq!(store.change(&change), Verdict::Done);
        self.input(Input::Changed(call, Verdict::NoAnswer));
    }

    /// Answers the read, and returns the change that follows.
    pub(super) fn until_change(&mut self, store: &mut Store) -> (u64, Change) {
        loop {
            match self.calls.remove(0) {
                Action::Change { call, change, .. } => return (call, change),
                action => self.answer(action, store),
            }
        }
    }

    pub(super) fn claim(&mut self, client: u64, name: &str, tick: u64) {
        self.claim_with(client, name, tick, |_| {});
    }

    pub(super) fn claim_with(&mut self, client: u64, name: &str, tick: u64, change: impl FnOnce(&mut Claim)) {
        let mut claim = Claim {
            client: Client(client),
            run: run(client),
            job: job(name),
            tick: TickTime(tick),
            deadline: BootTime(self.boot + Duration::from_secs(60)),
            not_before: BootTime(Duration::ZERO),
            spacing: Duration::ZERO,
            rerun: 0,
            skips_overlap: false,
            schedule: Some(Arc::new(Minutely)),
        };
        change(&mut claim);
        self.input(Input::Claim(Box::new(claim)));
    }

    pub(super) fn end(&mut self, client: u64, status: u8) {
        let ended = Ended {
            outcome: ExitOutcome::Exited(status),
            is_demoted: false,
            lasted: Duration::from_secs(3),
        };
        self.input(Input::Ended(Client(client), ended));
    }

    /// What the client was told last, as the line of the protocol.
    pub(super) fn last(&self, client: u64) -> alloc::string::String {
        let mut answers = self.answers.iter().filter(|(to, _)| *to == client);
        answers
            .next_back()
            .map_or_else(|| "nothing".into(), |(_, answer)| answer.line())
    }

    /// A renewal of this node's session.
    pub(super) fn renew(&self, store: &mut Store) {
        let id = self.facts.session.expect("a session");
        store.open_session(id.0[0], id);
    }
}

/// A store in which the floor is set and far below.
pub(super) fn store() -> Store {
    let mut store = Store::default();
    let floor = FloorRecord {
        incarnation: Some(Incarnation([0].into())),
        floor: TickTime(TICK - 100_000),
    };
    store.put(Key::Floor(cluster()), Record::Floor(floor));
    store
}
