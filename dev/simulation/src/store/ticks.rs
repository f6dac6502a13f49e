//! The claims machine's reads and changes. Both machines see the same session records.

use super::{Data, Store, put};
use claims::{Change, Found, Key, Reading, Record};
use lease::{NodeName, SessionRecord, Verdict, Version};

impl Store {
    /// Answers [`claims::Action::Read`].
    #[must_use]
    pub fn read_ticks(&self, keys: &[Key]) -> Reading {
        Reading {
            incarnation: self.incarnation.clone(),
            revision: self.has_revision.then_some(self.data.revision),
            records: keys.iter().map(|key| self.data.find(key)).collect(),
        }
    }

    /// Answers [`claims::Action::Change`].
    pub fn change_ticks(&mut self, change: &Change) -> Verdict {
        let other = change.incarnation.is_some() && change.incarnation != self.incarnation;
        let holds = |(key, version): &(Key, Option<Version>)| self.data.version(key) == *version;
        if other || !change.conditions.iter().all(holds) {
            return Verdict::Refused;
        }
        self.data.revision += 1;
        for (key, record) in &change.writes {
            self.data.put_tick(key, record.clone());
        }
        Verdict::Done
    }

    /// The record of this key, if there is one. Sessions are not covered.
    #[must_use]
    pub fn tick_record(&self, key: &Key) -> Option<&Record> {
        let mut records = self.data.ticks.iter();
        records.find(|(of, _)| of == key)?.1.record.as_ref()
    }

    /// The session record of this node, if there is one that can be read.
    #[must_use]
    pub fn session(&self, node: &NodeName) -> Option<&SessionRecord> {
        let (_, found) = self.data.sessions.iter().find(|(of, _)| of == node)?;
        match found.record.as_ref()? {
            lease::Record::Session(record) => Some(record),
            lease::Record::Cluster(_) => None,
        }
    }
}

impl Data {
    fn version(&self, key: &Key) -> Option<Version> {
        match key {
            Key::Session(name) => self
                .sessions
                .iter()
                .find(|(of, _)| of == name)
                .map(|(_, found)| found.version),
            key => self
                .ticks
                .iter()
                .find(|(of, _)| of == key)
                .map(|(_, found)| found.version),
        }
    }

    fn find(&self, key: &Key) -> Option<Found> {
        let Key::Session(name) = key else {
            let (_, found) = self.ticks.iter().find(|(of, _)| of == key)?;
            return Some(found.clone());
        };
        let (_, found) = self.sessions.iter().find(|(of, _)| of == name)?;
        let record = match &found.record {
            Some(lease::Record::Session(record)) => Some(Record::Session(record.clone())),
            _ => None,
        };
        let version = found.version;
        Some(Found { version, record })
    }

    fn put_tick(&mut self, key: &Key, record: Record) {
        let version = Version(self.revision);
        match (key, record) {
            (Key::Session(name), Record::Session(record)) => {
                let record = Some(lease::Record::Session(record));
                put(&mut self.sessions, name, lease::Found { version, record });
            }
            (key, record) => {
                let record = Some(record);
                put(&mut self.ticks, key, Found { version, record });
            }
        }
    }
}
