//! Following journals: each record is read once, when it is new. A reader that asks again and again, such as one for metrics, does
//! not read a large journal each time.
//!
//! A file is known by its device and inode, which stay when it is renamed. If it has become shorter, or begins with another record
//! (the inode was used again), it is read from its beginning. A record can then come twice; a reader must bear that.

use super::fate::{Claimed, Everywhere, Here, Origin};
use super::files::{self, NotOpened};
use super::limits::{MOST_BYTES, MOST_NEW, MOST_NEW_OF_ROOT, MOST_NEW_OF_USER};
use super::lines::{Lines, Part};
use super::record::Record;
use super::source::{self, FileName, Group, Source};
use super::unseen::{Notes, Unseen};
use crate::run::{End, Fate};
use memchr::memmem::Finder;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};

pub use super::fate::Origin as RunOrigin;

/// In bytes: the head of the first record contains its time and the run's id.
const BEGINNING: usize = 128;

/// Something new in the journals.
#[derive(Debug)]
pub enum News<'a> {
    /// So much is new in this user's files that records were skipped. They may include the ends of runs.
    Skipped(u32),
    /// A record of a run that has a name.
    Record(NewRecord<'a>),
}

/// A record of a run that has a name.
#[derive(Debug)]
pub struct NewRecord<'a> {
    /// The owner of the file: the user of the run, whatever the record says.
    pub owner: u32,
    /// The file: see [`Tail::files`].
    pub file: FileId,
    /// The run's id as a number.
    pub run: u128,
    /// `cluster_name`.
    pub cluster: &'a str,
    /// The name given with `--job`.
    pub job: &'a str,
    /// The start of the run, in microseconds since 1970.
    pub started: i64,
    /// Whether the run begins or ends.
    pub step: Step,
}

/// What a record says.
#[derive(Debug)]
pub enum Step {
    /// The run begins.
    Start(RunOrigin),
    /// The run has ended.
    End(End),
}

/// A file of a journal. No two files have the same number, also if one replaces another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileId(u64);

/// Reads what is new.
#[derive(Debug)]
pub struct Tail {
    sources: Vec<Source>,
    /// By device and inode.
    known: HashMap<(u64, u64), Known>,
    lines: Lines,
    last_file: u64,
    here: Here,
    job: Finder<'static>,
}

/// How far a file was read.
#[derive(Clone, Copy, Debug)]
struct Known {
    file: FileId,
    read_to: u64,
    /// A hash of the first bytes, and how many they were.
    beginning: (u64, usize),
    is_there: bool,
}

/// What could not be read at this time.
#[derive(Debug, Default)]
pub struct Missed {
    /// A part of the journals, and why.
    pub unseen: Vec<Unseen>,
    /// Whether a directory could not be listed, so that only the files of this user were found.
    pub is_only_own: bool,
}

