//! The text that a scrape gets: OpenMetrics 1.0.

use super::OfCluster;
use crate::outside::Snapshot;
use control::{ClusterReport, Role};
use policy::moment::BootTime;
use prometheus_client::encoding::EncodeGaugeValue;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{Atomic, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

/// What is counted, and the snapshot's gauges.
pub(super) fn text(counted: &Registry, snapshot: &Snapshot, now: BootTime) -> Result<String, fmt::Error> {
    let mut text = String::new();
    encode_registry(&mut text, counted)?;
    encode_registry(&mut text, &gauges(snapshot, now))?;
    encode_eof(&mut text)?;
    Ok(text)
}

fn gauges(Snapshot { taken, report }: &Snapshot, now: BootTime) -> Registry {
    let mut registry = Registry::with_prefix("rcrond");
    let version = Info::new([("version", report.version.clone()), ("node", report.node.clone())]);
    registry.register("build", "rcrond's version, and the node's name", version);
    let one = |registry: &mut Registry, name: &str, help: &str, value: bool| {
        let gauge = Gauge::<i64, AtomicI64>::default();
        gauge.set(i64::from(value));
        registry.register(name, help, gauge);
    };
    one(
        &mut registry,
        "store_up",
        "1 if the store answered last time",
        report.store.answers,
    );
    one(
        &mut registry,
        "store_watching",
        "1 if the store tells of changes; else this node polls",
        report.store.watching,
    );
    one(
        &mut registry,
        "session",
        "1 if this node has a session in the store",
        report.store.session,
    );
    let elapsed = now.since(*taken);
    let mut each = Each {
        registry,
        clusters: &report.clusters,
    };
    each.flag("active", "1 if jobs are started here", |cluster| {
        cluster.role == Role::Active && left(cluster, elapsed) > Duration::ZERO
    });
    each.flag(
        "drained",
        "1 if this node was told to stay out, or to stay out once its jobs have ended",
        |cluster| matches!(cluster.role, Role::Drained | Role::Draining),
    );
    each.flag(
        "state_file_writable",
        "1 if the state file could be written last time",
        |cluster| cluster.writable,
    );
    let priority = |cluster: &ClusterReport| u64::from(cluster.priority);
    each.gauge::<u64, AtomicU64>("priority", "This node's priority", None, priority);
    each.gauge::<u64, AtomicU64>("epoch", "The highest epoch that this node has seen", None, |cluster| {
        cluster.epoch
    });
    each.gauge::<f64, AtomicU64>(
        "lease_left",
        "How much is left of this node's lease; 0 if it has none",
        Some(Unit::Seconds),
        |cluster| left(cluster, elapsed).as_secs_f64(),
    );
    each.registry
}

/// What is left of the lease, so long after the snapshot.
fn left(cluster: &ClusterReport, elapsed: Duration) -> Duration {
    Duration::from_millis(cluster.lease_left_ms.unwrap_or_default()).saturating_sub(elapsed)
}

/// A gauge for each cluster.
struct Each<'a> {
    registry: Registry,
    clusters: &'a [ClusterReport],
}

impl Each<'_> {
    fn flag(&mut self, name: &str, help: &str, value: impl Fn(&ClusterReport) -> bool) {
        self.gauge::<i64, AtomicI64>(name, help, None, |cluster| i64::from(value(cluster)));
    }

    fn gauge<N, A>(&mut self, name: &str, help: &str, unit: Option<Unit>, value: impl Fn(&ClusterReport) -> N)
    where
        N: EncodeGaugeValue + fmt::Debug + Send + Sync + 'static,
        A: Atomic<N> + Default + fmt::Debug + Send + Sync + 'static,
    {
        let family = Family::<OfCluster<1>, Gauge<N, A>>::default();
        for cluster in self.clusters {
            family
                .get_or_create(&[("cluster", cluster.name.clone())])
                .set(value(cluster));
        }
        match unit {
            Some(unit) => self.registry.register_with_unit(name, help, unit, family),
            None => self.registry.register(name, help, family),
        }
    }
}
