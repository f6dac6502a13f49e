//! A read has ended: takes in what it found, and plans the change that follows.

use super::permit::Standing;
use super::round::Phase;
use super::{JobView, Machine};
use crate::job::JobKey;
use crate::message::{Action, Call, Change, Facts, Found, Key, Notice, Now, Reading, Record};
use crate::mutation::Mutation;
use crate::record::JobList;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use lease::{ClusterName, SessionId, SessionState, Version};

/// What a read found, by key.
pub(super) struct Snapshot<'a>(BTreeMap<&'a Key, Option<&'a Found>>);

/// The list of a cluster's jobs.
pub(super) enum ListView {
    /// With the version for a change; `None`: there is no record.
    Readable(Option<Version>, JobList),
    Unreadable,
}

impl<'a> Snapshot<'a> {
    fn new(keys: &'a [Key], reading: &'a Reading) -> Self {
        Self(keys.iter().zip(reading.records.iter().map(Option::as_ref)).collect())
    }

    /// The outer option is `None` if the key was not read.
    #[expect(
        clippy::option_option,
        reason = "not read, and read without finding a record, are two things"
    )]
    pub(super) fn get(&self, key: &Key) -> Option<Option<&'a Found>> {
        self.0.get(key).copied()
    }
}

impl Machine {
    pub(super) fn take_reading(&mut self, now: Now, call: Call, reading: Option<Reading>, out: &mut Vec<Action>) {
        let Phase::Reading { call: current, .. } = &self.phase else {
            return;
        };
        if *current != call {
            return;
        }
        let Phase::Reading { facts, jobs, keys, .. } = core::mem::replace(&mut self.phase, Phase::Idle) else {
            return;
        };
        let reading = reading.filter(|reading| reading.records.len() == keys.len());
        let Some(reading) = reading else {
            self.store_is_silent(now, jobs, out);
            return;
        };
        self.store.is_answering = true;
        self.take_store(&reading, &jobs);
        let snapshot = Snapshot::new(&keys, &reading);
        self.take_records(now, &keys, &snapshot, out);
        let floors = self.read_floors(now, &keys, &snapshot);
        self.expected.retain(|cluster| floors.is_to_be_set(cluster));
        if let Some(change) = floors.change(reading.incarnation.as_ref()) {
            self.begin_change(now, change, jobs, floors.effects(), out);
            return;
        }
        let standing = Facts::clone(&self.facts);
        let standing = Standing {
            before: &facts,
            now: &standing,
            session: self.own_session(&snapshot),
            time: now.boot,
        };
        self.plan(
            now,
            &standing,
            &floors,
            &jobs,
            &snapshot,
            reading.incarnation.as_ref(),
            out,
        );
    }

    /// Notices a store with other data, or with older ones.
    fn take_store(&mut self, reading: &Reading, jobs: &[JobKey]) {
        if self.incarnation != reading.incarnation {
            self.incarnation.clone_from(&reading.incarnation);
            self.revision = None;
            self.sessions.clear();
        }
        let went_back = matches!((self.revision, reading.revision), (Some(before), Some(now)) if now < before);
        if went_back && !self.is_mutated(Mutation::RevisionIsIgnored) {
            let clusters = self.facts.clusters.keys().chain(jobs.iter().map(|job| &job.cluster));
            self.suspects.extend(clusters.cloned());
            self.sessions.clear();
        }
        self.revision = reading.revision;
    }

    /// This node's session, if the store has it open under the identity that the lease machine knows.
    fn own_session(&self, snapshot: &Snapshot) -> Option<(SessionId, Version)> {
        let found = snapshot.get(&Key::Session(self.node.clone()))??;
        match &found.record {
            Some(Record::Session(record))
                if Some(record.id) == self.facts.session && record.state == SessionState::Open =>
            {
                Some((record.id, found.version))
            }
            _ => None,
        }
    }

    fn take_records(&mut self, now: Now, keys: &[Key], snapshot: &Snapshot, out: &mut Vec<Action>) {
        for key in keys {
            let found = snapshot.get(key).flatten();
            let is_readable = found.is_none_or(|found| found.record.is_some());
            if is_readable && self.unreadable.remove(key) {
                out.push(Action::Notify(Notice::ReadableAgain(key.clone())));
            }
            if !is_readable && self.unreadable.insert(key.clone()) {
                out.push(Action::Notify(Notice::Unreadable(key.clone())));
            }
            if let Key::Job(job) = key {
                let view = match found {
                    None => JobView::Missing,
                    Some(Found {
                        version,
                        record: Some(Record::Job(record)),
                    }) => JobView::Readable(*version, record.clone()),
                    Some(_) => JobView::Unreadable,
                };
                if matches!(view, JobView::Readable(..)) {
                    self.listed.insert(job.clone());
                }
                self.jobs.insert(job.clone(), view);
            }
        }
        self.see_sessions(now, keys, snapshot);
    }

    /// Notes the sessions of all entries that this read covers.
    fn see_sessions(&mut self, now: Now, keys: &[Key], snapshot: &Snapshot) {
        let mut unread = BTreeSet::new();
        for key in keys {
            let Key::Job(job) = key else { continue };
            let Some(JobView::Readable(_, record)) = self.jobs.get(job) else {
                continue;
            };
            for entry in &record.entries {
                match snapshot.get(&Key::Session(entry.node.clone())) {
                    None => {
                        unread.insert(job.clone());
                    }
                    Some(found) => {
                        let found = found.map(|found| {
                            let record = match &found.record {
                                Some(Record::Session(record)) => Some(record),
                                _ => None,
                            };
                            (found.version, record)
                        });
                        self.sessions.see(&entry.node, entry.session, found, now.boot);
                    }
                }
            }
        }
        // The next read of these jobs covers the sessions that their records name.
        self.queue.extend(unread);
    }

    /// The list of a cluster's jobs; `None` if it was not read.
    pub(super) fn list(snapshot: &Snapshot, cluster: &ClusterName) -> Option<ListView> {
        Some(match snapshot.get(&Key::Jobs(cluster.clone()))? {
            None => ListView::Readable(None, JobList::default()),
            Some(Found {
                version,
                record: Some(Record::Jobs(list)),
            }) => ListView::Readable(Some(*version), list.clone()),
            Some(_) => ListView::Unreadable,
        })
    }

    pub(super) fn begin_change(
        &mut self,
        now: Now,
        change: Change,
        jobs: Vec<JobKey>,
        effects: Vec<super::outcome::Effect>,
        out: &mut Vec<Action>,
    ) {
        let (call, by) = self.next_call(now.boot);
        self.phase = Phase::Changing {
            call,
            by,
            jobs,
            effects,
        };
        out.push(Action::Change { call, change, by });
    }

    pub(super) fn clusters_of(jobs: &[JobKey]) -> BTreeSet<&ClusterName> {
        jobs.iter().map(|job| &job.cluster).collect()
    }
}
