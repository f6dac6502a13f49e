//! Reading all records once, owner by owner: which runs there are, and where.

use super::entries::{Entries, Entry, State};
use super::fate::{Claimed, Everywhere, Here};
use super::files::{Files, Place};
use super::limits::{MOST_ENDED, MOST_LATE, MOST_OPEN, MOST_OPEN_RUNNING};
use super::loading::{Late, Runs};
use super::needles::Needles;
use super::record::Record;
use super::source::{self, Group, Source};
use super::unseen::{Notes, Unseen};
use super::{Query, States};
use crate::format::{Event, Head, microseconds};
use crate::run::Fate;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use sys::poll;

/// A process in the background records the end a moment after the run has ended.
const JUST_ENDED: Duration = Duration::from_millis(100);

pub(super) struct Scan<'a> {
    groups: Vec<Group>,
    files: Files,
    records: Records<'a>,
    entries: Entries,
    notes: Notes,
    /// Groups with runs that seem to have been interrupted in this boot: their end may still be written.
    recent: Vec<usize>,
    /// Whether a directory could not be listed, so that only the files of this user were found.
    is_only_own: bool,
}

/// Decides about one record after the other.
struct Records<'a> {
    query: &'a Query,
    /// `query.since` in microseconds since 1970.
    since: Option<i64>,
    needles: Needles,
    here: Here,
    processes: Everywhere,
    /// Whether copies of one journal may be read.
    may_be_copies: bool,
}

/// What was read of one owner's files.
#[derive(Default)]
struct Owner {
    /// Starts without an end so far, by the run's id.
    open: HashMap<u128, Start>,
    /// Runs whose end was read before their start.
    ended: HashSet<u128>,
    /// Whether there were too many of them to remember.
    has_forgotten: bool,
    dropped: u64,
}

#[derive(Clone, Copy)]
struct Start {
    started: i64,
    place: Place,
}

/// The part of a record that is needed to decide about it.
struct Summary {
    event: Event,
    id: u128,
    /// Microseconds since 1970.
    time: i64,
}

impl<'a> Scan<'a> {
    pub(super) fn new(sources: &[Source], query: &'a Query, here: Here) -> Self {
        let mut notes = Notes::default();
        let listing = source::list(sources, &mut notes);
        let local: Vec<&Source> = sources.iter().filter(|source| source.host().is_none()).collect();
        let may_be_copies = local.len() > 1 && local.iter().any(|source| !source.is_own());
        // Each run may be found once in each copy.
        let copies = if may_be_copies { local.len() } else { 1 };
        Self {
            groups: listing.groups,
            files: Files::new(sources),
            records: Records {
                query,
                since: query.since.map(jiff::Timestamp::as_microsecond),
                needles: Needles::new(query, &here),
                here,
                processes: Everywhere::default(),
                may_be_copies,
            },
            entries: Entries::new(query.limit.map(|limit| limit.saturating_mul(copies))),
            notes,
            recent: Vec::new(),
            is_only_own: listing.is_only_own,
        }
    }

    pub(super) fn into_runs(mut self) -> Runs {
        for group in 0..self.groups.len() {
            self.read_group(group);
        }
        let late = self.read_late_ends();
        for (group, runs) in &self.entries.dropped {
            let names = self.groups.get(*group as usize).and_then(|group| group.names.first());
            self.notes
                .add(match names.and_then(|names| self.files.host_of_source(names.source)) {
                    Some(host) => Unseen::HostRunsDropped(host.to_owned(), *runs),
                    None => Unseen::RunsDropped(names.and_then(|names| names.user), *runs),
                });
        }
        let Records {
            query, may_be_copies, ..
        } = self.records;
        let (entries, more) = self.entries.into_sorted();
        Runs::new(entries, self.files, query.clone(), late, self.notes).with_flags(
            more,
            may_be_copies,
            self.is_only_own,
        )
    }

