//! A run, from its records and its processes.

use jiff::Timestamp;
use std::time::Duration;

/// One run of one job.
///
/// Texts are as in the record: if [`Run::escaped`], a byte that is not UTF-8 is `\xHH` in them and a backslash is doubled.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// `run`: a version 7 UUID, unique across servers.
    pub id: String,
    /// The host's name.
    pub node: String,
    /// `cluster_name`.
    pub cluster: String,
    /// The name given with `--job`.
    pub job: Option<String>,
    /// The job's words, at most 4 KiB of them.
    pub command: String,
    /// The name of the effective user of rcron, if it is known.
    pub user: Option<String>,
    /// The effective user of rcron.
    pub uid: u32,
    /// The fencing token that the job was given.
    pub epoch: Option<u64>,
    /// Whether the texts are escaped.
    pub escaped: bool,
    /// Whether the command was longer and has been cut.
    pub cut: bool,
    /// rcron's own process id.
    pub pid: u32,
    /// The start, by the wall clock.
    pub started: Timestamp,
    /// The server from whose journal it was read, if several servers' journals are read: the name that was used to reach it.
    pub host: Option<String>,
    /// Whether it is marked as seen on that server. Only an export says so.
    pub is_seen: bool,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It has ended, and rcron recorded that.
    Ended(End),
    /// It has been running for this long.
    Running(Duration),
    /// Its rcron is gone (kill -9), but the job's process has been running for this long. Its end will not be recorded.
    Unwatched(Duration),
    /// It has no end and its processes are gone: a crash, a power cut, kill -9.
    Interrupted,
    /// It has no end, and its processes cannot be seen here: they are another server's or another container's.
    Unknown,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// The end, by the wall clock.
    pub at: Timestamp,
    /// The duration by the boot clock, which is correct even if the wall clock was set meanwhile.
    pub lasted: Duration,
    /// Its exit status, or the signal that killed it.
    pub outcome: Outcome,
    /// Whether rcron ended it because the state stopped being active.
    pub demoted: bool,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With this exit status.
    Exited(u8),
    /// By the signal of this name, `SIGTERM`.
    Killed(String),
}

impl Run {
    /// The id as a number. An id that is not a UUID, which another program must have written, gets its hash.
    #[must_use]
    pub fn number(&self) -> u128 {
        crate::read::id(self.id.as_bytes())
    }

    /// The server that it ran on: the one from whose journal it was read, if that is known, otherwise the one that it names.
    #[must_use]
    pub fn server(&self) -> &str {
        self.host.as_deref().unwrap_or(&self.node)
    }

    /// What people call the job: its name, or its command if it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.job.as_deref().unwrap_or(&self.command)
    }

    /// Whether it ended with another exit status than 0, by a signal, or was interrupted.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        match &self.fate {
            Fate::Ended(end) => end.outcome != Outcome::Exited(0),
            Fate::Interrupted => true,
            Fate::Running(_) | Fate::Unwatched(_) | Fate::Unknown => false,
        }
    }
}

impl Fate {
    /// The word in tables and in `--json`: `ok`, `fail`, `running`, `unwatched`, `interrupted` or `unknown`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ended(end) if end.outcome == Outcome::Exited(0) => "ok",
            Self::Ended(_) => "fail",
            Self::Running(_) => "running",
            Self::Unwatched(_) => "unwatched",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
        }
    }
}
