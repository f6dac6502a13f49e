//! Counters of the ticks of `once_per_tick`.

use super::{Labels, MissedTicks, Operation, Outcome, failure_labels};
use claims::JobKey;
use lease::ClusterName;
use policy::claim::WaitReason;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The histogram's upper bounds in seconds. A claim takes three calls to the store; a rank, or a failover, takes longer.
const LATENCIES: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

type ClusterLabel = [(&'static str, String); 1];

/// The counters.
#[derive(Clone, Debug)]
pub(crate) struct ClaimMetrics {
    granted: Family<ClusterLabel, Counter>,
    missed: Family<ClusterLabel, Counter>,
    /// The same of each job.
    pub(crate) missed_of_jobs: MissedTicks,
    no_grant: Family<Labels<1>, Counter>,
    waiting: Gauge,
    latency: Histogram,
    failures: Family<Labels<2>, Counter>,
}

impl ClaimMetrics {
    /// All at zero.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            granted: Family::default(),
            missed: Family::default(),
            missed_of_jobs: MissedTicks::default(),
            no_grant: Family::default(),
            waiting: Gauge::default(),
            latency: Histogram::new(LATENCIES),
            failures: Family::default(),
        };
        let help = "Ticks that this node has granted to its own rcrons";
        registry.register("ticks_granted", help, metrics.granted.clone());
        let help = "Ticks that this node has recorded as missed: no node has started them";
        registry.register("ticks_missed", help, metrics.missed.clone());
        let help = "Runs on this node that were not started because this node could not get a grant in time";
        registry.register("claims_without_grant", help, metrics.no_grant.clone());
        let help = "Runs on this node that wait for a grant";
        registry.register("claims_waiting", help, metrics.waiting.clone());
        let help = "The time from a claim to its grant";
        registry.register_with_unit("claim_latency", help, Unit::Seconds, metrics.latency.clone());
        let help = "Calls to the store for claims that were refused or not answered; refused means that another node was first";
        registry.register("claim_store_failures", help, metrics.failures.clone());
        for reason in [WaitReason::NoSession, WaitReason::Store, WaitReason::Claiming] {
            drop(metrics.no_grant.get_or_create(&why(reason)));
        }
        for (operation, kind) in [
            (Operation::Read, "no_answer"),
            (Operation::Change, "no_answer"),
            (Operation::Change, "refused"),
        ] {
            drop(metrics.failures.get_or_create(&failure_labels(operation, kind)));
        }
        metrics
    }

    /// Counts a call to the store that has ended.
    pub(crate) fn count_call(&self, operation: Operation, _duration: Duration, outcome: Outcome) {
        let kind = match outcome {
            Outcome::Done => return,
            Outcome::Refused => "refused",
            Outcome::NoAnswer => "no_answer",
        };
        self.failures.get_or_create(&failure_labels(operation, kind)).inc();
    }

    /// Counts a grant, which the claim has waited for so long.
    pub(crate) fn count_grant(&self, cluster: &ClusterName, waited: Duration) {
        self.granted.get_or_create(&label(cluster)).inc();
        self.latency.observe(waited.as_secs_f64());
    }

    /// Counts missed ticks.
    pub(crate) fn count_missed(&self, job: &JobKey, count: u32) {
        self.missed_of_jobs.add(job, count);
        self.missed.get_or_create(&label(&job.cluster)).inc_by(u64::from(count));
    }

    /// Counts a run that was not started.
    pub(crate) fn count_no_grant(&self, reason: WaitReason) {
        self.no_grant.get_or_create(&why(reason)).inc();
    }

    /// Sets how many runs wait.
    pub(crate) fn set_waiting(&self, count: usize) {
        self.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Makes the counters of these clusters exist: Prometheus can compute a rate only if a counter exists before it is incremented.
    pub(super) fn create<'a>(&self, clusters: impl Iterator<Item = &'a str>) {
        for cluster in clusters {
            let label = [("cluster", cluster.to_owned())];
            drop(self.granted.get_or_create(&label));
            drop(self.missed.get_or_create(&label));
        }
    }
}

fn label(cluster: &ClusterName) -> ClusterLabel {
    [("cluster", cluster.as_str().to_owned())]
}

fn why(reason: WaitReason) -> Labels<1> {
    [("why", reason.as_str())]
}