    fn read_group(&mut self, group: usize) {
        let mut owner = Owner::default();
        let (records, entries) = (&mut self.records, &mut self.entries);
        for name in self.groups[group].names.iter().flat_map(|names| names.files()) {
            let is_exported = self.files.host_of_source(name.source).is_some();
            let is_file = name.user.is_none();
            let take = |place, line: &[u8]| {
                if is_exported {
                    records.take_exported(entries, place, line);
                } else if !is_file || !records.take_interrupted(entries, place, line) {
                    records.take(&mut owner, entries, place, line);
                }
            };
            self.files.read(name, number(group), false, &mut self.notes, take);
            entries.shed_if_full(|file| self.files.group(file));
        }
        if (owner.has_forgotten || self.records.may_be_copies) && !owner.open.is_empty() {
            self.remove_ended(group, &mut owner);
        }
        if owner.dropped > 0 {
            let user = self.groups[group].names.first().and_then(|names| names.user);
            self.notes.add(Unseen::OpenDropped(user, owner.dropped));
        }
        if self.settle(owner.open) {
            self.recent.push(group);
        }
        self.entries.end_group();
    }

    /// Reads the files of a group once more, to remove each start that has an end.
    fn remove_ended(&mut self, group: usize, owner: &mut Owner) {
        for name in self.groups[group].names.iter().flat_map(|names| names.files()) {
            self.files.read(name, number(group), true, &mut self.notes, |_, line| {
                if let Some(Summary {
                    event: Event::End, id, ..
                }) = summarize(line)
                {
                    owner.open.remove(&id);
                }
            });
        }
    }

    /// Finds out what became of the runs without an end. Returns whether some seem to have been interrupted in this boot.
    fn settle(&mut self, open: HashMap<u128, Start>) -> bool {
        let mut starts: Vec<Start> = open.into_values().collect();
        starts.sort_unstable_by_key(|start| std::cmp::Reverse(start.started));
        let mut claimed = Claimed::new();
        let mut are_recent = false;
        for start in starts {
            let name = self.files.name(start.place.file);
            let Some(record) = self.files.line(start.place).and_then(Record::parse) else {
                continue;
            };
            let is_recent = self.records.here.is_this_boot(&record);
            let Some(state) = self.records.state(&record, name.user, &mut claimed) else {
                continue;
            };
            are_recent |= is_recent && state == State::Interrupted;
            if let Some(entry) = Entry::new(start.started, start.place, state) {
                self.entries.push(entry);
            }
        }
        are_recent
    }

    /// Waits for the ends of the runs that seem to have been interrupted just now, and reads them.
    fn read_late_ends(&mut self) -> Late {
        let mut late = Late::default();
        if self.recent.is_empty() || self.records.query.states == States::Running {
            return late;
        }
        poll::until_ready(&[], Some(JUST_ENDED));
        for group in std::mem::take(&mut self.recent) {
            let (records, entries) = (&mut self.records, &mut self.entries);
            for name in self.groups[group].names.iter().flat_map(|names| names.files()) {
                self.files
                    .read(name, number(group), false, &mut self.notes, |place, line| {
                        if let Some(Summary {
                            event: Event::End, id, ..
                        }) = summarize(line)
                        {
                            if late.len() < MOST_LATE && late.insert((number(group), id)) {
                                records.take(&mut Owner::default(), entries, place, line);
                            }
                        }
                    });
            }
        }
        self.entries.end_group();
        late
    }
}

