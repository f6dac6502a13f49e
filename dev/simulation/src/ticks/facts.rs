//! What the daemon passes to the claims machine about the lease.

use super::server::MOST_CLUSTERS;
use super::world::TickWorld;
use crate::node::Node;
use claims::{ClusterFacts, Facts, Permission, StopReason};
use lease::{SessionId, View};

const PASSIVE: Permission = Permission::None(StopReason::Passive);

impl TickWorld {
    /// As the daemon takes them from its lease machine.
    pub(super) fn facts(&self, node: usize) -> Facts {
        let server = &self.lease.nodes[node];
        let views = server.process.iter().flat_map(|process| process.machine.views());
        let clusters = views.map(|view| {
            let facts = ClusterFacts {
                permission: self.permission(node, &view),
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

    pub(super) fn permissions(&self, node: usize) -> [Permission; MOST_CLUSTERS] {
        let mut permissions = [PASSIVE; MOST_CLUSTERS];
        let process = self.lease.nodes[node].process.as_ref();
        let views = process.into_iter().flat_map(|process| process.machine.views());
        for (permission, view) in permissions.iter_mut().zip(views) {
            *permission = self.permission(node, &view);
        }
        permissions
    }

    fn permission(&self, node: usize, view: &View) -> Permission {
        match view.permission(self.boot_clock(node)) {
            None => PASSIVE,
            Some(lease::Permission::Active { until, epoch }) => Permission::Active { until, epoch },
            Some(lease::Permission::Shared { .. }) if self.is_clock_ahead(node) => {
                Permission::None(StopReason::ClockAhead)
            }
            Some(lease::Permission::Shared { until }) => Permission::Shared { until },
        }
    }

    /// As the daemons publish their clocks to each other.
    fn is_clock_ahead(&self, node: usize) -> bool {
        let wall = |server: usize| self.servers[server].wall(self.now());
        let others =
            (0..self.servers.len()).filter(|other| *other != node && self.lease.nodes[*other].process.is_some());
        let latest = others.map(wall).max();
        latest.is_some_and(|latest| wall(node).0 > latest.0 + self.max_skew)
    }
}

/// The open session of a running daemon.
pub(super) fn session(server: &Node) -> Option<SessionId> {
    server.process.as_ref()?.machine.open_session()
}
