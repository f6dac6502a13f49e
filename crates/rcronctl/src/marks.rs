//! Which interrupted runs were logged, and which were seen: a small file in the directory of each journal.

use crate::failure::Failure;
use crate::output::warn;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::file::{self, Links, Unreadable};
use sys::output::error_text;
use sys::{environment, replace};

/// Bytes: enough for an id and a word for every run that a journal can hold.
const LARGEST: u64 = 32 << 20;

/// The marks of this user. Each file has those of all journals: ids are unique.
pub(crate) struct Marks {
    files: Vec<PathBuf>,
    /// By the run's id.
    marks: BTreeMap<String, Mark>,
}

/// What was done about an interrupted run; a later one replaces an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    Logged,
    Seen,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Logged => "logged",
            Self::Seen => "seen",
        }
    }
}

impl Marks {
    /// Reads the files of these directories.
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
            Err(Unreadable::System(error)) => return Err(refuse(&error_text(&error))),
            Ok((file, metadata)) if metadata.uid() == user && metadata.len() <= LARGEST => {
                std::io::read_to_string(file).map_err(|error| refuse(&error))?
            }
            // Every user can create files in the directory. One who takes this name must not keep the runs from being reported.
            Ok(_) | Err(Unreadable::NotRegular(_)) => {
                warn(format_args!(
                    "{} does not belong to this user or is not a regular file, so no mark is stored in it: remove it",
                    path.display()
                ));
                return Ok(());
            }
        };
        self.files.push(path);
        for (run, mark) in text.lines().filter_map(parse) {
            self.add(run, mark);
        }
        Ok(())
    }

    pub(crate) fn of_run(&self, id: &str) -> Option<Mark> {
        self.marks.get(id).copied()
    }

    /// Marks a run, unless it has a later mark.
    pub(crate) fn add(&mut self, id: &str, mark: Mark) {
        let entry = self.marks.entry(id.to_owned()).or_insert(mark);
        *entry = mark.max(*entry);
    }

    /// Drops the marks of runs that are no longer in a journal.
    pub(crate) fn retain(&mut self, is_known: impl Fn(&str) -> bool) {
        self.marks.retain(|run, _| is_known(run));
    }

    /// Writes the files. A missing directory is not created: other users could not write their journals into it.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let lines = self.marks.iter().map(|(run, mark)| format!("{run} {}\n", mark.word()));
        let text: String = lines.collect();
        for file in self.files.iter().filter(|file| file.parent().is_some_and(Path::is_dir)) {
            replace::replace(file, text.as_bytes(), 0o600)
                .map_err(|error| Failure::cannot(format!("write {}", file.display()), &error))?;
        }
        Ok(())
    }
}

fn parse(line: &str) -> Option<(&str, Mark)> {
    let (run, word) = line.split_once(' ')?;
    let mark = [Mark::Logged, Mark::Seen]
        .into_iter()
        .find(|mark| mark.word() == word)?;
    Some((run, mark))
}
