//! Reading runs: each start is combined with its end.

mod fate;
mod files;
mod lines;
mod record;
pub(crate) mod source;
mod users;

use crate::format::{Event, Head};
use crate::run::{Fate, Run};
use fate::Here;
use files::{Files, Found};
use jiff::Timestamp;
use memchr::memmem::Finder;
use policy::moment::WallTime;
use record::Record;
use source::Source;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;
use sys::poll;

/// A process in the background records the end a moment after the run has ended.
const JUST_ENDED: Duration = Duration::from_millis(100);

/// Which runs to return.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Those that ran at this time or later.
    pub since: Option<Timestamp>,
    /// Those of this job: its name, or its whole command if it has no name.
    pub job: Option<String>,
    /// Those of this cluster.
    pub cluster: Option<String>,
    /// Those that failed or were interrupted.
    pub failed: bool,
    /// Those without an end.
    pub unfinished: bool,
    /// Only so many of the newest.
    pub limit: Option<usize>,
}

/// The runs of a query.
#[derive(Debug, Default)]
pub struct Runs {
    /// The newest start first.
    pub runs: Vec<Run>,
    /// Whether older ones were left out because of `limit`.
    pub more: bool,
    /// Files that could not be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Reads journals.
#[must_use]
pub fn read(sources: &[Source], query: &Query) -> Runs {
    // Before any file is opened: if users' files exhaust the descriptors, the boot is known nevertheless.
    let here = Here::now();
    let mut reader = Reader::new(query, sources.len());
    let mut files = Files::default();
    files.read_new_lines(sources, |found| reader.take(found));
    reader.settle_open_runs(&here);
    if !reader.interrupted.is_empty() {
        poll::until_ready(&[], Some(JUST_ENDED));
        files.read_new_lines(sources, |found| reader.take(found));
    }
    reader.into_runs(files.unreadable)
}

/// A start whose end has not been read.
struct Open {
    line: Box<[u8]>,
    owner: Option<u32>,
}

/// The owner of the file and the run's id: no user can end or hide another user's run.
type Key = (Option<u32>, u128);

/// The part of a record that is needed to decide about it.
struct Summary {
    event: Event,
    id: u128,
    is_recent: bool,
}

struct Reader<'a> {
    query: &'a Query,
    /// `query.since` as in a record's head: RFC 3339 in UTC with microseconds, which sorts as text.
    since: Option<String>,
    /// Texts that every line of the wanted job and cluster contains.
    needles: Vec<Finder<'static>>,
    /// Starts without an end so far.
    open: HashMap<Key, Open>,
    /// Runs whose end was read before their start; all ended runs if there may be copies.
    ended: HashSet<Key>,
    /// Whether a record may be read twice.
    may_be_copies: bool,
    /// By start, id and user.
    found: BTreeMap<(Timestamp, String, u32), Run>,
    /// Runs that seem to be interrupted; their end may still be written.
    interrupted: HashMap<Key, Run>,
    more: bool,
}

impl<'a> Reader<'a> {
    fn new(query: &'a Query, sources: usize) -> Self {
        let needles = [&query.job, &query.cluster];
        Self {
            query,
            since: query.since.map(|since| {
                let microseconds = u64::try_from(since.as_microsecond()).unwrap_or_default();
                WallTime(Duration::from_micros(microseconds)).rfc3339()
            }),
            needles: needles.into_iter().flatten().filter_map(|text| needle(text)).collect(),
            open: HashMap::new(),
            ended: HashSet::new(),
            may_be_copies: sources > 1,
            found: BTreeMap::new(),
            interrupted: HashMap::new(),
            more: false,
        }
    }

    fn take(&mut self, found: &Found) {
        let Found { line, owner } = *found;
        if !self.needles.iter().all(|needle| needle.find(line).is_some()) {
            return;
        }
        let Some(Summary { event, id, is_recent }) = self.summarize(line) else {
            return;
        };
        let id = (owner, id);
        match event {
            Event::Start if self.ended.contains(&id) => {}
            Event::Start => {
                let line = line.into();
                self.open.insert(id, Open { line, owner });
            }
            Event::End => {
                self.interrupted.remove(&id);
                let is_known = self.open.remove(&id).is_some();
                // The start may be read later: if files are out of order, or from an older copy of the same journal.
                if (!is_known || self.may_be_copies) && !self.ended.insert(id) {
                    return;
                }
                if is_recent && !self.query.unfinished {
                    self.take_end(line, owner);
                }
            }
        }
    }

