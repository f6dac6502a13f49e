//! Which jobs of a cluster run on this node, according to the journal.

use journal::run::Run;
use journal::{Query, Source, States, Unseen};
use policy::display::clipped;
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

/// How many names a message has.
const MAX_NAMES: usize = 5;

/// The runs that are still alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunningJobs {
    pub(crate) count: usize,
    /// Of some of the jobs, each once.
    names: Vec<String>,
}

impl RunningJobs {
    fn add(&mut self, run: &Run) {
        self.count += 1;
        let name = clipped(run.name().as_bytes());
        // One more than a message has shows that there are more.
        if self.names.len() <= MAX_NAMES && !self.names.contains(&name) {
            self.names.push(name);
        }
    }
}

impl fmt::Display for RunningJobs {
    /// Their number and names: `2 running jobs (backup, cleanup)`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => out.write_str("1 running job")?,
            count => write!(out, "{count} running jobs")?,
        }
        if self.names.is_empty() {
            return Ok(());
        }
        let shown = &self.names[..self.names.len().min(MAX_NAMES)];
        let more = if self.names.len() > MAX_NAMES { ", …" } else { "" };
        write!(out, " ({}{more})", shown.join(", "))
    }
}

/// Finds the runs that are still alive, by the rule of `rcronctl status`. A large journal or a slow disk makes this slow.
///
/// # Errors
/// [`JobsUnknown`].
pub(crate) fn find(journal: Option<PathBuf>, cluster: &str) -> Result<RunningJobs, JobsUnknown> {
    let directory = journal.ok_or(JobsUnknown::NoJournal)?;
    let query = Query {
        cluster: Some(cluster.to_owned()),
        states: States::Running,
        ..Query::default()
    };
    let mut found = journal::read(&[Source::Own(directory)], &query);
    let mut running = RunningJobs::default();
    found.iter().for_each(|run| running.add(&run));
    // A user who exceeds a bound, or spoils his files, hides only his own jobs. That must not hold up a drain.
    let unreadable = found.unseen().into_iter().find_map(|unseen| match unseen {
        Unseen::Unreadable(path, why) | Unseen::Unusable(path, Some(0), why) => {
            Some(JobsUnknown::Unreadable(path, why))
        }
        _ => None,
    });
    unreadable.map_or(Ok(running), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(count: usize, names: &[&str]) -> String {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        RunningJobs { count, names }.to_string()
    }

    #[test]
    fn jobs_are_named() {
        assert_eq!(running(1, &["backup"]), "1 running job (backup)");
        assert_eq!(running(3, &["backup", "cleanup"]), "3 running jobs (backup, cleanup)");
        let many = ["a", "b", "c", "d", "e", "f"];
        assert_eq!(running(9, &many), "9 running jobs (a, b, c, d, e, …)");
    }
}
