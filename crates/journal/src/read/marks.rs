//! Which interrupted runs were logged, and which were seen: the file `UID-marks` in the directory of each journal, as
//! `rcronctl interrupted` writes it.

use std::path::{Path, PathBuf};

/// The first line of a file. A later version that writes other lines changes it.
pub const VERSION: &str = "rcron-marks 1";
/// In bytes: more than the most marks take.
pub const LARGEST: u64 = 16 << 20;

/// The owner of the run's file, and the run's id as a number. The id alone would not do: users can read the ids of others in the log
/// and write them into their own files.
pub type RunKey = (u32, u128);

/// What was done about an interrupted run; a later one replaces an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It was logged.
    Logged,
    /// An administrator has seen it.
    Seen,
}

impl Mark {
    /// The word in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Logged => "logged",
            Self::Seen => "seen",
        }
    }
}

/// The file with the marks that a user has made.
#[must_use]
pub fn path(directory: &Path, user: u32) -> PathBuf {
    directory.join(format!("{user}-marks"))
}

/// Parses a line after the first.
#[must_use]
pub fn parse(line: &str) -> Option<(RunKey, Mark)> {
    let mut words = line.split(' ');
    let user = words.next()?.parse().ok()?;
    let run = u128::from_str_radix(words.next()?, 16).ok()?;
    let word = words.next()?;
    let mark = [Mark::Logged, Mark::Seen]
        .into_iter()
        .find(|mark| mark.word() == word)?;
    Some(((user, run), mark))
}

/// The runs that a file's lines mark as seen; none if they are of another version.
pub fn seen(text: &str) -> impl Iterator<Item = RunKey> {
    let mut lines = text.lines();
    let is_known = lines.next() == Some(VERSION);
    lines
        .filter(move |_| is_known)
        .filter_map(parse)
        .filter_map(|(key, mark)| (mark == Mark::Seen).then_some(key))
}