    /// Parses only the head if rcron wrote the line.
    fn summarize(&self, line: &[u8]) -> Option<Summary> {
        if let Some(head) = Head::parse(line) {
            return Some(Summary {
                event: head.event,
                id: id(head.run),
                is_recent: self.since.as_ref().is_none_or(|since| head.time >= since.as_bytes()),
            });
        }
        // Another program wrote the fields in another order.
        let record = Record::parse(line)?;
        Some(Summary {
            event: record.event,
            id: id(record.run.as_bytes()),
            is_recent: self.query.since.is_none_or(|since| record.time >= since),
        })
    }

    fn take_end(&mut self, line: &[u8], owner: Option<u32>) {
        let ended = Record::parse(line).and_then(|record| Some((record.end()?, record)));
        if let Some((end, record)) = ended {
            self.add(run(record, owner, Fate::Ended(end)));
        }
    }

    /// Finds out what became of the runs without an end.
    fn settle_open_runs(&mut self, here: &Here) {
        for (id, open) in std::mem::take(&mut self.open) {
            let Some(record) = Record::parse(&open.line) else {
                continue;
            };
            match here.fate(&record, sys::process_tree::Process::is_alive) {
                Fate::Interrupted => {
                    let run = run(record, open.owner, Fate::Interrupted);
                    self.interrupted.insert(id, run);
                }
                fate @ (Fate::Running(_) | Fate::Unwatched(_)) => self.add(run(record, open.owner, fate)),
                fate => self.add_if_recent(run(record, open.owner, fate)),
            }
        }
    }

    /// For a run whose end is not known: its start is compared.
    fn add_if_recent(&mut self, run: Run) {
        if self.query.since.is_none_or(|since| run.started >= since) {
            self.add(run);
        }
    }

    fn add(&mut self, run: Run) {
        let matches = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        let is_wanted = matches(&self.query.job, run.name())
            && matches(&self.query.cluster, &run.cluster)
            && (!self.query.failed || run.has_failed());
        if !is_wanted {
            return;
        }
        self.found.insert((run.started, run.id.clone(), run.uid), run);
        if self.query.limit.is_some_and(|limit| self.found.len() > limit) {
            self.found.pop_first();
            self.more = true;
        }
    }

    fn into_runs(mut self, unreadable: Vec<(PathBuf, String)>) -> Runs {
        for run in std::mem::take(&mut self.interrupted).into_values() {
            self.add_if_recent(run);
        }
        Runs {
            runs: self.found.into_values().rev().collect(),
            more: self.more,
            unreadable,
        }
    }
}

/// A run's id as a number, which takes half the memory. A text that is not a UUID gets its hash.
fn id(text: &[u8]) -> u128 {
    let digits = text.iter().filter(|byte| **byte != b'-');
    let number = digits.into_iter().try_fold(0, |id: u128, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(id << 4 | u128::from(value))
    });
    number.filter(|_| text.len() == 36).unwrap_or_else(|| {
        // FNV-1a (Fowler, Noll, Vo).
        text.iter()
            .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
                (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
            })
    })
}

/// A text as it is in a record, with its quotes; `None` if rcron and other programs may escape it differently.
fn needle(text: &str) -> Option<Finder<'static>> {
    let is_plain = text.chars().all(policy::display::is_printable);
    let quoted = serde_json::to_string(text).ok().filter(|_| is_plain)?;
    Some(Finder::new(quoted.as_bytes()).into_owned())
}

/// `owner`: the owner of the file, who cannot be forged, unlike the user in the record.
fn run(record: Record, owner: Option<u32>, fate: Fate) -> Run {
    let user = match owner {
        Some(owner) => users::name(owner, record.user.as_deref()),
        None => record.user.clone(),
    };
    Run {
        started: record.started(),
        id: record.run,
        node: record.node,
        cluster: record.cluster,
        job: record.job,
        command: record.command,
        user,
        uid: owner.unwrap_or(record.uid),
        epoch: record.epoch,
        escaped: record.escaped,
        cut: record.cut,
        pid: record.pid,
        fate,
    }
}

#[cfg(test)]
mod tests;
