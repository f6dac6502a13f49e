//! A store in memory: linearizable, until it is told to lose its data.

use lease::{Change, ClusterName, Found, Incarnation, Key, NodeName, Reading, Record, Verdict, Version};

/// The records, and what tells this store from the same with other data.
#[derive(Clone, Debug)]
pub struct Store {
    data: Data,
    snapshot: Data,
    incarnation: Option<Incarnation>,
    lives: u8,
    /// Whether readings have a revision.
    pub revisions: bool,
    /// Whether requests reach it.
    pub up: bool,
}

#[derive(Clone, Debug, Default)]
struct Data {
    revision: u64,
    sessions: Vec<(NodeName, Found)>,
    clusters: Vec<(ClusterName, Found)>,
}

/// What becomes of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All stays, also the incarnation.
    None,
    /// All stays, but nobody can know: another incarnation.
    Renamed,
    /// All is lost: another incarnation, where there is one.
    All,
    /// As it was at the last snapshot: another incarnation. Versions are used again for other content.
    Back,
}

impl Store {
    /// An empty store, with or without an incarnation.
    #[must_use]
    pub fn new(incarnate: bool, revisions: bool) -> Self {
        Self {
            data: Data::default(),
            snapshot: Data::default(),
            incarnation: incarnate.then(|| Incarnation([0].into())),
            lives: 0,
            revisions,
            up: true,
        }
    }

    /// Keeps the data for [`Loss::Back`].
    pub fn take_snapshot(&mut self) {
        self.snapshot = self.data.clone();
    }

    /// Whether it can tell its incarnations apart.
    #[must_use]
    pub const fn is_incarnate(&self) -> bool {
        self.incarnation.is_some()
    }

    /// Starts anew, with what is left.
    pub fn lose(&mut self, loss: Loss) {
        match loss {
            Loss::None => return,
            Loss::Renamed => {}
            // Without an incarnation a version must never be used twice; with one it may.
            Loss::All if self.incarnation.is_none() => {
                self.data.sessions.clear();
                self.data.clusters.clear();
            }
            Loss::All => self.data = Data::default(),
            Loss::Back => self.data = self.snapshot.clone(),
        }
        self.lives = self.lives.wrapping_add(1);
        if self.incarnation.is_some() {
            self.incarnation = Some(Incarnation([self.lives].into()));
        }
    }

    /// Reads records.
    #[must_use]
    pub fn read(&self, keys: &[Key]) -> Reading {
        Reading {
            incarnation: self.incarnation.clone(),
            revision: self.revisions.then_some(self.data.revision),
            records: keys.iter().map(|key| self.data.get(key).cloned()).collect(),
        }
    }

    /// Changes records, if nothing speaks against it.
    pub fn change(&mut self, change: &Change) -> Verdict {
        let other = change.incarnation.is_some() && change.incarnation != self.incarnation;
        let holds = |(key, version): &(Key, Option<Version>)| self.data.get(key).map(|found| found.version) == *version;
        if other || !change.conditions.iter().all(holds) {
            return Verdict::Refused;
        }
        self.data.revision += 1;
        for (key, record) in &change.writes {
            self.data.put(key, record.clone());
        }
        Verdict::Done
    }
}

impl Data {
    fn get(&self, key: &Key) -> Option<&Found> {
        match key {
            Key::Session(name) => self.sessions.iter().find(|(of, _)| of == name).map(|(_, found)| found),
            Key::Cluster(name) => self.clusters.iter().find(|(of, _)| of == name).map(|(_, found)| found),
        }
    }

    fn put(&mut self, key: &Key, record: Record) {
        let found = Found {
            version: Version(self.revision),
            record: Some(record),
        };
        match key {
            Key::Session(name) => put(&mut self.sessions, name, found),
            Key::Cluster(name) => put(&mut self.clusters, name, found),
        }
    }
}

fn put<N: PartialEq + Clone>(table: &mut Vec<(N, Found)>, name: &N, found: Found) {
    match table.iter_mut().find(|(of, _)| of == name) {
        Some((_, old)) => *old = found,
        None => table.push((name.clone(), found)),
    }
}
