//! Which interrupted runs were told to syslog, and which were seen: a small file beside the journal.

use crate::failure::Failure;
use platform::file::{self, Links, Unreadable};
use platform::{journal, replace};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// As long as a run's id and a few words, for each of the most runs that a journal can hold.
const LARGEST: u64 = 32 << 20;

/// The marks of one folder, for this user.
pub(crate) struct Marks {
    path: PathBuf,
    /// By the run's id.
    marks: BTreeMap<String, Mark>,
}

/// What was done about an interrupted run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// It stands in syslog.
    Told,
    /// Somebody has seen to it.
    Seen,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Seen => "seen",
        }
    }
}

impl Marks {
    /// Reads them; none if there is no file yet.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let user = journal::effective_user();
        let path = folder.join(format!("{user}-marks"));
        let refuse = |reason: &dyn std::fmt::Display| Failure::new(format!("cannot read {}: {reason}", path.display()));
        let text = match file::open_regular(&path, Links::Refused) {
            Err(Unreadable::Missing) => String::new(),
            Err(error) => return Err(refuse(&error)),
            // The folder is everybody's.
            Ok((_, metadata)) if metadata.uid() != user => return Err(refuse(&"it belongs to another user")),
            Ok((_, metadata)) if metadata.len() > LARGEST => return Err(refuse(&"it is too large")),
            Ok((file, _)) => std::io::read_to_string(file).map_err(|error| refuse(&error))?,
        };
        let marks = text.lines().filter_map(parse).collect();
        Ok(Self { path, marks })
    }

    pub(crate) fn of(&self, run: &str) -> Option<Mark> {
        self.marks.get(run).copied()
    }

    /// Marks a run, unless it has a stronger mark.
    pub(crate) fn set(&mut self, run: &str, mark: Mark) {
        let entry = self.marks.entry(run.to_owned()).or_insert(mark);
        *entry = mark.max(*entry);
    }

    /// Writes them; those of runs that are in no journal any more are dropped.
    pub(crate) fn write(&mut self, is_known: impl Fn(&str) -> bool) -> Result<(), Failure> {
        self.marks.retain(|run, _| is_known(run));
        let lines = self.marks.iter().map(|(run, mark)| format!("{run} {}\n", mark.word()));
        let text: String = lines.collect();
        replace::replace(&self.path, text.as_bytes(), 0o600)
            .map_err(|error| Failure::of(format!("write {}", self.path.display()), &error))
    }
}

fn parse(line: &str) -> Option<(String, Mark)> {
    let (run, word) = line.split_once(' ')?;
    let mark = [Mark::Told, Mark::Seen].into_iter().find(|mark| mark.word() == word)?;
    Some((run.to_owned(), mark))
}
