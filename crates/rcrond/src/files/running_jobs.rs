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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::chown;
    use std::process::Command;

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
        let count = || count(Some(directory.path().to_owned()), "web");
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
        assert_eq!(super::count(Some(directory.path().to_owned()), "mail"), Ok(0));
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
        assert_eq!(count(Some(directory.path().to_owned()), "web"), Ok(0));
        fifo(0);
        let unknown = count(Some(directory.path().to_owned()), "web");
        assert!(matches!(unknown, Err(JobsUnknown::Unreadable(..))), "{unknown:?}");
    }
}
