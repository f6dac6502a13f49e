//! What a round changes, decided after its read.

use super::{Demand, Machine};
use crate::cluster::Cluster;
use crate::message::{Key, Version};
use crate::mutation::Mutation;
use crate::name::NodeName;
use crate::record::ClusterRecord;
use alloc::vec::Vec;
use policy::moment::BootTime;

/// etcd accepts 128 operations in a transaction, and a takeover takes two.
const MOST_CLUSTERS: usize = 50;

/// What a change does, if it is done.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) session: SessionChange,
    /// At most one for each cluster, by its index.
    pub(super) clusters: Vec<(usize, ClusterChange)>,
    /// All conditions of the change, once it is composed, if it takes a cluster over.
    pub(super) conditions: Vec<(Key, Option<Version>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SessionChange {
    /// Opens the session in place of what has this version under the node's name.
    Open {
        replaces: Option<Version>,
    },
    Renew,
    End,
}

#[derive(Clone, Debug)]
pub(super) enum ClusterChange {
    TakeOver {
        epoch: u64,
        from: Option<NodeName>,
    },
    Release {
        handover_target: Option<NodeName>,
    },
    /// Another lease or priority of the holder, or another `ask`.
    Rewrite(ClusterRecord),
}

impl Machine {
    /// `None` if the round changes nothing.
    pub(super) fn plan(&mut self, now: BootTime, sent: BootTime) -> Option<Plan> {
        let open = self.session.is_open();
        if !open && (self.is_stopping() || !self.session.may_open) {
            return None;
        }
        let mut clusters = Vec::new();
        for (index, cluster) in self.clusters.iter().enumerate() {
            if let Some(change) = self.plan_cluster(cluster, now, sent) {
                clusters.push((index, change));
            }
            if clusters.len() == MOST_CLUSTERS {
                self.store.demand(Demand::Urgent);
                break;
            }
        }
        let session = if !open {
            let replaces = self.session.version;
            SessionChange::Open { replaces }
        } else if self.is_stopping() && self.holds_nothing_after(&clusters) && self.shares_nothing(now) {
            SessionChange::End
        } else {
            SessionChange::Renew
        };
        let needed = session != SessionChange::Renew || !clusters.is_empty() || now >= self.store.renew_at;
        let conditions = Vec::new();
        needed.then_some(Plan {
            session,
            clusters,
            conditions,
        })
    }

    fn holds_nothing_after(&self, changes: &[(usize, ClusterChange)]) -> bool {
        let released = |index| {
            let mut changes = changes.iter();
            changes.any(|(of, change)| *of == index && matches!(change, ClusterChange::Release { .. }))
        };
        let mut clusters = self.clusters.iter().enumerate();
        clusters.all(|(index, cluster)| cluster.holder.is_none() || released(index))
    }

    /// Whether no state file can be shared. What the session has claimed can then be taken over at once.
    fn shares_nothing(&self, now: BootTime) -> bool {
        self.mutation() == Some(Mutation::EndedWhileShared) || self.shared_until() <= now
    }

    fn plan_cluster(&self, cluster: &Cluster, now: BootTime, sent: BootTime) -> Option<ClusterChange> {
        match &cluster.holder {
            Some(_) if !cluster.confirmed => None,
            Some(holder) if cluster.must_release(self.is_stopping()) => {
                let handover_target = holder.handover_target.clone();
                let release = ClusterChange::Release { handover_target };
                (now >= cluster.release_at(self.mutation())).then_some(release)
            }
            Some(_) => {
                let record = cluster.amended_record(sent, self.mutation());
                record.map(ClusterChange::Rewrite)
            }
            None if self.is_stopping() => None,
            None if self.takeover_is_due(cluster, now) => {
                let epoch = match self.mutation() {
                    Some(Mutation::EpochFromStoreOnly) => cluster.recorded_epoch() + 1,
                    _ => cluster.epochs.reserved()?,
                };
                let from = cluster.record().map(|record| record.last_holder().clone());
                Some(ClusterChange::TakeOver { epoch, from })
            }
            None => self.record_with_ask(cluster, now).map(ClusterChange::Rewrite),
        }
    }

    fn takeover_is_due(&self, cluster: &Cluster, now: BootTime) -> bool {
        let at = cluster.takeover_at(self.store.trusted_since, self.mutation());
        cluster.can_take_over(now) && at.is_some_and(|at| at <= now)
    }
}

/// The clusters that the plan takes over, by their indices.
pub(super) fn takeovers(plan: &Plan) -> impl Iterator<Item = usize> + '_ {
    let clusters = plan.clusters.iter();
    clusters.filter_map(|(index, change)| matches!(change, ClusterChange::TakeOver { .. }).then_some(*index))
}
