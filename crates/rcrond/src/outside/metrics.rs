//! What Prometheus and its like read: `GET /metrics`.
//!
//! Counters and the histogram are kept here, and cost a few atomic operations for each call to the store. Gauges are
//! made at each scrape of the last snapshot, so that a cluster that was taken out of the configuration leaves none.

mod exposition;
mod server;

pub(crate) use server::{listen, serve};

use super::Snapshot;
use policy::moment::BootTime;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Up to these many seconds a call took. One takes 250 ms to 5 s at most.
const LATENCIES: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// What was asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// To read records.
    Read,
    /// To change some.
    Change,
}

/// What it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Read, or changed.
    Done,
    /// The store said no.
    Refused,
    /// It said nothing in time, or something that is none.
    NoAnswer,
}

type Labels<const N: usize> = [(&'static str, &'static str); N];
type OfCluster<const N: usize> = [(&'static str, String); N];

/// All that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    latency: Family<Labels<1>, Histogram>,
    failures: Family<Labels<2>, Counter>,
    renewals: Counter,
    transitions: Family<OfCluster<2>, Counter>,
}

impl Metrics {
    /// Everything at zero.
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("rcrond"),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            failures: Family::default(),
            renewals: Counter::default(),
            transitions: Family::default(),
        };
        metrics.register();
        // A rate can be taken only of what was there before the first time.
        for operation in [Operation::Read, Operation::Change] {
            drop(metrics.latency.get_or_create(&operation.label()));
            drop(metrics.failures.get_or_create(&failure(operation, "no_answer")));
        }
        drop(metrics.failures.get_or_create(&failure(Operation::Change, "refused")));
        metrics
    }

    fn register(&mut self) {
        let Self {
            registry,
            latency,
            failures,
            renewals,
            transitions,
        } = self;
        registry.register_with_unit(
            "store_latency",
            "How long the store took to answer; calls without an answer are not in here",
            Unit::Seconds,
            latency.clone(),
        );
        registry.register(
            "store_failures",
            "Calls to the store that were refused or not answered; a refused one was too late for another node's",
            failures.clone(),
        );
        registry.register(
            "renewals",
            "Changes that the store has done; each renews this node's session and with it all leases",
            renewals.clone(),
        );
        registry.register(
            "transitions",
            "How often a state file of this node became active or passive",
            transitions.clone(),
        );
    }

    /// A call to the store has ended.
    pub(crate) fn call(&self, operation: Operation, took: Duration, outcome: Outcome) {
        let kind = match outcome {
            Outcome::Done => None,
            Outcome::Refused => Some("refused"),
            Outcome::NoAnswer => Some("no_answer"),
        };
        if let Some(kind) = kind {
            self.failures.get_or_create(&failure(operation, kind)).inc();
        } else if operation == Operation::Change {
            self.renewals.inc();
        }
        if outcome != Outcome::NoAnswer {
            self.latency
                .get_or_create(&operation.label())
                .observe(took.as_secs_f64());
        }
    }

    /// A state file says something else than before.
    pub(crate) fn transition(&self, cluster: &str, active: bool) {
        self.transitions.get_or_create(&turn(cluster, active)).inc();
    }

    /// All of it as text, at this moment.
    fn text(&self, snapshot: &Snapshot, now: BootTime) -> Result<String, std::fmt::Error> {
        for cluster in &snapshot.report.clusters {
            drop(self.transitions.get_or_create(&turn(&cluster.name, true)));
            drop(self.transitions.get_or_create(&turn(&cluster.name, false)));
        }
        exposition::text(&self.registry, snapshot, now)
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

const fn failure(operation: Operation, kind: &'static str) -> Labels<2> {
    [("operation", operation.name()), ("kind", kind)]
}

fn turn(cluster: &str, active: bool) -> OfCluster<2> {
    let to = if active { "active" } else { "passive" };
    [("cluster", cluster.to_owned()), ("to", to.to_owned())]
}

#[cfg(test)]
mod tests;
