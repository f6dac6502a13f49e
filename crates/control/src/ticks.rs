//! The answer about the ticks of `once_per_tick`.

use serde::{Deserialize, Serialize};

/// The ticks that the store has records of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TicksReport {
    /// The latest tick first; attempts of one tick in their order. The store keeps the last 16 ended ticks of each job.
    pub ticks: Vec<TickReport>,
    /// Jobs whose ticks are closed for longer than clocks may differ: a server with a wrong clock has closed them ahead of time.
    #[serde(default)]
    pub ahead: Vec<AheadReport>,
    /// Ticks were left out, because the answer would be too long. Ask for one cluster, user or job.
    #[serde(default)]
    pub is_cut: bool,
    /// What could not be read, each as a line to print.
    #[serde(default)]
    pub unreadable: Vec<String>,
}

/// One attempt of a tick, or ticks that were not started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TickReport {
    /// The cluster's name.
    pub cluster: String,
    /// The user whose crontab has the job.
    pub user: String,
    /// The job's name.
    pub job: String,
    /// The scheduled time: RFC 3339, UTC. Of several missed ticks, the first.
    pub tick: String,
    /// Of several missed ticks, the last; otherwise the same as `tick`.
    pub last_tick: String,
    /// How many ticks these are: 1, except for missed ones. [`u32::MAX`] means "this many or more".
    pub count: u32,
    /// 1, 2, …; 0 if the tick was not started.
    pub attempt: u32,
    /// The node that started it. Of a tick that was not started: the node that recorded this.
    pub node: String,
    /// When the attempt was granted by the node's wall clock: RFC 3339, UTC. `None` if it was not started.
    pub started: Option<String>,
    /// How long after the scheduled time that was, in milliseconds. It is negative if the node's wall clock was behind the
    /// scheduled time.
    pub late_ms: Option<i64>,
    /// From start to end, in milliseconds, if it is known.
    pub lasted_ms: Option<u64>,
    /// How it ended.
    pub result: TickResult,
    /// The job's exit status, with [`TickResult::Ok`] and [`TickResult::Failed`].
    pub code: Option<u8>,
    /// The number of the signal, with [`TickResult::Killed`].
    pub signal: Option<i32>,
    /// Why the tick was missed: `no-session`, `not-asked` or `not-running`.
    pub reason: Option<String>,
    /// The same for people.
    pub explanation: Option<String>,
    /// The run ID of the attempt, as in the journal; `None` if it was not started.
    pub run: Option<String>,
    /// How many more times the tick may be started after the loss of its server. 0 if it has ended.
    #[serde(default)]
    pub reruns_left: u32,
}

/// How an attempt, or a tick without one, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TickResult {
    /// It was granted, and its end is not known yet.
    Running,
    /// It was granted and given back, and waits for another server: it was not started, or it was ended by a handover and may be
    /// started again.
    Open,
    /// The job exited with 0.
    Ok,
    /// The job exited with another status.
    Failed,
    /// A signal killed the job.
    Killed,
    /// The server was lost, or the job was ended because its server stopped being active.
    Interrupted,
    /// The run's rcron was gone, so that its end is not known.
    Lost,
    /// Not started, because an earlier tick was still running.
    Skipped,
    /// Not started by any server.
    Missed,
}

impl TickResult {
    /// The word in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Open => "open",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Interrupted => "interrupted",
            Self::Lost => "lost",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
        }
    }
}

/// Ticks of a job, or of a whole cluster, that are closed ahead of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AheadReport {
    /// The cluster's name.
    pub cluster: String,
    /// The user whose crontab has the job; `None` if the floor of the cluster is ahead.
    pub user: Option<String>,
    /// The job's name; `None` if the floor of the cluster is ahead.
    pub job: Option<String>,
    /// Ticks up to this time are not started: RFC 3339, UTC.
    pub closed: String,
    /// How far this is ahead of the daemon's wall clock, in milliseconds.
    pub ahead_ms: u64,
}
