//! The answer about how the servers of a cluster differ.
//!
//! Texts are from the records of other servers. Whoever prints them must escape them.

use serde::{Deserialize, Serialize};

/// How the servers differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftReport {
    /// One for each cluster that the daemon serves, by name.
    pub clusters: Vec<ClusterDrift>,
    /// By cluster and kind, then by user and job.
    pub differences: Vec<Difference>,
    /// Only differences of this user's own jobs were asked for.
    #[serde(default)]
    pub is_partial: bool,
    /// Differences were left out, because the answer would be too long. [`ClusterDrift::count`] counts them.
    #[serde(default)]
    pub is_cut: bool,
    /// How many nodes the store's list has, with the daemon's own; 0 from an older daemon.
    #[serde(default)]
    pub nodes: usize,
    /// How many of them were not read, because they are too many or their records are too long.
    #[serde(default)]
    pub unread: usize,
}

/// A cluster, and how many differences its servers have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterDrift {
    /// The cluster's name.
    pub name: String,
    /// The nodes that were compared, by name.
    pub nodes: Vec<String>,
    /// How many differences there are that this user may see. [`DifferenceKind::NoSession`] and [`DifferenceKind::Incomplete`] are not
    /// counted.
    pub count: usize,
    /// How many of them are about jobs of users other than root, who can make as many as they like.
    #[serde(default)]
    pub of_users: usize,
}

/// A difference between servers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// The cluster's name.
    pub cluster: String,
    /// What differs.
    pub kind: DifferenceKind,
    /// The user whose job differs; `None` if this is not about a job.
    #[serde(default)]
    pub user: Option<String>,
    /// The job's name; `None` if it has none, or if this is not about a job.
    #[serde(default)]
    pub job: Option<String>,
    /// Of a job without a name: the schedule of one of its lines.
    #[serde(default)]
    pub schedule: Option<String>,
    /// The name of a configuration key.
    #[serde(default)]
    pub key: Option<String>,
    /// The nodes that differ from most of the others. Empty if the nodes are divided equally: then nothing shows which is right.
    pub odd: Vec<String>,
    /// Each value, and the nodes that have it.
    pub values: Vec<DriftValue>,
}

/// A value that some nodes have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DriftValue {
    /// As the nodes publish it. Of a job that some nodes do not have: `present` or `missing`.
    pub value: String,
    /// The nodes' names.
    pub nodes: Vec<String>,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// The node has not renewed its session: it may be switched off. Nothing of it is compared.
    NoSession,
    /// The node publishes nothing: its rcrond is older.
    NotPublished,
    /// What the node publishes cannot be read.
    Unreadable,
    /// The node does not publish all of its jobs.
    Incomplete,
    /// cron does not run on the node.
    CronStopped,
    /// Wall clocks differ. The value is how far a clock is ahead of those of most nodes, or of the daemon's, at least, in milliseconds;
    /// it is negative if the clock is behind.
    Clock,
    /// The versions of rcrond.
    RcrondVersion,
    /// The versions of rcron.
    RcronVersion,
    /// cron's own time zone, as a rule of tzset(3).
    CronZone,
    /// A key of rcrond.toml.
    RcrondKey,
    /// A key of the cluster's rcron.conf.
    RcronKey,
    /// A job is missing on some nodes.
    JobMissing,
    /// A job's schedule.
    Schedule,
    /// A job's time zone.
    JobZone,
    /// Whether a job is subject to `once_per_tick`.
    OncePerTick,
    /// A job's command. The values are hashes of 16 bits.
    Command,
    /// A kind of a later version of rcrond.
    #[serde(other)]
    Unknown,
}

impl DifferenceKind {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSession => "no-session",
            Self::NotPublished => "not-published",
            Self::Unreadable => "unreadable",
            Self::Incomplete => "incomplete",
            Self::CronStopped => "cron-stopped",
            Self::Clock => "clock",
            Self::RcrondVersion => "rcrond-version",
            Self::RcronVersion => "rcron-version",
            Self::CronZone => "cron-zone",
            Self::RcrondKey => "rcrond-key",
            Self::RcronKey => "rcron-key",
            Self::JobMissing => "job-missing",
            Self::Schedule => "schedule",
            Self::JobZone => "job-zone",
            Self::OncePerTick => "once-per-tick",
            Self::Command => "command",
            Self::Unknown => "unknown",
        }
    }
}
