//! `rcronctl status --json`: rcronctl(8), "JSON".

use super::cluster::{ClusterState, Rejected};
use super::jobs::RunningJobs;
use super::rcrond::Rcrond;
use crate::failure::Failure;
use crate::output::print_json;
use crate::run_json::RunList;
use control::{ClusterReport, NodeReport, Report, StoreReport};
use inputs::words;
use jiff::Timestamp;
use policy::display::escaped;
use policy::state::{Lease, State, Word};
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::Duration;

/// The document. The running jobs are read while it is written.
struct StatusJson<'a> {
    clusters: Vec<ClusterJson<'a>>,
    jobs: RefCell<&'a mut RunningJobs>,
    rcrond: Option<RcrondJson<'a>>,
}

pub(super) fn print_status(
    clusters: &[ClusterState],
    rejected: &[Rejected],
    jobs: &mut RunningJobs,
    socket: &Path,
    rcrond: &Rcrond,
) -> Result<(), Failure> {
    let accepted = clusters.iter().map(|cluster| ClusterJson::new(cluster, rcrond));
    print_json(&StatusJson {
        clusters: accepted.chain(rejected.iter().map(ClusterJson::rejected)).collect(),
        jobs: RefCell::new(jobs),
        rcrond: RcrondJson::new(socket, rcrond),
    })
}

impl Serialize for StatusJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Status", 4)?;
        object.serialize_field("clusters", &self.clusters)?;
        let mut jobs = self.jobs.borrow_mut();
        object.serialize_field("running", &RunList::new(&mut jobs.runs, &Cell::new(0)))?;
        object.serialize_field("rcrond", &self.rcrond)?;
        let unseen: Vec<String> = jobs.runs.unseen().iter().map(ToString::to_string).collect();
        object.serialize_field("unseen", &unseen)?;
        object.end()
    }
}

#[derive(Default, Serialize)]
struct ClusterJson<'a> {
    configuration: String,
    /// Why rcron rejects the configuration. The other fields then have no values.
    error: Option<String>,
    cluster: Option<String>,
    state: Option<&'static str>,
    reason: Option<String>,
    state_file: Option<String>,
    /// The first word of the file.
    says: Option<&'static str>,
    draining: bool,
    by: Option<String>,
    since: Option<String>,
    epoch: Option<u64>,
    modified: Option<Timestamp>,
    /// Seconds; negative if the lease has expired.
    lease_left: Option<f64>,
    default: Option<&'static str>,
    default_key: Option<&'static str>,
    rcrond: Option<Reported<'a, ClusterReport>>,
    drift: Option<DriftJson<'a>>,
}

impl<'a> ClusterJson<'a> {
    fn rejected((file, diagnostic): &Rejected) -> Self {
        Self {
            configuration: file.display().to_string(),
            error: Some(diagnostic.summary.clone()),
            ..Self::default()
        }
    }

    fn new(cluster: &ClusterState, rcrond: &'a Rcrond) -> Self {
        let config = cluster.config();
        let state = cluster.state();
        let (default, key) = cluster.default();
        let attribute =
            |value: fn(&State) -> Option<&Vec<u8>>| state.and_then(value).map(|text| escaped(text).into_owned());
        let lease_left = state.and_then(|state| match &state.lease {
            Lease::Until { end, .. } => Some(end.0.as_secs_f64() - cluster.observation.moment.boot.0.as_secs_f64()),
            _ => None,
        });
        Self {
            configuration: cluster.settings.file.to_string_lossy().into_owned(),
            error: None,
            cluster: Some(cluster.name()),
            state: Some(cluster.word()),
            reason: Some(words::why(&cluster.observation, config)),
            state_file: Some(escaped(&config.state_file).into_owned()),
            says: state.map(|state| Word::as_str(state.word)),
            draining: state.is_some_and(|state| state.draining),
            by: attribute(|state| state.by.as_ref()),
            since: attribute(|state| state.since.as_ref()),
            epoch: state.and_then(|state| state.epoch),
            modified: cluster.modified(),
            lease_left,
            default: Some(default.as_str()),
            default_key: Some(key),
            rcrond: rcrond.report_of(cluster).map(Reported),
            drift: rcrond
                .report_of(cluster)
                .and_then(|cluster| DriftJson::of(rcrond, cluster)),
        }
    }
}

/// How many differences the servers have, and which servers were compared.
#[derive(Serialize)]
struct DriftJson<'a> {
    differences: usize,
    servers: &'a [String],
    /// How many servers there are that were not compared with this one, whatever their clusters.
    servers_not_read: usize,
    /// Only the differences of this user's jobs are counted.
    own_jobs_only: bool,
}

impl<'a> DriftJson<'a> {
    fn of(rcrond: &'a Rcrond, cluster: &ClusterReport) -> Option<Self> {
        let (found, drift) = rcrond.drift_of(cluster)?;
        Some(Self {
            differences: found.count,
            servers: &found.nodes,
            servers_not_read: drift.unread,
            own_jobs_only: drift.is_partial,
        })
    }
}

#[derive(Serialize)]
struct RcrondJson<'a> {
    socket: String,
    /// Why there is no report, or none about the other nodes.
    error: Option<&'a str>,
    node: Option<&'a str>,
    version: Option<&'a str>,
    store: Option<&'a StoreReport>,
}

impl<'a> RcrondJson<'a> {
    fn new(socket: &Path, rcrond: &'a Rcrond) -> Option<Self> {
        let report = rcrond.report.as_ref();
        let error = rcrond.error.as_deref();
        (report.is_some() || error.is_some()).then(|| Self {
            socket: socket.to_string_lossy().into_owned(),
            error,
            node: report.map(|report| report.node.as_str()),
            version: report.map(|report: &Report| report.version.as_str()),
            store: report.map(|report| &report.store),
        })
    }
}

/// A part of rcrond's report with the field names of `--json`, and with durations in seconds.
struct Reported<'a, T>(&'a T);

impl Serialize for Reported<'_, ClusterReport> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cluster = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("holder", &cluster.holder)?;
        object.serialize_entry("role", &cluster.role)?;
        object.serialize_entry("priority", &cluster.priority)?;
        object.serialize_entry("epoch", &cluster.epoch)?;
        object.serialize_entry("lease", &seconds(cluster.lease_ms))?;
        object.serialize_entry("lease_left", &cluster.lease_left_ms.map(seconds))?;
        object.serialize_entry("writable", &cluster.writable)?;
        object.serialize_entry("drained", &cluster.drain)?;
        let nodes: Vec<_> = cluster.nodes.iter().map(Reported).collect();
        object.serialize_entry("nodes", &nodes)?;
        object.end()
    }
}

impl Serialize for Reported<'_, NodeReport> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let node = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("node", &node.name)?;
        object.serialize_entry("role", &node.role)?;
        object.serialize_entry("priority", &node.priority)?;
        object.serialize_entry("epoch", &node.epoch)?;
        object.serialize_entry("lease_left", &node.lease_left_ms.map(seconds))?;
        object.serialize_entry("version", &node.version)?;
        object.serialize_entry("last_seen", &node.last_seen)?;
        object.serialize_entry("drained", &node.drain)?;
        object.end()
    }
}

fn seconds(milliseconds: u64) -> f64 {
    Duration::from_millis(milliseconds).as_secs_f64()
}
