//! The status report for clients, without the other nodes.

use super::{ClusterState, Daemon};
use control::{ClusterReport, Report, Role, StoreReport};
use lease::{HeldLease, Mode, RunOn, StateFileContent, View};
use policy::moment::BootTime;
use std::time::Duration;

impl Daemon {
    pub(super) fn report(&self, now: BootTime) -> Report {
        let answers = self.machine.is_answered();
        let failure = self.outage.cause().filter(|_| !answers);
        let clusters = self.machine.views();
        Report {
            node: self.config.node.as_str().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: StoreReport {
                kind: self.config.store.kind.name().to_owned(),
                servers: self.config.store.servers.clone(),
                answers,
                failure,
                session: self.machine.has_session(),
                session_failure: self.session_failure.clone().filter(|_| !self.machine.has_session()),
                watching: self.watch.works(),
                watch_failure: self.watch.cause(),
            },
            clusters: clusters.map(|view| self.cluster_report(&view, now)).collect(),
        }
    }

    fn cluster_report(&self, view: &View<'_>, now: BootTime) -> ClusterReport {
        let cluster = self.clusters.get(&view.config.name);
        let file = cluster.map(|cluster| cluster.settings.state_file.display().to_string());
        let shared = match view.state_file {
            Some(StateFileContent::Shared { until, .. }) => Some(until),
            _ => None,
        };
        let until = view.held_lease.and_then(|held_lease| held_lease.until).or(shared);
        // The record may have been read before this node has won the cluster.
        let own = view.held_lease.map(|_| self.config.node.as_str());
        ClusterReport {
            name: view.config.name.as_str().to_owned(),
            state_file: file.unwrap_or_default(),
            role: self.role(view, now),
            priority: view.config.priority,
            lease_ms: view.config.timing.lease().milliseconds(),
            settle_ms: Some(milliseconds(view.config.timing.settle())),
            grace_ms: Some(milliseconds(view.config.timing.grace())),
            shared: view.config.run_on == RunOn::Any,
            lease_left_ms: until.map(|until| milliseconds(until.since(now))),
            epoch: highest_epoch(view),
            holder: own.or(view.holder()).map(str::to_owned),
            drain: self.persistent_state.drain_origin(&view.config.name).cloned(),
            writable: cluster.is_none_or(ClusterState::is_writable),
            nodes: Vec::new(),
        }
    }

    /// The role of this node.
    pub(super) fn role(&self, view: &View<'_>, now: BootTime) -> Role {
        let is_file_active = || {
            self.clusters
                .get(&view.config.name)
                .is_some_and(ClusterState::is_active)
        };
        let is_valid = |held_lease: HeldLease| held_lease.until.is_some_and(|until| until > now);
        match (view.held_lease, view.mode) {
            (_, Mode::Drain) if view.config.run_on == RunOn::Any => Role::Draining,
            (_, Mode::Serve) if view.is_shared(now) => Role::Shared,
            (Some(_), Mode::Drain) => Role::Draining,
            (Some(held_lease), Mode::Serve) if is_valid(held_lease) && is_file_active() => Role::Active,
            (Some(_), _) => Role::Holding,
            (None, Mode::Serve) => Role::Standby,
            (None, Mode::Drain | Mode::Out | Mode::Removed) => Role::Drained,
        }
    }
}

/// The holder's epoch, or the one in the record, or the highest that is on this node's disk.
fn highest_epoch(view: &View<'_>) -> u64 {
    let recorded = || view.record.map_or(view.epoch, |record| record.epoch);
    view.held_lease.map_or_else(recorded, |held_lease| held_lease.epoch)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
