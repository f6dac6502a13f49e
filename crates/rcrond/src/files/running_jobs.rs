//! How many jobs of a cluster run on this node, according to the journal.

use journal::{Query, Source, States, Unseen};
use std::fmt;
use std::path::PathBuf;

/// Why the number of running jobs is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobsUnknown {
    /// The first look at the journal has not ended yet.
    NotCounted,
    /// The cluster has no journal.
    NoJournal,
    /// A file of the journal cannot be read, with the reason.
    Unreadable(PathBuf, String),
}

impl fmt::Display for JobsUnknown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCounted => out.write_str("looking for running jobs"),
            Self::NoJournal => out.write_str("the cluster has no journal, so running jobs cannot be seen"),
            Self::Unreadable(path, why) => write!(out, "cannot read {}: {why}", path.display()),
        }
    }
}

/// Counts the runs that are still alive, by the rule of `rcronctl status`. A large journal or a slow disk makes this slow.
///
/// # Errors
/// [`JobsUnknown`].
pub(crate) fn count(journal: Option<PathBuf>, cluster: &str) -> Result<usize, JobsUnknown> {
    let directory = journal.ok_or(JobsUnknown::NoJournal)?;
    let query = Query {
        cluster: Some(cluster.to_owned()),
        states: States::Running,
        ..Query::default()
    };
    let mut found = journal::read(&[Source::Own(directory)], &query);
    let count = found.iter().count();
    // A user who exceeds a bound, or spoils his files, hides only his own jobs. That must not hold up a drain.
    let unreadable = found.unseen().into_iter().find_map(|unseen| match unseen {
        Unseen::Unreadable(path, why) | Unseen::Unusable(path, Some(0), why) => {
            Some(JobsUnknown::Unreadable(path, why))
        }
        _ => None,
    });
    unreadable.map_or(Ok(count), Err)
}
