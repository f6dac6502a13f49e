//! Which interrupted runs were told to syslog, and which were seen: a small file beside each journal.

use crate::failure::Failure;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::file::{self, Links, Unreadable};
use sys::{environment, output, replace};

/// As long as a run's id and a word, for each of the most runs that a journal can hold.
const LARGEST: u64 = 32 << 20;

/// The marks of this user. Which journal a run is of matters to nobody: each file has all.
pub(crate) struct Marks {
    files: Vec<PathBuf>,
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
    /// Reads those of these directories.
    pub(crate) fn read_all(directories: &[PathBuf]) -> Result<Self, Failure> {
        let mut marks = Self {
            files: Vec::new(),
            marks: BTreeMap::new(),
        };
        for directory in directories {
            marks.read(directory)?;
        }
        Ok(marks)
    }

    fn read(&mut self, directory: &Path) -> Result<(), Failure> {
        let user = environment::effective_user();
        let path = directory.join(format!("{user}-marks"));
        let refuse = |reason: &dyn std::fmt::Display| Failure::new(format!("cannot read {}: {reason}", path.display()));
        let text = match file::open_regular(&path, Links::Refused) {
            Err(Unreadable::Missing) => String::new(),
            Err(Unreadable::System(error)) => return Err(refuse(&output::error_text(&error))),
            Ok((file, metadata)) if metadata.uid() == user && metadata.len() <= LARGEST => {
                std::io::read_to_string(file).map_err(|error| refuse(&error))?
            }
            // The directory is everybody's. One who takes the name must not keep the runs from being told.
            Ok(_) | Err(Unreadable::NotRegular(_)) => {
                let text = format!(
                    "rcronctl: warning: {} is not a file of this user's: nothing is marked there; remove it\n",
                    path.display()
                );
                output::to_stderr(text.as_bytes());
                return Ok(());
            }
        };
        self.files.push(path);
        for (run, mark) in text.lines().filter_map(parse) {
            self.set_one(run, mark);
        }
        Ok(())
    }

    pub(crate) fn of(&self, run: &str) -> Option<Mark> {
        self.marks.get(run).copied()
    }

    /// Marks runs, unless they have a stronger mark.
    pub(crate) fn set<'a>(&mut self, runs: impl Iterator<Item = &'a str>, mark: Mark) {
        runs.for_each(|run| self.set_one(run, mark));
    }

    fn set_one(&mut self, run: &str, mark: Mark) {
        let entry = self.marks.entry(run.to_owned()).or_insert(mark);
        *entry = mark.max(*entry);
    }

    /// Drops those of runs that are in no journal any more.
    pub(crate) fn retain(&mut self, is_known: impl Fn(&str) -> bool) {
        self.marks.retain(|run, _| is_known(run));
    }

    /// Writes them. Never makes a directory: it would not be everybody's.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let lines = self.marks.iter().map(|(run, mark)| format!("{run} {}\n", mark.word()));
        let text: String = lines.collect();
        for file in self.files.iter().filter(|file| file.parent().is_some_and(Path::is_dir)) {
            replace::replace(file, text.as_bytes(), 0o600)
                .map_err(|error| Failure::of(format!("write {}", file.display()), &error))?;
        }
        Ok(())
    }
}

fn parse(line: &str) -> Option<(&str, Mark)> {
    let (run, word) = line.split_once(' ')?;
    let mark = [Mark::Told, Mark::Seen].into_iter().find(|mark| mark.word() == word)?;
    Some((run, mark))
}
