//! How long a node that has won a cluster waits before it is active: `settle`, for late crons and wall clocks that differ.

use super::Cluster;
use crate::mutation::Mutation;
use policy::moment::BootTime;

/// The last time that this node held a cluster. Kept as long as no other node can have held the cluster since, for all that this node
/// knows of the store's data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastOwnership {
    epoch: u64,
    /// When the settling was over, or would have been.
    active_from: BootTime,
}

impl Cluster {
    /// The holder's part is over.
    pub(super) fn keep_last_ownership(&mut self) {
        if let Some(holder) = &self.holder {
            self.last_ownership = Some(LastOwnership {
                epoch: holder.epoch,
                active_from: holder.active_from,
            });
        }
    }

    /// The store may have lost what another node did.
    pub(crate) fn forget_last_ownership(&mut self, mutation: Option<Mutation>) {
        if mutation != Some(Mutation::SettleSkippedAfterLoss) {
            self.last_ownership = None;
        }
    }

    /// When this node, which wins the cluster now, may be active. A node that held it last does not settle again, because it would run no
    /// minute that another node has run. It settles only for what is left of the last time.
    ///
    /// `was_own`: the record names this node as the last holder. That alone is not enough, because the store may have gone back.
    pub(crate) fn active_from(&self, now: BootTime, was_own: bool, mutation: Option<Mutation>) -> BootTime {
        let highest = self.epochs.highest_seen();
        let recorded = self.recorded_epoch();
        let is_last = |last: &LastOwnership| was_own && last.epoch == recorded && last.epoch >= highest;
        match (mutation, self.last_ownership.filter(is_last)) {
            (Some(Mutation::SettleFromRecord), _) if was_own => now,
            (Some(Mutation::SettleIgnored), _) | (Some(Mutation::SettleCutShort), Some(_)) => now,
            (_, Some(last)) => last.active_from.max(now),
            (_, None) => now.after(self.config.timing.settle()),
        }
    }
}
