//! The protocol between rcronctl and rcrond, over a Unix socket. A request is one line of JSON; each answer is one, too.
//!
//! A connection serves one request. Its last answer is the first that is not [`Response::Progress`].
//!
//! A field of an answer that rcronctl does not know is ignored, so that two versions can talk to each other during an upgrade.
//! A request with an unknown field is refused: to execute a part of a drain would be worse than to refuse it.

pub mod client;
mod drift;
mod ticks;

pub use drift::{ClusterDrift, Difference, DifferenceKind, DriftReport, DriftValue};
pub use ticks::{AheadReport, TickReport, TickResult, TicksReport};

use serde::{Deserialize, Serialize};

/// The socket that rcrond creates if `[control] socket` is not set.
pub const DEFAULT_SOCKET: &str = "/run/rcrond/socket";

/// A request of rcronctl.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// Asks for the daemon's status. Every user may do so.
    Status {
        /// Whether to read the other nodes from the store.
        nodes: bool,
    },
    /// Releases clusters and keeps this node from taking them over. Only root and rcrond's own user may do so.
    Drain {
        /// The clusters' names. An empty list means all clusters.
        clusters: Vec<String>,
        /// How long to wait for running jobs, in milliseconds. The node starts no more jobs, and keeps the lease until they have
        /// ended or this time is over. `None`: the clusters are released at once.
        wait_ms: Option<u64>,
    },
    /// Lets this node take clusters over again. Only root and rcrond's own user may do so.
    Undrain {
        /// The clusters' names. An empty list means all clusters.
        clusters: Vec<String>,
    },
    /// Lets the daemon read its configuration again, as SIGHUP does, and answers whether it has taken it over. Only root and
    /// rcrond's own user may do so.
    Reload {},
    /// Asks for the ticks of `once_per_tick` that the store has records of. Every user may do so, and sees the ticks of their own
    /// jobs; root and rcrond's own user see all.
    Ticks {
        /// Only of this cluster. `None`: of all clusters that the daemon serves.
        cluster: Option<String>,
        /// Only of jobs of this user.
        user: Option<String>,
        /// Only of jobs with this name.
        job: Option<String>,
        /// Only ticks of this time or later, in milliseconds since 1970.
        since_ms: Option<u64>,
        /// Only ticks that were missed.
        missed_only: bool,
    },
    /// Lowers what a wrong clock has closed ahead of time, so that the job's ticks are started again. Only root and rcrond's own
    /// user may do so.
    Reopen {
        /// The cluster's name.
        cluster: String,
        /// The user whose crontab has the job.
        user: String,
        /// The job's name.
        job: String,
    },
    /// Asks how the servers differ. Every user may do so, and sees the differences of their own jobs; root and rcrond's own user see
    /// all.
    Drift {},
}

/// An answer of rcrond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Response {
    /// The answer to [`Request::Status`].
    Status(Report),
    /// The answer to [`Request::Ticks`].
    Ticks(TicksReport),
    /// The answer to [`Request::Drift`].
    Drift(DriftReport),
    /// The request is being executed. More answers follow.
    Progress {
        /// What rcrond waits for, as a line to print; empty if there is nothing to print.
        text: String,
        /// The last answer comes within this time, in milliseconds. `None`: as it was said before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer_within_ms: Option<u64>,
    },
    /// The request was executed.
    Done {
        /// A line to print for each cluster.
        lines: Vec<String>,
    },
    /// The request was not executed, or not completely.
    Error {
        /// The reason, to print.
        message: String,
    },
    /// This user is not permitted to send this request. The task of the connection answers it; the daemon's loop never sees it.
    Refused {
        /// The reason, to print.
        message: String,
    },
}

impl Response {
    /// Whether no other answer follows.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        !matches!(self, Self::Progress { .. })
    }
}

/// The daemon's status report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The name of the daemon's node.
    pub node: String,
    /// rcrond's version.
    pub version: String,
    /// What the daemon knows about its store.
    pub store: StoreReport,
    /// The clusters in the order of the configuration. Clusters that a reload has added come last.
    pub clusters: Vec<ClusterReport>,
}

