//! A run, as its records and its processes tell of it.

use jiff::Timestamp;
use std::time::Duration;

/// One run of one job.
///
/// Texts are as they stand in the record: where [`Run::escaped`] says so, a byte that is not UTF-8 is `\xHH` in them and a
/// backslash is doubled.
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
    /// Whose crontab, by name; missing where no local file knows it.
    pub user: Option<String>,
    /// The same by number: the effective user of rcron.
    pub uid: u32,
    /// The fencing token that the job was given.
    pub epoch: Option<u64>,
    /// Whether the texts are escaped.
    pub escaped: bool,
    /// Whether the command is longer than what is kept of it.
    pub cut: bool,
    /// rcron's own process id.
    pub pid: u32,
    /// When it was started, by the wall clock.
    pub started: Timestamp,
    /// What has become of it.
    pub fate: Fate,
}

/// What has become of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It has ended, and rcron was there.
    Ended(End),
    /// It is running now, since so long.
    Running(Duration),
    /// Its rcron is gone (killed with -9), but the job's own process lives. Nobody will record its end.
    Unwatched(Duration),
    /// No end was recorded and its processes are gone: a crash, a power cut, kill -9.
    Interrupted,
    /// No end was recorded, and from here one cannot see its processes: another server's, another container's.
    Unknown,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// How long it took, by the boot clock: right even where the wall clock was set meanwhile.
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
    /// What people call it: the job's name, else its command.
    #[must_use]
    pub fn name(&self) -> &str {
        self.job.as_deref().unwrap_or(&self.command)
    }

    /// Whether it has ended otherwise than with exit status 0, or was cut off.
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
    /// The word for it in tables and in `--json`: `ok`, `fail`, `running`, `unwatched`, `interrupted` or `unknown`.
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
