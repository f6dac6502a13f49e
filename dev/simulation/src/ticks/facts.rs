//! What the daemon passes to the claims machine about the lease.

use super::server::MOST_CLUSTERS;
use super::world::TickWorld;
use crate::node::Node;
use claims::{ClusterFacts, Facts, Permission, StopReason};
use lease::{SessionId, StateFileContent};

impl TickWorld {
    /// As the daemon takes them from its lease machine.
    pub(super) fn facts(&self, node: usize) -> Facts {
        let server = &self.lease.nodes[node];
        let clusters = server.configs.iter().enumerate().map(|(cluster, config)| {
            let facts = ClusterFacts {
                permission: self.permission(node, cluster),
                lease: config.timing.lease(),
                grace: config.timing.grace(),
            };
            (config.name.clone(), facts)
        });
        Facts {
            session: session(server),
            clusters: clusters.collect(),
        }
    }

    pub(super) fn permissions(&self, node: usize) -> [Permission; MOST_CLUSTERS] {
        let mut permissions = [Permission::None(StopReason::Passive); MOST_CLUSTERS];
        let clusters = self.lease.nodes[node].configs.len();
        for (cluster, permission) in permissions.iter_mut().enumerate().take(clusters) {
            *permission = self.permission(node, cluster);
        }
        permissions
    }

    /// Only a state file that is known to have been written by the present session permits a claim.
    fn permission(&self, node: usize, cluster: usize) -> Permission {
        let server = &self.lease.nodes[node];
        let passive = Permission::None(StopReason::Passive);
        let Some(process) = server.process.as_ref().filter(|process| process.machine.has_session()) else {
            return passive;
        };
        let held = process.machine.views().nth(cluster).and_then(|view| view.held_lease);
        match (process.written[cluster].content, held) {
            (
                Some(StateFileContent::Active {
                    until,
                    epoch,
                    draining: false,
                }),
                Some(held),
            ) if held.epoch == epoch && until > server.clock.at(self.lease.now) => Permission::Active { until, epoch },
            _ => passive,
        }
    }
}

/// The open session of a running daemon.
pub(super) fn session(server: &Node) -> Option<SessionId> {
    let process = server.process.as_ref()?;
    server.kept.filter(|_| process.machine.has_session())
}