impl Tail {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            known: HashMap::new(),
            lines: Lines::default(),
            last_file: 0,
            here: Here::now(),
            job: Finder::new(b"\"job\"").into_owned(),
        }
    }

    /// Calls `take` with what is new since the last call: root's first, and for each user, and each name of a file, in the order in
    /// which it was written.
    pub fn read(&mut self, mut take: impl FnMut(News)) -> Missed {
        let mut notes = Notes::default();
        self.here = Here::now();
        let listing = source::list(&self.sources, &mut notes);
        let is_root = |group: &&Group| group.owner() == Some(0);
        let others = listing.groups.iter().filter(|group| !is_root(group)).count();
        let share = MOST_NEW / u64::try_from(others.max(1)).unwrap_or(u64::MAX);
        for known in self.known.values_mut() {
            known.is_there = false;
        }
        for group in &listing.groups {
            let most = if is_root(&group) {
                MOST_NEW_OF_ROOT
            } else {
                MOST_NEW_OF_USER.min(share)
            };
            self.read_group(group, most, &mut notes, &mut take);
        }
        self.known.retain(|_, known| known.is_there);
        Missed {
            unseen: notes.all(),
            is_only_own: listing.is_only_own,
        }
    }

    /// The files that were there at the last call of [`Tail::read`].
    #[must_use]
    pub fn files(&self) -> HashSet<FileId> {
        self.known.values().map(|known| known.file).collect()
    }

    fn read_group(&mut self, group: &Group, most: u64, notes: &mut Notes, take: &mut impl FnMut(News)) {
        let Some(owner) = group.owner() else { return };
        let (mut left, mut parts, mut has_skipped) = (most, Vec::new(), false);
        for name in group.names.iter().flat_map(|names| names.files()) {
            let Some((file, metadata)) = self.open(name, notes) else {
                continue;
            };
            let known = self.locate(&file, &metadata);
            let new = metadata.len() - known.read_to;
            if new == 0 {
                continue;
            }
            let taken = new.min(left).min(MOST_BYTES);
            left -= taken;
            has_skipped |= taken < new;
            let part = Part {
                from: metadata.len() - taken,
                to: metadata.len(),
                is_torn: taken < new,
            };
            parts.push((name, known.file, part));
        }
        if has_skipped {
            take(News::Skipped(owner));
        }
        // The oldest file of each name first. Each is opened again: few may be open at a time.
        parts.sort_by_key(|(name, ..)| (name.source, name.number, Reverse(name.age)));
        for (name, id, part) in parts {
            let Some((file, metadata)) = self.open(name, notes) else {
                continue;
            };
            let identity = (metadata.dev(), metadata.ino());
            // It was renamed meanwhile: it is read the next time.
            if self.known.get(&identity).is_none_or(|known| known.file != id) {
                continue;
            }
            let (job, here) = (&self.job, &self.here);
            let read = self.lines.read(&file, part, |_, line| {
                if let Some(record) = job.find(line).and_then(|_| Record::parse(line)) {
                    if let Some(new) = new_record(&record, owner, id, here) {
                        take(News::Record(new));
                    }
                }
            });
            if let Some(error) = read.error {
                notes.fail(&name.path(&self.sources), sys::output::error_text(&error));
            }
            if let Some(known) = self.known.get_mut(&identity) {
                known.read_to = read.position;
            }
        }
    }

    fn open(&self, name: FileName, notes: &mut Notes) -> Option<(File, Metadata)> {
        let path = name.path(&self.sources);
        match files::open(&path, name, &self.sources) {
            Ok(opened) => return Some(opened),
            Err(NotOpened::Missing) => {}
            Err(NotOpened::Unusable(why)) => notes.add(Unseen::Unusable(path, name.user, why)),
            Err(NotOpened::Unreadable(error)) => notes.fail(&path, error.to_string()),
        }
        None
    }

    /// How far the file was read; it may be a new one.
    fn locate(&mut self, file: &File, metadata: &Metadata) -> Known {
        let identity = (metadata.dev(), metadata.ino());
        let known = self.known.get(&identity).filter(|known| {
            let is_longer = metadata.len() > known.read_to;
            let is_same = || beginning(file, known.beginning.1) == known.beginning;
            metadata.len() == known.read_to || is_longer && is_same()
        });
        let known = match known {
            // Its first record may just have been written.
            Some(known) if known.beginning.1 == BEGINNING => *known,
            Some(known) => Known {
                beginning: beginning(file, BEGINNING),
                ..*known
            },
            None => {
                self.last_file += 1;
                Known {
                    file: FileId(self.last_file),
                    read_to: 0,
                    beginning: beginning(file, BEGINNING),
                    is_there: true,
                }
            }
        };
        let known = Known {
            is_there: true,
            ..known
        };
        self.known.insert(identity, known);
        known
    }
}

fn new_record<'a>(record: &'a Record, owner: u32, file: FileId, here: &Here) -> Option<NewRecord<'a>> {
    let step = match record.end() {
        Some(end) => Step::End(end),
        None => Step::Start(here.origin(record)),
    };
    Some(NewRecord {
        owner,
        file,
        run: super::id(record.run.as_bytes()),
        cluster: &record.cluster,
        job: record.job.as_deref()?,
        started: record.started().as_microsecond(),
        step,
    })
}

/// A hash (FNV-1a, Fowler, Noll, Vo) of the first `length` bytes of a file, and how many there were.
fn beginning(file: &File, length: usize) -> (u64, usize) {
    let mut bytes = [0; BEGINNING];
    let read = file.read_at(&mut bytes[..length], 0).unwrap_or_default();
    let hash = bytes[..read].iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash, read)
}

/// Finds out what became of runs without an end, by the rule of `rcronctl status`. It remembers which processes exist, so it is for
/// one look only.
pub struct Judge {
    here: Here,
    processes: Everywhere,
    claimed: HashMap<u32, Claimed>,
}

impl Judge {
    /// A look at this moment.
    #[must_use]
    pub fn new() -> Self {
        Self {
            here: Here::now(),
            processes: Everywhere::default(),
            claimed: HashMap::new(),
        }
    }

    /// The fate of a run of this owner. To be asked for the newest run first: a process belongs to one run only.
    pub fn fate(&mut self, run: &Origin, owner: u32) -> Fate {
        let fate = self.here.fate(run, owner, &mut self.processes);
        run.settle(fate, self.claimed.entry(owner).or_default())
    }
}

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
