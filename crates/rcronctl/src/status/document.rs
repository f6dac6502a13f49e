//! `rcronctl status --json`: rcronctl(8), "JSON".

use super::{Known, Refused, rcrond::Rcrond, timestamp};
use crate::json::RunDocument;
use control::{ClusterReport, NodeReport, Report, Role};
use inputs::words;
use jiff::Timestamp;
use policy::decide::Decision;
use policy::state::Lease;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) clusters: Vec<ClusterDocument<'a>>,
    /// Runs of these clusters that go on now.
    pub(super) running: Vec<RunDocument<'a>>,
    /// `None` where nothing shows that there is an rcrond.
    pub(super) rcrond: Option<DaemonDocument<'a>>,
}

#[derive(Default, Serialize)]
pub(super) struct ClusterDocument<'a> {
    configuration: String,
    /// Why rcron refuses the configuration: then there is nothing else.
    error: Option<String>,
    cluster: Option<String>,
    /// What rcron makes of it: `active` or `passive`.
    state: Option<&'static str>,
    reason: Option<String>,
    state_file: Option<String>,
    /// The file's first word, if it is one.
    says: Option<&'static str>,
    draining: bool,
    by: Option<String>,
    since: Option<String>,
    epoch: Option<u64>,
    modified: Option<Timestamp>,
    /// Seconds; negative when it is over.
    lease_left: Option<f64>,
    /// What is taken if the state cannot be read, and by which key.
    default: Option<&'static str>,
    default_key: Option<&'static str>,
    /// `None` where rcrond does not answer or does not know the cluster.
    rcrond: Option<NodesDocument<'a>>,
}

/// A cluster as rcrond has it. Spans are in seconds.
#[derive(Serialize)]
struct NodesDocument<'a> {
    holder: Option<&'a str>,
    role: Role,
    priority: u32,
    epoch: u64,
    lease: f64,
    lease_left: Option<f64>,
    writable: bool,
    /// Empty where the store could not be asked.
    nodes: Vec<NodeDocument<'a>>,
}

#[derive(Serialize)]
struct NodeDocument<'a> {
    node: &'a str,
    role: Role,
    priority: u32,
    epoch: Option<u64>,
    lease_left: Option<f64>,
    version: &'a str,
    last_seen: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct DaemonDocument<'a> {
    socket: String,
    /// Why there is no report, or none of the other nodes.
    error: Option<&'a str>,
    node: Option<&'a str>,
    version: Option<&'a str>,
    store: Option<StoreDocument<'a>>,
}

#[derive(Serialize)]
struct StoreDocument<'a> {
    kind: &'a str,
    servers: &'a [String],
    answers: bool,
    failure: Option<&'a str>,
    session: bool,
    watching: bool,
}

impl ClusterDocument<'_> {
    pub(super) fn refused((file, diagnostic): &Refused) -> Self {
        Self {
            configuration: file.display().to_string(),
            error: Some(diagnostic.summary.clone()),
            ..Self::default()
        }
    }
}

impl Known {
    pub(super) fn document<'a>(&self, rcrond: &'a Rcrond) -> ClusterDocument<'a> {
        let config = self.config();
        let state = self.state();
        let (default, key) = self.fallback();
        let active = matches!(self.observation.decision, Decision::Run(_));
        let text = |bytes: Option<&Vec<u8>>| bytes.map(|bytes| words::text_of(bytes));
        let lease_left = state.and_then(|state| match &state.lease {
            Lease::Until { end, .. } => Some(end.0.as_secs_f64() - self.observation.moment.boot.0.as_secs_f64()),
            _ => None,
        });
        ClusterDocument {
            configuration: self.settings.file.to_string_lossy().into_owned(),
            error: None,
            cluster: Some(words::text_of(&config.cluster_name)),
            state: Some(if active { "active" } else { "passive" }),
            reason: Some(words::why(&self.observation, config)),
            state_file: Some(words::text_of(&config.state_file)),
            says: state.map(|state| state.word.as_str()),
            draining: state.is_some_and(|state| state.draining),
            by: text(state.and_then(|state| state.by.as_ref())),
            since: text(state.and_then(|state| state.since.as_ref())),
            epoch: state.and_then(|state| state.epoch),
            modified: self.modified().and_then(timestamp),
            lease_left,
            default: Some(default.as_str()),
            default_key: Some(key),
            rcrond: rcrond.cluster(config).map(NodesDocument::from),
        }
    }
}

impl<'a> From<&'a ClusterReport> for NodesDocument<'a> {
    fn from(cluster: &'a ClusterReport) -> Self {
        Self {
            holder: cluster.holder.as_deref(),
            role: cluster.role,
            priority: cluster.priority,
            epoch: cluster.epoch,
            lease: seconds(cluster.lease_ms),
            lease_left: cluster.lease_left_ms.map(seconds),
            writable: cluster.writable,
            nodes: cluster.nodes.iter().map(NodeDocument::from).collect(),
        }
    }
}

impl<'a> From<&'a NodeReport> for NodeDocument<'a> {
    fn from(node: &'a NodeReport) -> Self {
        Self {
            node: &node.name,
            role: node.role,
            priority: node.priority,
            epoch: node.epoch,
            lease_left: node.lease_left_ms.map(seconds),
            version: &node.version,
            last_seen: node.last_seen.as_deref(),
        }
    }
}

impl<'a> DaemonDocument<'a> {
    pub(super) fn new(socket: &Path, rcrond: &'a Rcrond) -> Option<Self> {
        let report = rcrond.report();
        let error = rcrond.trouble();
        (report.is_some() || error.is_some()).then(|| Self {
            socket: socket.to_string_lossy().into_owned(),
            error,
            node: report.map(|report| report.node.as_str()),
            version: report.map(|report| report.version.as_str()),
            store: report.map(StoreDocument::from),
        })
    }
}

impl<'a> From<&'a Report> for StoreDocument<'a> {
    fn from(report: &'a Report) -> Self {
        let store = &report.store;
        Self {
            kind: &store.kind,
            servers: &store.servers,
            answers: store.answers,
            failure: store.failure.as_deref(),
            session: store.session,
            watching: store.watching,
        }
    }
}

fn seconds(milliseconds: u64) -> f64 {
    std::time::Duration::from_millis(milliseconds).as_secs_f64()
}
