//! What rcronctl and rcrond say to each other, over a Unix socket: one line of JSON asks, one or more answer.
//!
//! Each connection is for one request. Its last answer is the first that is not [`Response::Progress`].

pub mod client;

use serde::{Deserialize, Serialize};

/// Where rcrond listens unless its configuration says otherwise.
pub const DEFAULT_SOCKET: &str = "/run/rcrond/socket";

/// What rcronctl asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// How things are. Anybody may ask.
    Status {
        /// Whether the other nodes are to be looked up in the store.
        nodes: bool,
    },
    /// Give clusters away and stay out. Only root.
    Drain {
        /// Which; empty: all.
        clusters: Vec<String>,
        /// Wait for running jobs: start none, keep the lease until they have ended, or this many milliseconds are over.
        wait_ms: Option<u64>,
    },
    /// Take part again. Only root.
    Undrain {
        /// Which; empty: all.
        clusters: Vec<String>,
    },
}

/// What rcrond answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Response {
    /// To [`Request::Status`].
    Status(Report),
    /// On the way: a line for people.
    Progress {
        /// What is waited for.
        text: String,
    },
    /// It is done.
    Done {
        /// What has become of each cluster: a line for people each.
        lines: Vec<String>,
    },
    /// It is not, and why.
    Error {
        /// A message for people.
        message: String,
    },
    /// This user may not ask that. The daemon's loop never says so, but its socket.
    Refused {
        /// A message for people.
        message: String,
    },
}

impl Response {
    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        !matches!(self, Self::Progress { .. })
    }
}

/// How a daemon sees the world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// This node's name.
    pub node: String,
    /// rcrond's version.
    pub version: String,
    /// The store.
    pub store: StoreReport,
    /// The clusters, in the configuration's order.
    pub clusters: Vec<ClusterReport>,
}

/// The store, from this node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreReport {
    /// `etcd`, `postgresql` or `redis`.
    pub kind: String,
    /// The servers, as configured.
    pub servers: Vec<String>,
    /// Whether it answered last time.
    pub answers: bool,
    /// Why not, if not.
    pub failure: Option<String>,
    /// Whether this node has a session.
    pub session: bool,
    /// Whether it tells of changes.
    pub watching: bool,
}

/// A cluster, from this node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterReport {
    /// Its name.
    pub name: String,
    /// Its state file.
    pub state_file: String,
    /// What this node does.
    pub role: Role,
    /// This node's priority.
    pub priority: u32,
    /// The lease, as configured here, in milliseconds.
    pub lease_ms: u64,
    /// How much of its lease this node has left, in milliseconds, if it has one.
    pub lease_left_ms: Option<u64>,
    /// The highest epoch that this node has seen.
    pub epoch: u64,
    /// Who holds the cluster, as far as this node knows.
    pub holder: Option<String>,
    /// Whether the state file could be written last time.
    pub writable: bool,
    /// All nodes that were ever seen, this one too; empty unless asked for.
    pub nodes: Vec<NodeReport>,
}

/// What a node does in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Jobs run here.
    Active,
    /// It has the cluster, and is not active yet, or not any more.
    Holding,
    /// It has the cluster until its jobs have ended.
    Draining,
    /// It would take over.
    Standby,
    /// It stays out.
    Drained,
    /// Not heard of for longer than a lease.
    Gone,
}

/// A node of a cluster, as the store has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeReport {
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Its priority.
    pub priority: u32,
    /// The epoch, if it has the cluster.
    pub epoch: Option<u64>,
    /// How much of its lease is left at least, in milliseconds, if it has the cluster.
    pub lease_left_ms: Option<u64>,
    /// rcrond's version there.
    pub version: String,
    /// When it last wrote, by its own wall clock: RFC 3339, UTC.
    pub last_seen: Option<String>,
}
