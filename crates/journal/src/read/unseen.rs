//! What a reader could not see: a command that found nothing must not say "none" then.

use super::limits::{LONGEST_LINE, MOST_BYTES, MOST_FILES, MOST_NOTES};
use super::users;
use std::fmt;
use std::path::{Path, PathBuf};

/// A part of the journals that was not read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// A file or a directory that cannot be read, and the reason.
    Unreadable(PathBuf, String),
    /// A file that its owner made unusable, the owner if it is known, and the reason.
    Unusable(PathBuf, Option<u32>, String),
    /// A directory with so many names that not all were looked at.
    TooManyNames(PathBuf),
    /// A file of which only the end was read.
    TooLarge(PathBuf),
    /// A file with lines that are longer than any record.
    LongLines(PathBuf),
    /// Other users have taken all names of this user, so that his runs are not recorded.
    NamesTaken(PathBuf, u32),
    /// So many files were not read, because there are too many.
    TooManyFiles(usize),
    /// So many starts without an end of this user were dropped.
    OpenDropped(Option<u32>, u64),
    /// So many of the oldest runs of this user were dropped.
    RunsDropped(Option<u32>, u64),
    /// So many of the oldest runs of this server were dropped.
    HostRunsDropped(String, u64),
    /// So many records were removed by a rotation, or changed, while the journal was read.
    Gone(u64),
    /// So many further notes.
    More(usize),
}

/// Collects notes, and counts those beyond the limit.
#[derive(Debug, Default)]
pub(super) struct Notes {
    list: Vec<Unseen>,
    more: usize,
}

impl Notes {
    pub(super) fn add(&mut self, note: Unseen) {
        if self.list.contains(&note) {
        } else if self.list.len() < MOST_NOTES {
            self.list.push(note);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn fail(&mut self, path: &Path, reason: String) {
        let is_known = |note: &Unseen| matches!(note, Unseen::Unreadable(known, _) if known == path);
        if !self.list.iter().any(is_known) {
            self.add(Unseen::Unreadable(path.to_owned(), reason));
        }
    }

    pub(super) fn all(&self) -> Vec<Unseen> {
        let more = (self.more > 0).then_some(Unseen::More(self.more));
        self.list.iter().cloned().chain(more).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, reason) => write!(out, "cannot read {}: {reason}", path.display()),
            Self::Unusable(path, _, reason) => {
                write!(out, "{} is not a journal file: {reason}", path.display())
            }
            Self::TooManyNames(path) => write!(
                out,
                "{} has too many files: those of users who are not in passwd(5) may be missing; remove what rcronctl check lists",
                path.display()
            ),
            Self::TooLarge(path) => write!(
                out,
                "{} is larger than rcron lets a file grow: only its last {} MiB were read",
                path.display(),
                MOST_BYTES >> 20
            ),
            Self::LongLines(path) => write!(
                out,
                "{} has lines of more than {} KiB, which rcron does not write: they were skipped",
                path.display(),
                LONGEST_LINE >> 10
            ),
            Self::NamesTaken(directory, uid) => write!(
                out,
                "other users have taken all names for the journal of {} in {}, so its runs are not recorded: see rcronctl check",
                user(Some(*uid)),
                directory.display()
            ),
            Self::TooManyFiles(files) => write!(
                out,
                "there are more than {MOST_FILES} files: {files} files of the highest user IDs were not read; move old files elsewhere"
            ),
            Self::OpenDropped(owner, runs) => write!(
                out,
                "the journal of {} has more starts without an end than can be compared: up to {runs} of the oldest runs that were \
                 interrupted or still run are not shown; find out what kills them, then move the user's oldest files elsewhere",
                user(*owner)
            ),
            Self::RunsDropped(owner, runs) => write!(
                out,
                "there are too many runs: {runs} of the oldest of {} are not shown; select fewer, with --since or --job",
                user(*owner)
            ),
            Self::HostRunsDropped(host, runs) => write!(
                out,
                "there are too many runs: {runs} of the oldest of {host} are not shown; select fewer, with --since or --job"
            ),
            Self::Gone(records) => write!(
                out,
                "{records} records were removed or changed while the journal was read, and are not shown; repeat the command"
            ),
            Self::More(notes) => write!(out, "{notes} more such problems are not listed"),
        }
    }
}

/// `user alice`, `user 1000`.
fn user(owner: Option<u32>) -> String {
    owner.map_or_else(
        || "an unknown user".to_owned(),
        |uid| format!("user {}", users::name(uid, None).unwrap_or_else(|| uid.to_string())),
    )
}
