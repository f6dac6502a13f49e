//! A candidate of higher priority asks the holder for the cluster.

use super::Machine;
use crate::cluster::Cluster;
use crate::record::{ClusterRecord, Ownership, SessionRef};
use policy::moment::BootTime;

impl Machine {
    /// When this node will ask for the cluster; `None` if it has asked, or must not ask.
    pub(super) fn ask_at(&self, cluster: &Cluster) -> Option<BootTime> {
        let Ownership::Held { by, ask } = &cluster.record()?.ownership else {
            return None;
        };
        let able_since = cluster.able_since.filter(|_| self.session.is_open())?;
        if by.priority >= cluster.config.priority {
            return None;
        }
        let at = able_since.after(cluster.config.timing.preempt_delay());
        match ask {
            Some(ask) if ask.node == self.node && ask.session == self.session.id => None,
            Some(ask) if ask.priority >= cluster.config.priority => {
                // An asker that does not renew for a whole wait has died.
                let asker = cluster.asker.as_ref().filter(|asker| asker.id == ask.session)?;
                let died_at = asker.changed_at.after(cluster.longest_lease().wait_duration());
                Some(at.max(died_at))
            }
            _ => Some(at),
        }
    }

    /// The record with this node's `ask`, or without it if this node can no longer win; `None` if neither is to be written.
    pub(super) fn record_with_ask(&self, cluster: &Cluster, now: BootTime) -> Option<ClusterRecord> {
        let record = cluster.record()?;
        let Ownership::Held { by, ask } = &record.ownership else {
            return None;
        };
        let has_asked = ask.as_ref().is_some_and(|ask| ask.node == self.node);
        let able = cluster.is_able_candidate();
        let ask = if has_asked && (!able || by.priority >= cluster.config.priority) {
            None
        } else if able && self.ask_at(cluster).is_some_and(|at| at <= now) {
            Some(self.own_reference(cluster))
        } else {
            return None;
        };
        let by = by.clone();
        Some(ClusterRecord {
            ownership: Ownership::Held { by, ask },
            ..record.clone()
        })
    }

    /// This node's session, as a record of this cluster names it.
    pub(super) fn own_reference(&self, cluster: &Cluster) -> SessionRef {
        SessionRef {
            node: self.node.clone(),
            session: self.session.id,
            priority: cluster.config.priority,
        }
    }
}