/// The store, as this node sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreReport {
    /// `etcd`, `postgresql`, `mariadb` or `redis`.
    pub kind: String,
    /// The servers, as in rcrond.toml(5).
    pub servers: Vec<String>,
    /// Whether the last call was answered.
    pub answers: bool,
    /// The error of the last call, if it was not answered.
    pub failure: Option<String>,
    /// Whether this node has a session in it.
    pub session: bool,
    /// Why it does not, if that is known: another machine has its name, or the session was lost. As in the log.
    #[serde(default)]
    pub session_failure: Option<String>,
    /// Whether the store reports changes. Otherwise the node polls.
    pub watching: bool,
    /// Why it does not, if that is known.
    #[serde(default)]
    pub watch_failure: Option<String>,
}

/// A cluster, as this node sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterReport {
    /// The cluster's name.
    pub name: String,
    /// The path of the state file on this node.
    pub state_file: String,
    /// This node's role.
    pub role: Role,
    /// This node's priority.
    pub priority: u32,
    /// The lease's duration as configured on this node, in milliseconds.
    pub lease_ms: u64,
    /// `settle` as configured on this node, in milliseconds; `None` from an older daemon.
    #[serde(default)]
    pub settle_ms: Option<u64>,
    /// `grace` as configured on this node, in milliseconds; `None` from an older daemon.
    #[serde(default)]
    pub grace_ms: Option<u64>,
    /// The nodes share the cluster: `run_on = "any"` on this node.
    #[serde(default)]
    pub shared: bool,
    /// If this node holds or shares the cluster: how long its lease still lasts at least, in milliseconds.
    pub lease_left_ms: Option<u64>,
    /// The epoch in the store's record, or the highest one that this node has seen.
    pub epoch: u64,
    /// The node that holds the cluster, according to the last read.
    pub holder: Option<String>,
    /// Whether the last write of the state file succeeded.
    pub writable: bool,
    /// If this node is drained: since when and by whom; `None` from an older daemon, too.
    #[serde(default)]
    pub drain: Option<DrainOrigin>,
    /// All nodes of the cluster that the store has a record of, including this one. Empty unless the request asked for them.
    pub nodes: Vec<NodeReport>,
}

/// The role of a node in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The node holds the cluster, and its state file is active.
    Active,
    /// The nodes share the cluster, and the state file of this one says so: it starts jobs that have `once_per_tick`.
    Shared,
    /// The node holds the cluster, but its state file is not active yet, or no longer.
    Holding,
    /// The node holds or shares the cluster until its running jobs have ended.
    Draining,
    /// Another node may hold the cluster; this one can take it over.
    Standby,
    /// The node does not take the cluster over, or share it, until `undrain`.
    Drained,
    /// The node has not renewed its session for longer than a lease.
    Gone,
    /// A role of a later version of rcrond, which this version does not know.
    #[serde(other)]
    Unknown,
}

/// A node of a cluster, according to the records in the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeReport {
    /// The node's name.
    pub name: String,
    /// The node's role, as far as the records show it.
    pub role: Role,
    /// The node's priority; 0 if it is not known.
    pub priority: u32,
    /// The epoch, if the node holds the cluster.
    pub epoch: Option<u64>,
    /// If the node holds the cluster: about how long its lease still lasts, in milliseconds. For other nodes than this one it is
    /// computed from the wall clocks of both, which may differ.
    pub lease_left_ms: Option<u64>,
    /// The version of rcrond on the node; empty if it is not known.
    pub version: String,
    /// The time of the node's last renewal by its own wall clock: RFC 3339, UTC.
    pub last_seen: Option<String>,
    /// If the node is drained: since when and by whom, as far as it has published that.
    #[serde(default)]
    pub drain: Option<DrainOrigin>,
}

/// Where a drain comes from. A second drain before `undrain` does not change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainOrigin {
    /// When it was requested, by the node's own wall clock: RFC 3339, UTC.
    pub since: String,
    /// The user, and, if it is another one, who had logged in: `root (login anna)`.
    pub by: String,
}

impl DrainOrigin {
    const LONGEST_SINCE: usize = 40;
    /// In bytes: two names of 60 bytes, clipped, and what is around them.
    const LONGEST_BY: usize = 160;

    /// Whether this can be shown: what another program wrote can be anything.
    #[must_use]
    pub fn is_sane(&self) -> bool {
        let is_sane = |text: &str, longest| text.len() <= longest && !text.chars().any(char::is_control);
        is_sane(&self.since, Self::LONGEST_SINCE) && is_sane(&self.by, Self::LONGEST_BY)
    }
}
