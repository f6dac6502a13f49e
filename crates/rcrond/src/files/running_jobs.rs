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
    use std::fs;
    use std::os::unix::fs::chown;
    use std::path::Path;
    use std::process::Command;

    fn count(directory: &Path, cluster: &str) -> Result<usize, JobsUnknown> {
        find(Some(directory.to_owned()), cluster).map(|running| running.count)
    }

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

    const USER: u32 = 65_534;

    /// The record of a run of cluster `web` whose process is this one.
    fn record(pid: u32, job: &str) -> String {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
        let born = stat
            .rsplit(')')
            .next()
            .and_then(|fields| fields.split_whitespace().nth(19))
            .expect("a time");
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("there");
        let namespace = fs::read_link("/proc/self/ns/pid").expect("there").display().to_string();
        let namespace = namespace.trim_matches(|character: char| !character.is_ascii_digit());
        format!(
            "{{\"time\":\"2026-11-24T03:00:00.000000Z\",\"event\":\"start\",\"run\":\"019ab000-0000-7000-8000-00000000000{job}\",\
             \"node\":\"n1\",\"cluster\":\"web\",\"job\":\"{job}\",\"command\":\"x\",\"uid\":0,\"pid\":{pid},\"born\":{born},\
             \"boot\":\"{}\",\"pidns\":{namespace},\"clock\":5.0}}\n",
            boot.trim()
        )
    }

    #[test]
    #[ignore = "needs root: `make test` runs it"]
    fn of_a_user_are_those_whose_process_is_his() {
        let directory = tempfile::tempdir().expect("a directory");
        let count = || count(directory.path(), "web");
        let put = |user: u32, text: &str| {
            let file = directory.path().join(format!("{user}-0.jsonl"));
            fs::write(&file, text).expect("written");
            chown(file, Some(user), None).expect("chown");
        };
        assert_eq!(count(), Ok(0));
        put(USER, &record(1, "1"));
        assert_eq!(count(), Ok(0), "process 1 is not his");
        put(0, &record(std::process::id(), "2"));
        assert_eq!(count(), Ok(1));
        assert_eq!(super::tests::count(directory.path(), "mail"), Ok(0));
    }

    /// Otherwise any user could hold up a drain.
    #[test]
    #[ignore = "needs root: `make test` runs it"]
    fn are_known_although_a_user_has_spoilt_his_own_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let fifo = |user: u32| {
            let file = directory.path().join(format!("{user}-0.jsonl"));
            assert!(Command::new("mkfifo").arg(&file).status().expect("mkfifo").success());
            chown(file, Some(user), None).expect("chown");
        };
        fifo(USER);
        assert_eq!(count(directory.path(), "web"), Ok(0));
        fifo(0);
        let unknown = count(directory.path(), "web");
        assert!(matches!(unknown, Err(JobsUnknown::Unreadable(..))), "{unknown:?}");
    }
}
