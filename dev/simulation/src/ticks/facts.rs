//! What the daemon passes to the claims machine about the lease.

use super::server::MOST_CLUSTERS;
use super::world::TickWorld;
use crate::Micros;
use crate::node::Node;
use claims::{ClusterFacts, Facts, Permission, StopReason};
use lease::SessionId;
use policy::moment::BootTime;
use std::time::Duration;

/// Each permission ends later than this.
const BEFORE_ALL: BootTime = BootTime(Duration::ZERO);
const PASSIVE: Permission = Permission::None(StopReason::Passive);

impl TickWorld {
    /// As the daemon takes them from its lease machine.
    pub(super) fn facts(&self, node: usize) -> Facts {
        let server = &self.lease.nodes[node];
        let views = server.process.iter().flat_map(|process| process.machine.views());
        let clusters = views.map(|view| {
            let facts = ClusterFacts {
                permission: view.permission(BEFORE_ALL).map_or(PASSIVE, |permission| {
                    self.permission(node, permission, self.when_boot(node, end(permission)))
                }),
                lease: view.claim_lease,
                grace: view.config.timing.grace(),
            };
            (view.config.name.clone(), facts)
        });
        Facts {
            session: session(server),
            clusters: clusters.collect(),
        }
    }

    /// Called after each event: the views are asked only if the machine has taken a step.
    pub(super) fn permissions(&mut self, node: usize) -> [Permission; MOST_CLUSTERS] {
        let steps = self.lease.nodes[node].steps;
        if self.servers[node].permitted.0 != steps {
            let mut permitted = [None; MOST_CLUSTERS];
            let process = self.lease.nodes[node].process.as_ref();
            let views = process.into_iter().flat_map(|process| process.machine.views());
            for (permitted, view) in permitted.iter_mut().zip(views) {
                let permission = view.permission(BEFORE_ALL);
                *permitted = permission.map(|permission| (permission, self.when_boot(node, end(permission))));
            }
            self.servers[node].permitted = (steps, permitted);
        }
        let (_, permitted) = self.servers[node].permitted;
        let mut permissions = [PASSIVE; MOST_CLUSTERS];
        for (permission, permitted) in permissions.iter_mut().zip(permitted) {
            if let Some((permitted, end)) = permitted {
                *permission = self.permission(node, permitted, end);
            }
        }
        permissions
    }

    fn permission(&self, node: usize, permitted: lease::Permission, end: Micros) -> Permission {
        match permitted {
            _ if end <= self.now() => PASSIVE,
            lease::Permission::Active { until, epoch } => Permission::Active { until, epoch },
            lease::Permission::Shared { .. } if self.is_clock_ahead(node) => Permission::None(StopReason::ClockAhead),
            lease::Permission::Shared { until } => Permission::Shared { until },
        }
    }

    /// As the daemons publish their clocks to each other.
    fn is_clock_ahead(&self, node: usize) -> bool {
        let others =
            (0..self.servers.len()).filter(|other| *other != node && self.lease.nodes[*other].process.is_some());
        let latest = others.map(|other| self.servers[other].ahead).max();
        let max_skew = i64::try_from(self.max_skew.as_micros()).unwrap_or(i64::MAX);
        latest.is_some_and(|latest| self.servers[node].ahead > latest.saturating_add(max_skew))
    }
}

const fn end(permission: lease::Permission) -> BootTime {
    match permission {
        lease::Permission::Active { until, .. } | lease::Permission::Shared { until } => until,
    }
}

/// The open session of a running daemon.
pub(super) fn session(server: &Node) -> Option<SessionId> {
    server.process.as_ref()?.machine.open_session()
}
