//! Metrics for Prometheus and similar programs: `GET /metrics`.
//!
//! Counters and the histogram are kept here; they cost a few atomic operations for each call to the store. Gauges are created
//! at each scrape from a status report of the loop, so that a cluster leaves none behind when it is removed from the
//! configuration.

mod claims;
mod exposition;
mod jobs;
mod missed;
mod server;

pub(crate) use claims::ClaimMetrics;
pub(crate) use jobs::JobMetrics;
pub(crate) use missed::MissedTicks;
pub(crate) use server::{LIMITS, listen, serve};

use crate::drift::Counts;
use control::Report;
use policy::moment::{BootTime, WallTime};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::time::Duration;

/// What a state file can become.
const TRANSITIONS: [&str; 3] = ["active", "shared", "passive"];

/// The histogram's upper bounds in seconds. The time limit of a call is between 250 ms and 5 s, depending on the lease.
const LATENCIES: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// A kind of call to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Reads records.
    Read,
    /// Changes records on conditions.
    Change,
}

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The records were read or changed.
    Done,
    /// The store has refused the change, because another node had changed a record first.
    Refused,
    /// There was no answer in time, or an invalid one.
    NoAnswer,
}

type Labels<const N: usize> = [(&'static str, &'static str); N];
type ClusterLabels<const N: usize> = [(&'static str, String); N];

/// A status report, and when it was made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    /// `CLOCK_BOOTTIME`, not after the report was made: what is left of a lease in the report counts from here.
    taken: BootTime,
    /// The wall clock at the same moment: soon after Prometheus has begun the scrape.
    wall: WallTime,
    report: Report,
}

/// The counters of this process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    latency: Family<Labels<1>, Histogram>,
    failures: Family<Labels<2>, Counter>,
    renewals: Counter,
    transitions: Family<ClusterLabels<2>, Counter>,
    /// Differences between servers.
    drift: Family<ClusterLabels<2>, Gauge>,
    /// Of the ticks of `once_per_tick`.
    pub(crate) claims: ClaimMetrics,
    /// Of jobs, if they are served.
    pub(crate) jobs: Option<JobMetrics>,
}

impl Metrics {
    /// All counters at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("rcrond");
        let latency = Family::new_with_constructor((|| Histogram::new(LATENCIES)) as fn() -> Histogram);
        let help = "The time that the store took to answer a call; calls without an answer are not counted";
        registry.register_with_unit("store_latency", help, Unit::Seconds, latency.clone());
        let failures = Family::default();
        let help = "Calls to the store that were refused or not answered; refused means that another node had changed the record first";
        registry.register("store_failures", help, failures.clone());
        let renewals = Counter::default();
        let help = "Changes that the store has executed; each renews this node's session and all its leases";
        registry.register("renewals", help, renewals.clone());
        let transitions = Family::default();
        let help = "How often a state file on this node has become active, shared or passive";
        registry.register("transitions", help, transitions.clone());
        let drift = Family::default();
        let help = "Differences between the servers of the cluster that have lasted for a minute: `rcronctl check` lists them; those in jobs of other users than root have the owner users";
        registry.register("drift", help, drift.clone());
        let claims = ClaimMetrics::register(&mut registry);
        let metrics = Self {
            registry,
            latency,
            failures,
            renewals,
            transitions,
            drift,
            claims,
            jobs: None,
        };
        // Prometheus can compute a rate only if the counter exists before it is first incremented.
        for operation in [Operation::Read, Operation::Change] {
            drop(metrics.latency.get_or_create(&operation.label()));
            drop(metrics.failures.get_or_create(&failure_labels(operation, "no_answer")));
        }
        drop(
            metrics
                .failures
                .get_or_create(&failure_labels(Operation::Change, "refused")),
        );
        metrics
    }

    /// Counts a call to the store that has ended.
    pub(crate) fn count_call(&self, operation: Operation, duration: Duration, outcome: Outcome) {
        let kind = match outcome {
            Outcome::Done => None,
            Outcome::Refused => Some("refused"),
            Outcome::NoAnswer => Some("no_answer"),
        };
        if let Some(kind) = kind {
            self.failures.get_or_create(&failure_labels(operation, kind)).inc();
        } else if operation == Operation::Change {
            self.renewals.inc();
        }
        if outcome != Outcome::NoAnswer {
            self.latency
                .get_or_create(&operation.label())
                .observe(duration.as_secs_f64());
        }
    }

    /// Counts that a state file has become `to`: one of [`TRANSITIONS`].
    pub(crate) fn count_transition(&self, cluster: &str, to: &str) {
        self.transitions.get_or_create(&transition_labels(cluster, to)).inc();
    }

    /// Sets how many differences the servers of each cluster have. Of other clusters, the number is not known.
    pub(crate) fn set_drift(&self, counts: &Counts) {
        self.drift.clear();
        for ((cluster, owner), count) in counts {
            let labels = [("cluster", cluster.clone()), ("owner", owner.as_str().to_owned())];
            let gauge = self.drift.get_or_create(&labels);
            gauge.set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }

    /// The text of a scrape at this moment.
    fn text(&self, snapshot: &Snapshot, now: BootTime) -> Result<String, std::fmt::Error> {
        let clusters = snapshot.report.clusters.iter();
        self.claims.create(clusters.map(|cluster| cluster.name.as_str()));
        for cluster in &snapshot.report.clusters {
            for to in TRANSITIONS {
                drop(self.transitions.get_or_create(&transition_labels(&cluster.name, to)));
            }
        }
        exposition::text(&self.registry, snapshot, now)
    }

    /// The same, with the metrics of jobs.
    fn page(&self, snapshot: &Snapshot, now: BootTime, jobs: &str) -> Result<String, std::fmt::Error> {
        let mut text = self.text(snapshot, now)?;
        let end = text.rfind("# EOF").unwrap_or(text.len());
        text.insert_str(end, jobs);
        Ok(text)
    }

    /// The metrics of jobs; nothing if they are not served.
    async fn jobs_text(&self) -> Arc<str> {
        match &self.jobs {
            Some(jobs) => jobs.text().await,
            None => "".into(),
        }
    }
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Change => "change",
        }
    }

    const fn label(self) -> Labels<1> {
        [("operation", self.name())]
    }
}

const fn failure_labels(operation: Operation, kind: &'static str) -> Labels<2> {
    [("operation", operation.name()), ("kind", kind)]
}

fn transition_labels(cluster: &str, to: &str) -> ClusterLabels<2> {
    [("cluster", cluster.to_owned()), ("to", to.to_owned())]
}

#[cfg(test)]
mod tests;