impl Records<'_> {
    fn take(&mut self, owner: &mut Owner, entries: &mut Entries, place: Place, line: &[u8]) {
        if !self.needles.match_values(line) {
            return;
        }
        let Some(Summary { event, id, time }) = summarize(line) else {
            return;
        };
        match event {
            Event::Start if owner.ended.remove(&id) => {}
            Event::Start => {
                if self.needles.is_candidate(line, &mut self.processes.here) {
                    owner.add(id, Start { started: time, place }, self.query.states);
                }
            }
            Event::End => {
                if owner.open.remove(&id).is_none() && !self.may_be_copies {
                    owner.add_ended(id);
                }
                if self.query.states == States::All && self.since.is_none_or(|since| time >= since) {
                    self.take_end(entries, place, line);
                }
            }
        }
    }

    /// Takes a line of an export: a run with an end, or one whose fate the other server has found out.
    fn take_exported(&mut self, entries: &mut Entries, place: Place, line: &[u8]) {
        if !self.needles.match_values(line) {
            return;
        }
        match summarize(line) {
            Some(summary) if summary.event == Event::End => {
                if self.query.states == States::All && self.since.is_none_or(|since| summary.time >= since) {
                    self.take_end(entries, place, line);
                }
            }
            Some(_) => self.take_unfinished(entries, place, line),
            None => {}
        }
    }

    /// Takes a line of an export that is read as a file if it is of an interrupted run: nothing can change that, and a later record
    /// with the same id is of another user. What was running then may have ended.
    fn take_interrupted(&mut self, entries: &mut Entries, place: Place, line: &[u8]) -> bool {
        let is_interrupted = self.needles.is_exported_as_interrupted(line)
            && summarize(line).is_some_and(|summary| summary.event == Event::Start);
        if is_interrupted && self.needles.match_values(line) {
            self.take_unfinished(entries, place, line);
        }
        is_interrupted
    }

    fn take_unfinished(&mut self, entries: &mut Entries, place: Place, line: &[u8]) {
        let Some(record) = Record::parse(line) else { return };
        let state = State::of_unfinished(record.fate.as_deref());
        if self.wants(&record, state) {
            if let Some(entry) = Entry::new(record.started().as_microsecond(), place, state) {
                entries.push(entry);
            }
        }
    }

    fn take_end(&mut self, entries: &mut Entries, place: Place, line: &[u8]) {
        if self.query.failed && self.needles.is_success(line) {
            return;
        }
        let is_known = Head::parse(line).is_some() && self.needles.match_fields(line);
        let started = self.needles.started(line).filter(|_| is_known).or_else(|| {
            let record = Record::parse(line).filter(|record| self.query.matches_texts(record))?;
            Some(record.started().as_microsecond())
        });
        if let Some(entry) = started.and_then(|started| Entry::new(started, place, State::Ended)) {
            entries.push(entry);
        }
    }

    /// What became of a run without an end; `None` if the query does not want it. `claimed` has the processes of newer runs: a
    /// process is rcron for one run, or the leader of one.
    fn state(&mut self, record: &Record, user: Option<u32>, claimed: &mut Claimed) -> Option<State> {
        let owner = user.unwrap_or(record.uid);
        let origin = self.here.origin(record);
        let fate = self.here.fate(&origin, owner, &mut self.processes);
        let state = match origin.settle(fate.clone(), claimed) {
            Fate::Running(_) => State::Running,
            Fate::Unwatched(_) => State::Unwatched,
            Fate::Interrupted => State::Interrupted,
            Fate::Unknown if fate == Fate::Unknown && origin.is_here() => State::Hidden,
            Fate::Unknown | Fate::Ended(_) => State::Unknown,
        };
        self.wants(record, state).then_some(state)
    }

    /// Whether the query wants a run without an end.
    fn wants(&self, record: &Record, state: State) -> bool {
        let is_running = matches!(state, State::Running | State::Unwatched);
        let is_since = self
            .since
            .is_none_or(|since| record.started().as_microsecond() >= since);
        (is_running || is_since && self.query.states != States::Running)
            && (!self.query.failed || state == State::Interrupted)
            && self.query.matches_texts(record)
    }
}

impl Owner {
    fn add(&mut self, id: u128, start: Start, states: States) {
        self.open.insert(id, start);
        let most = match states {
            States::Running => MOST_OPEN_RUNNING,
            States::All | States::Unfinished => MOST_OPEN,
        };
        if self.open.len() > most {
            self.drop_older_half();
        }
    }

    fn drop_older_half(&mut self) {
        let mut times: Vec<i64> = self.open.values().map(|start| start.started).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        // Starts of one moment would all be kept, or all dropped.
        let mut room = middle;
        let before = self.open.len();
        self.open.retain(|_, start| {
            let is_kept = start.started > median || start.started == median && room > 0;
            room = room.saturating_sub(usize::from(is_kept));
            is_kept
        });
        self.dropped += (before - self.open.len()) as u64;
    }

    fn add_ended(&mut self, id: u128) {
        if self.has_forgotten {
            return;
        }
        self.ended.insert(id);
        if self.ended.len() > MOST_ENDED {
            self.ended = HashSet::new();
            self.has_forgotten = true;
        }
    }
}

/// Parses only the head if rcron wrote the line.
fn summarize(line: &[u8]) -> Option<Summary> {
    if let Some(head) = Head::parse(line) {
        return Some(Summary {
            event: head.event,
            id: super::id(head.run),
            time: microseconds(head.time)?,
        });
    }
    // Another program wrote the fields in another order.
    let record = Record::parse(line)?;
    Some(Summary {
        event: record.event,
        id: super::id(record.run.as_bytes()),
        time: record.time.as_microsecond(),
    })
}

fn number(group: usize) -> u32 {
    u32::try_from(group).unwrap_or(u32::MAX)
}
