//! A store in memory. It is linearizable, until it is told to lose data.

mod ticks;

use lease::{
    Change, ClusterName, ClusterRecord, Found, Incarnation, Key, LARGEST_EPOCH, NodeName, Reading, Record, Verdict,
    Version,
};

/// The records, and what identifies them.
#[derive(Clone, Debug)]
pub struct Store {
    data: Data,
    snapshot: Data,
    incarnation: Option<Incarnation>,
    /// How often the store has restarted or lost data; its incarnation, if it has one.
    restarts: u8,
    /// How often it has lost data.
    losses: u8,
    /// How often it has gone back under the same incarnation.
    rewinds: u8,
    /// Whether readings have a revision.
    has_revision: bool,
    /// Whether the store answers.
    pub up: bool,
}

#[derive(Clone, Debug)]
struct Data {
    revision: u64,
    sessions: Vec<(NodeName, Found)>,
    clusters: Vec<(ClusterName, Found)>,
    /// All records of the claims machine, by their keys.
    ticks: Vec<(claims::Key, claims::Found)>,
}

/// What happens to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing, and the incarnation stays too.
    None,
    /// Nothing, but the incarnation changes.
    Renamed,
    /// All data are lost, and the incarnation changes, if the store has one.
    All,
    /// The data go back to the last snapshot, and the incarnation changes. Versions are used again for other content.
    Back,
    /// The same, but only the revision shows it: the incarnation stays. The revision goes back to a time before all reads. For a store
    /// that has a revision.
    Rewound,
}

/// A revision that goes back goes back by this much, and is still positive after a few times.
const REWOUND_BY: u64 = 1_000_000;

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(has_incarnation: bool, has_revision: bool) -> Self {
        Self {
            data: Data::EMPTY,
            snapshot: Data::EMPTY,
            incarnation: has_incarnation.then(|| Incarnation([0].into())),
            restarts: 0,
            losses: 0,
            rewinds: 0,
            has_revision,
            up: true,
        }
    }

    /// Keeps the data for [`Loss::Back`].
    pub fn take_snapshot(&mut self) {
        self.snapshot = self.data.clone();
    }

    /// Whether the store has an incarnation.
    #[must_use]
    pub const fn has_incarnation(&self) -> bool {
        self.incarnation.is_some()
    }

    /// Restarts with what the loss leaves.
    pub fn lose(&mut self, loss: Loss) {
        match loss {
            Loss::None => return,
            Loss::Renamed => {}
            // Without an incarnation no version may be used twice, so the revision stays.
            Loss::All if self.incarnation.is_none() => {
                self.data.sessions.clear();
                self.data.clusters.clear();
                self.data.ticks.clear();
            }
            Loss::All => self.data = Data::EMPTY,
            Loss::Back => self.data = self.snapshot.clone(),
            Loss::Rewound => {
                let before = self.data.revision;
                self.data = self.snapshot.clone();
                self.data.revision = before.saturating_sub(REWOUND_BY);
                self.rewinds += 1;
            }
        }
        self.restarts = self.restarts.wrapping_add(1);
        self.losses += u8::from(matches!(loss, Loss::All | Loss::Back | Loss::Rewound));
        if self.incarnation.is_some() && loss != Loss::Rewound {
            self.incarnation = Some(Incarnation([self.restarts].into()));
        }
    }

    /// How often it has restarted or lost data.
    pub(crate) const fn restarts(&self) -> u8 {
        self.restarts
    }

    /// How often it has lost data.
    pub(crate) const fn losses(&self) -> u8 {
        self.losses
    }

    /// How often it has gone back under the same incarnation.
    pub(crate) const fn rewinds(&self) -> u8 {
        self.rewinds
    }

    /// Whether readings have a revision.
    #[must_use]
    pub const fn has_revision(&self) -> bool {
        self.has_revision
    }

    /// Somebody else writes this record; `None`: bytes that are not a record.
    pub fn overwrite(&mut self, key: &Key, record: Option<Record>) {
        self.data.revision += 1;
        self.data.put(key, record);
    }

    /// Somebody else deletes the record of this cluster.
    pub fn delete(&mut self, cluster: &ClusterName) {
        self.data.revision += 1;
        self.data.clusters.retain(|(of, _)| of != cluster);
    }

    /// What is stored for the session of this node.
    #[must_use]
    pub fn session_found(&self, node: &NodeName) -> Option<&Found> {
        let mut sessions = self.data.sessions.iter();
        sessions.find(|(of, _)| of == node).map(|(_, found)| found)
    }

    /// The record of this cluster, if there is one that can be read.
    #[must_use]
    pub fn cluster(&self, name: &ClusterName) -> Option<&ClusterRecord> {
        match self.data.get(&Key::Cluster(name.clone()))?.record.as_ref()? {
            Record::Cluster(record) => Some(record),
            Record::Session(_) => None,
        }
    }

    /// Whether the cluster has a record that no node may change.
    #[must_use]
    pub fn is_spoilt(&self, name: &ClusterName) -> bool {
        let is_there = self.data.clusters.iter().any(|(of, _)| of == name);
        is_there && self.cluster(name).is_none_or(|record| record.epoch > LARGEST_EPOCH)
    }

    /// Answers [`lease::Action::Read`].
    #[must_use]
    pub fn read(&self, keys: &[Key]) -> Reading {
        Reading {
            incarnation: self.incarnation.clone(),
            revision: self.has_revision.then_some(self.data.revision),
            records: keys.iter().map(|key| self.data.get(key).cloned()).collect(),
        }
    }

    /// Answers [`lease::Action::Change`].
    pub fn change(&mut self, change: &Change) -> Verdict {
        let other = change.incarnation.is_some() && change.incarnation != self.incarnation;
        let holds = |(key, version): &(Key, Option<Version>)| self.data.get(key).map(|found| found.version) == *version;
        if other || !change.conditions.iter().all(holds) {
            return Verdict::Refused;
        }
        self.data.revision += 1;
        for (key, record) in &change.writes {
            self.data.put(key, Some(record.clone()));
        }
        Verdict::Done
    }
}

impl Data {
    const EMPTY: Self = Self {
        revision: 10 * REWOUND_BY,
        sessions: Vec::new(),
        clusters: Vec::new(),
        ticks: Vec::new(),
    };

    fn get(&self, key: &Key) -> Option<&Found> {
        match key {
            Key::Session(name) => self.sessions.iter().find(|(of, _)| of == name).map(|(_, found)| found),
            Key::Cluster(name) => self.clusters.iter().find(|(of, _)| of == name).map(|(_, found)| found),
        }
    }

    fn put(&mut self, key: &Key, record: Option<Record>) {
        let found = Found {
            version: Version(self.revision),
            record,
        };
        match key {
            Key::Session(name) => put(&mut self.sessions, name, found),
            Key::Cluster(name) => put(&mut self.clusters, name, found),
        }
    }
}

fn put<N: PartialEq + Clone, F>(table: &mut Vec<(N, F)>, name: &N, found: F) {
    match table.iter_mut().find(|(of, _)| of == name) {
        Some((_, old)) => *old = found,
        None => table.push((name.clone(), found)),
    }
}
