//! The runs of a query: each is read again from its file when it is asked for.

use super::entries::{Entry, State};
use super::fate::lasts;
use super::files::{Files, Place};
use super::record::Record;
use super::unseen::{Notes, Unseen};
use super::{Query, users};
use crate::run::{Fate, Run};
use inputs::clock;
use std::collections::HashSet;
use std::time::Duration;

/// The number of a group and the id of a run whose end was recorded while the journal was read.
pub(super) type Late = HashSet<(u32, u128)>;
/// How many ids are compared with that of the next run, to find the copies of one record.
const MOST_COMPARED: usize = 10_000;

/// The runs of a query, the newest start first.
pub struct Runs {
    entries: Vec<Entry>,
    files: Files,
    query: Query,
    late: Late,
    notes: Notes,
    gone: u64,
    may_be_copies: bool,
    /// The name of this server, if those of others are read too.
    own_host: Option<String>,
    /// Whether older ones were left out because of `limit`.
    pub more: bool,
    /// Whether a directory could not be listed, so that only the runs of this user were found.
    pub is_only_own: bool,
}

/// Reads one run after the other.
pub struct Iter<'a> {
    runs: &'a mut Runs,
    next: usize,
    given: usize,
    /// The start, and the ids and owners of the runs with this start.
    compared: (i64, HashSet<(u128, u32)>),
}

impl Runs {
    pub(super) fn new(entries: Vec<Entry>, files: Files, query: Query, late: Late, notes: Notes) -> Self {
        Self {
            entries,
            files,
            query,
            late,
            notes,
            gone: 0,
            may_be_copies: false,
            own_host: None,
            more: false,
            is_only_own: false,
        }
    }

    pub(super) fn with_flags(mut self, more: bool, may_be_copies: bool, is_only_own: bool) -> Self {
        self.may_be_copies = may_be_copies;
        self.more = more;
        self.is_only_own = is_only_own;
        self
    }

    /// Whether there is none. A run that is counted may turn out to be invalid when it is read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of runs, of which some may turn out to be invalid or copies of others when they are read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What could not be read. To be asked again after the runs were read: a file may have been removed meanwhile.
    #[must_use]
    pub fn unseen(&self) -> Vec<Unseen> {
        let gone = (self.gone > 0).then_some(Unseen::Gone(self.gone));
        self.notes.all().into_iter().chain(gone).collect()
    }

    /// Whether everything could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.notes.is_empty() && self.gone == 0
    }

    /// Whether the runs are of more than one user.
    #[must_use]
    pub fn has_several_users(&self) -> bool {
        let user = |entry: &Entry| self.files.name(entry.place().file).user;
        let first = self.entries.first().map(user);
        self.entries.iter().any(|entry| Some(user(entry)) != first)
    }

    /// Keeps the runs that were interrupted, and those that may be running on this machine although that cannot be seen from here.
    /// The fate of the latter is [`Fate::Unknown`].
    pub fn keep_interrupted(&mut self) {
        self.entries
            .retain(|entry| matches!(entry.state(), State::Interrupted | State::Hidden));
    }

    /// Reads all runs, and keeps those for which `is_kept` says so.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&Run) -> bool) {
        let entries = std::mem::take(&mut self.entries);
        let mut kept = Vec::new();
        for entry in entries {
            if self.load(entry).is_some_and(|run| is_kept(&run)) {
                kept.push(entry);
            }
        }
        self.entries = kept;
    }

    /// From now on, the runs of this server's own journals have this [`Run::host`].
    pub fn name_own_host(&mut self, host: &str) {
        self.own_host = Some(host.to_owned());
    }

    /// From now on, the runs come in order of their owners, root's first, and each owner's with the newest start first.
    pub fn sort_by_owner(&mut self) {
        let (files, entries) = (&self.files, &mut self.entries);
        entries.sort_by_key(|entry| files.group(entry.place().file));
    }

    /// Reads the runs.
    pub fn iter(&mut self) -> Iter<'_> {
        Iter {
            runs: self,
            next: 0,
            given: 0,
            compared: (0, HashSet::new()),
        }
    }

    fn load(&mut self, entry: Entry) -> Option<Run> {
        let Place { file, .. } = entry.place();
        let exported_by = self.files.host(file).map(str::to_owned);
        let (name, group, is_own) = (self.files.name(file), self.files.group(file), self.files.is_own(file));
        let Some(line) = self.files.line(entry.place()) else {
            self.gone += 1;
            return None;
        };
        let record = Record::parse(line)?;
        if entry.state() == State::Interrupted && self.late.contains(&(group, super::id(record.run.as_bytes()))) {
            return None;
        }
        let fate = match entry.state() {
            State::Ended => Fate::Ended(record.end()?),
            State::Running => Fate::Running(lasted(&record, exported_by.is_some())),
            State::Unwatched => Fate::Unwatched(lasted(&record, exported_by.is_some())),
            State::Interrupted => Fate::Interrupted,
            State::Hidden | State::Unknown => Fate::Unknown,
        };
        let is_seen = exported_by.is_some() && record.seen == Some(true);
        let host = exported_by.or_else(|| self.own_host.clone());
        let run = Run {
            host,
            is_seen,
            ..run(record, name.user, is_own, fate)
        };
        let is_wanted = (!self.query.failed || run.has_failed()) && self.query.matches(run.name(), &run.cluster);
        is_wanted.then_some(run)
    }
}

