//! The text of a scrape: OpenMetrics 1.0.

use super::{ClusterLabels, Snapshot};
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

/// The counters, followed by the snapshot's gauges.
pub(super) fn text(counted: &Registry, snapshot: &Snapshot, now: BootTime) -> Result<String, fmt::Error> {
    let mut text = String::new();
    encode_registry(&mut text, counted)?;
    encode_registry(&mut text, &gauges(snapshot, now))?;
    encode_eof(&mut text)?;
    Ok(text)
}

fn gauges(Snapshot { taken, wall, report }: &Snapshot, now: BootTime) -> Registry {
    let mut registry = Registry::with_prefix("rcrond");
    let version = Info::new([("version", report.version.clone()), ("node", report.node.clone())]);
    registry.register("build", "The version of rcrond, and the name of the node", version);
    let time = Gauge::<f64, AtomicU64>::default();
    time.set(wall.0.as_secs_f64());
    let help = "The wall clock of this server, in seconds since 1970";
    registry.register_with_unit("time", help, Unit::Seconds, time);
    let store = &report.store;
    for (name, help, value) in [
        ("store_up", "1 if the store has answered the last call", store.answers),
        (
            "store_watching",
            "1 if the store reports changes; otherwise this node polls",
            store.watching,
        ),
        ("session", "1 if this node has a session in the store", store.session),
    ] {
        let gauge = Gauge::<i64, AtomicI64>::default();
        gauge.set(i64::from(value));
        registry.register(name, help, gauge);
    }
    let elapsed = now.since(*taken);
    let mut gauges = ClusterGauges {
        registry,
        clusters: &report.clusters,
    };
    gauges.flag("active", "1 if this node is active: it starts jobs", |cluster| {
        cluster.role == Role::Active && lease_left(cluster, elapsed) > Duration::ZERO
    });
    gauges.flag(
        "shared",
        "1 if this node shares the cluster: it starts jobs that have once_per_tick",
        |cluster| cluster.role == Role::Shared && lease_left(cluster, elapsed) > Duration::ZERO,
    );
    gauges.flag(
        "drained",
        "1 if this node is drained, or will be once its jobs have ended",
        |cluster| matches!(cluster.role, Role::Drained | Role::Draining),
    );
    gauges.flag(
        "state_file_writable",
        "1 if the last write of the state file succeeded",
        |cluster| cluster.writable,
    );
    let priority = |cluster: &ClusterReport| u64::from(cluster.priority);
    gauges.gauge::<u64, AtomicU64>("priority", "The priority of this node", None, priority);
    gauges.gauge::<u64, AtomicU64>("epoch", "The highest epoch that this node has seen", None, |cluster| {
        cluster.epoch
    });
    gauges.gauge::<f64, AtomicU64>(
        "lease_left",
        "How long the lease of this node still lasts; 0 if it has none",
        Some(Unit::Seconds),
        |cluster| lease_left(cluster, elapsed).as_secs_f64(),
    );
    gauges.gauge::<f64, AtomicU64>(
        "lease",
        "The duration of a lease, as it is configured on this node",
        Some(Unit::Seconds),
        |cluster| Duration::from_millis(cluster.lease_ms).as_secs_f64(),
    );
    gauges.registry
}

/// How long the lease still lasts when this time has elapsed since the snapshot.
fn lease_left(cluster: &ClusterReport, elapsed: Duration) -> Duration {
    Duration::from_millis(cluster.lease_left_ms.unwrap_or_default()).saturating_sub(elapsed)
}

/// Registers metrics that have a gauge for each cluster.
struct ClusterGauges<'a> {
    registry: Registry,
    clusters: &'a [ClusterReport],
}

impl ClusterGauges<'_> {
    fn flag(&mut self, name: &str, help: &str, value: impl Fn(&ClusterReport) -> bool) {
        self.gauge::<i64, AtomicI64>(name, help, None, |cluster| i64::from(value(cluster)));
    }

    fn gauge<N, A>(&mut self, name: &str, help: &str, unit: Option<Unit>, value: impl Fn(&ClusterReport) -> N)
    where
        N: EncodeGaugeValue + fmt::Debug + Send + Sync + 'static,
        A: Atomic<N> + Default + fmt::Debug + Send + Sync + 'static,
    {
        let family = Family::<ClusterLabels<1>, Gauge<N, A>>::default();
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
