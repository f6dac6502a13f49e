//! From lines to runs: each start is put together with its end.

use crate::fate::Here;
use crate::files::Source;
use crate::record::{Event, Head, Record};
use crate::run::{Fate, Run};
use crate::users;
use crate::walk::{Found, Walk};
use jiff::Timestamp;
use memchr::memmem::Finder;
use policy::moment::WallTime;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;
use sys::poll;

/// A run that has just ended is recorded a moment later, by a process of its own.
const JUST_ENDED: Duration = Duration::from_millis(100);

/// Which runs are asked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Those that were going on then or later.
    pub since: Option<Timestamp>,
    /// Those of this job: its name, or the whole command of one without a name.
    pub job: Option<String>,
    /// Those of this cluster.
    pub cluster: Option<String>,
    /// Those that failed or were cut off.
    pub failed: bool,
    /// Those of which no end is recorded.
    pub unfinished: bool,
    /// The newest of them.
    pub limit: Option<usize>,
}

/// The answer.
#[derive(Debug, Default)]
pub struct Runs {
    /// Newest start first.
    pub runs: Vec<Run>,
    /// Whether `limit` has left older ones out.
    pub more: bool,
    /// What could not be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Reads journals. What cannot be read is told beside what can.
#[must_use]
pub fn read(sources: &[Source], query: &Query) -> Runs {
    // Before any file is opened: nobody's files may keep us from knowing which boot this is.
    let here = Here::now();
    let mut reader = Reader::new(query, sources.len());
    let mut walk = Walk::default();
    walk.go(sources, |found| reader.take(found));
    reader.settle_open_runs(&here);
    if !reader.cut_off.is_empty() {
        poll::until_ready(&[], Some(JUST_ENDED));
        walk.go(sources, |found| reader.take(found));
    }
    reader.answer(walk.unreadable)
}

/// A start that waits for its end.
struct Open {
    line: Box<[u8]>,
    owner: Option<u32>,
}

/// A run of a user's. (What is read from a copy has no owner that would tell anything.)
type Key = (Option<u32>, u128);

/// What decides about a line.
struct Sight {
    event: Event,
    id: u128,
    is_recent: bool,
}

struct Reader<'a> {
    query: &'a Query,
    /// As the records have it: UTC to the microsecond, which sorts as text.
    since: Option<String>,
    /// What must stand in a line of the job that is asked for.
    needles: Vec<Finder<'static>>,
    open: HashMap<Key, Open>,
    /// Ends that were read before their starts, or without them; all of them if there may be copies.
    ended: HashSet<Key>,
    /// Whether one journal may be given twice.
    may_be_copies: bool,
    found: BinaryHeap<Reverse<Newest>>,
    cut_off: HashMap<Key, Run>,
    more: bool,
}

/// Runs by the time of their start.
struct Newest(Run);

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
            found: BinaryHeap::new(),
            cut_off: HashMap::new(),
            more: false,
        }
    }

    fn take(&mut self, found: &Found) {
        let Found { line, owner } = *found;
        if !self.needles.iter().all(|needle| needle.find(line).is_some()) {
            return;
        }
        let Some(Sight { event, id, is_recent }) = self.look_at(line) else {
            return;
        };
        // Nobody ends, or hides, another user's run.
        let id = (owner, id);
        match event {
            Event::Start if self.ended.contains(&id) => {}
            Event::Start => {
                let line = line.into();
                self.open.insert(id, Open { line, owner });
            }
            Event::End => {
                self.cut_off.remove(&id);
                let is_known = self.open.remove(&id).is_some();
                // Its start may be read later: where files are out of order, or in an older copy of the same journal.
                if (!is_known || self.may_be_copies) && !self.ended.insert(id) {
                    return;
                }
                if is_recent && !self.query.unfinished {
                    self.take_end(line, owner);
                }
            }
        }
    }

    /// What decides about a line, without parsing it if rcron has written it.
    fn look_at(&self, line: &[u8]) -> Option<Sight> {
        if let Some(head) = Head::of(line) {
            return Some(Sight {
                event: head.event,
                id: id(head.run),
                is_recent: self.since.as_ref().is_none_or(|since| head.time >= since.as_bytes()),
            });
        }
        // Another program has put the fields in another order.
        let record = Record::parse(line)?;
        Some(Sight {
            event: record.event,
            id: id(record.run.as_bytes()),
            is_recent: self.query.since.is_none_or(|since| record.time >= since),
        })
    }

    fn take_end(&mut self, line: &[u8], owner: Option<u32>) {
        let ended = Record::parse(line).and_then(|record| Some((record.end()?, record)));
        if let Some((end, record)) = ended {
            self.find(run(record, owner, Fate::Ended(end)));
        }
    }

    /// What has become of those without an end.
    fn settle_open_runs(&mut self, here: &Here) {
        for (id, open) in std::mem::take(&mut self.open) {
            let Some(record) = Record::parse(&open.line) else {
                continue;
            };
            match here.fate(&record, sys::process_tree::Process::is_alive) {
                Fate::Interrupted => {
                    let run = run(record, open.owner, Fate::Interrupted);
                    self.cut_off.insert(id, run);
                }
                fate @ (Fate::Running(_) | Fate::Unwatched(_)) => self.find(run(record, open.owner, fate)),
                fate => self.find_if_recent(run(record, open.owner, fate)),
            }
        }
    }

    /// Of a run whose end nobody knows, only the start can be compared.
    fn find_if_recent(&mut self, run: Run) {
        if self.query.since.is_none_or(|since| run.started >= since) {
            self.find(run);
        }
    }

    fn find(&mut self, run: Run) {
        let is_wanted = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        let is_found = is_wanted(&self.query.job, run.name())
            && is_wanted(&self.query.cluster, &run.cluster)
            && (!self.query.failed || run.has_failed());
        if !is_found {
            return;
        }
        self.found.push(Reverse(Newest(run)));
        if self.query.limit.is_some_and(|limit| self.found.len() > limit) {
            self.found.pop();
            self.more = true;
        }
    }

    fn answer(mut self, unreadable: Vec<(PathBuf, String)>) -> Runs {
        for run in std::mem::take(&mut self.cut_off).into_values() {
            self.find_if_recent(run);
        }
        let mut runs: Vec<Run> = self.found.into_iter().map(|Reverse(Newest(run))| run).collect();
        runs.sort_by(|one, other| (other.started, &other.id).cmp(&(one.started, &one.id)));
        runs.dedup_by(|one, other| (one.uid, &one.id) == (other.uid, &other.id));
        Runs {
            runs,
            more: self.more,
            unreadable,
        }
    }
}

impl PartialEq for Newest {
    fn eq(&self, other: &Self) -> bool {
        self.0.started == other.0.started
    }
}

impl Eq for Newest {}

impl PartialOrd for Newest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Newest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.started.cmp(&other.0.started)
    }
}

/// A run's id as a number, which is half as long. Of what is no UUID, another number that is its own.
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

/// A text as it stands in a record, with its quotes. `None` where rcron and others may escape it in different ways.
fn needle(text: &str) -> Option<Finder<'static>> {
    let is_plain = text.chars().all(policy::display::is_printable);
    let quoted = serde_json::to_string(text).ok().filter(|_| is_plain)?;
    Some(Finder::new(quoted.as_bytes()).into_owned())
}

/// `owner`: whose file it is, which nobody can forge; what the record says of that is only a text.
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