impl Iterator for Iter<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        self.next_entry().map(|(_, run)| run)
    }
}

impl Iter<'_> {
    pub(super) fn next_entry(&mut self) -> Option<(Entry, Run)> {
        if self.runs.query.limit.is_some_and(|limit| self.given >= limit) {
            self.runs.more |= self.next < self.runs.entries.len();
            return None;
        }
        loop {
            let entry = *self.runs.entries.get(self.next)?;
            self.next += 1;
            let Some(run) = self.runs.load(entry) else { continue };
            // A file may be several exports in one.
            let is_file = self.runs.files.name(entry.place().file).user.is_none();
            if (self.runs.may_be_copies || is_file) && self.is_copy(entry, &run) {
                continue;
            }
            self.given += 1;
            return Some((entry, run));
        }
    }

    /// The record of a run that was just given, and its line.
    pub(super) fn record(&mut self, entry: Entry) -> Option<(Record<'_>, &[u8])> {
        let line = self.runs.files.line(entry.place())?;
        Some((Record::parse(line)?, line))
    }

    /// Whether the run was given already: it has the same start, then.
    fn is_copy(&mut self, entry: Entry, run: &Run) -> bool {
        if self.runs.files.host(entry.place().file).is_some() {
            return false;
        }
        if self.compared.0 != entry.started || self.compared.1.len() > MOST_COMPARED {
            self.compared = (entry.started, HashSet::new());
        }
        !self.compared.1.insert((run.number(), run.uid))
    }
}

impl Query {
    pub(super) fn matches_texts(&self, record: &Record) -> bool {
        self.matches(record.name(), &record.cluster)
    }

    fn matches(&self, job: &str, cluster: &str) -> bool {
        let matches = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        matches(&self.job, job) && matches(&self.cluster, cluster)
    }
}

/// How long a run has been in progress. The boot clock of another server is not this one's.
fn lasted(record: &Record, is_exported: bool) -> Duration {
    if is_exported {
        Duration::try_from_secs_f64(record.lasted.unwrap_or_default()).unwrap_or_default()
    } else {
        lasts(record, clock::boot_time().0)
    }
}

/// `owner` is the owner of the file, or the user in the name of a copied file, and is believed rather than the user in the record.
fn run(record: Record, owner: Option<u32>, is_own: bool, fate: Fate) -> Run {
    let said = record.user.as_deref();
    let user = match owner {
        Some(owner) if is_own => users::name(owner, said),
        Some(owner) => said.filter(|_| owner == record.uid).map(str::to_owned),
        None => said.map(str::to_owned),
    };
    Run {
        started: record.started(),
        id: record.run.into_owned(),
        node: record.node.into_owned(),
        cluster: record.cluster.into_owned(),
        job: record.job.map(Into::into),
        command: record.command.into_owned(),
        user,
        uid: owner.unwrap_or(record.uid),
        epoch: record.epoch,
        escaped: record.escaped,
        cut: record.cut,
        pid: record.pid,
        host: None,
        is_seen: false,
        fate,
    }
}
