//! Why a takeover was refused: the next read shows it.

use super::Machine;
use super::plan::{Plan, takeovers};
use crate::message::{Action, Found, Key, Reading, Record, Version};
use crate::name::ClusterName;
use crate::notice::Notice;
use alloc::vec::Vec;

/// A change with takeovers that the store refused.
#[derive(Clone, Debug)]
pub(super) struct RefusedTakeovers {
    clusters: Vec<ClusterName>,
    /// All conditions of the change.
    conditions: Vec<(Key, Option<Version>)>,
}

impl Machine {
    pub(super) fn keep_refusal(&mut self, plan: Plan) {
        let clusters = takeovers(&plan).map(|index| self.clusters[index].config.name.clone());
        let clusters: Vec<_> = clusters.collect();
        self.refused = (!clusters.is_empty()).then_some(RefusedTakeovers {
            clusters,
            conditions: plan.conditions,
        });
    }

    /// Reports the clusters that another node has taken over meanwhile; or that the store refuses changes although all conditions hold,
    /// because one of the keys is spoilt. In all other cases the takeover is simply tried again.
    pub(super) fn explain_refusal(&mut self, reading: &Reading, out: &mut Vec<Action>) {
        let Some(refused) = self.refused.take() else { return };
        if reading.incarnation != self.store.incarnation() {
            return;
        }
        let keys = self.keys();
        let find = |key: &Key| {
            let at = keys.iter().position(|of| of == key)?;
            reading.records.get(at)
        };
        let holds = |(key, version): &(Key, Option<Version>)| {
            find(key).is_some_and(|found| found.as_ref().map(|found| found.version) == *version)
        };
        let all_hold = refused.conditions.iter().all(holds);
        for cluster in refused.clusters {
            let key = Key::Cluster(cluster.clone());
            let changed = refused.conditions.iter().any(|of| of.0 == key && !holds(of));
            if all_hold {
                out.push(Action::Notify(Notice::TakeoverRefused(cluster)));
            } else if changed && find(&key).is_some_and(|found| self.is_held_elsewhere(found.as_ref())) {
                out.push(Action::Notify(Notice::Outrun(cluster)));
            }
        }
    }

    fn is_held_elsewhere(&self, found: Option<&Found>) -> bool {
        match found.and_then(|found| found.record.as_ref()) {
            Some(Record::Cluster(record)) => record.holder().is_some_and(|by| by.node != self.node),
            _ => false,
        }
    }
}
