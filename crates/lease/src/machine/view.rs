//! What the daemon reports of the machine. Nothing is decided by it.

use super::{Lifecycle, Machine};
use crate::cluster::{Cluster, Mode};
use crate::message::ClusterConfig;
use crate::record::ClusterRecord;
use policy::moment::BootTime;

/// A cluster, as this node sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The configuration of this node.
    pub config: &'a ClusterConfig,
    /// What this node wants with the cluster.
    pub mode: Mode,
    /// The record of the last read, if there was one. It can be older than `held_lease`.
    pub record: Option<&'a ClusterRecord>,
    /// Present while this node holds the cluster.
    pub held_lease: Option<HeldLease>,
    /// The highest epoch that this node has saved on disk. It may be reserved and not used yet.
    pub epoch: u64,
}

/// The lease of a cluster that this node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLease {
    /// The fencing token.
    pub epoch: u64,
    /// The lease's end; `None` if it must be renewed first.
    pub until: Option<BootTime>,
}

impl Machine {
    /// All clusters, including those that are released before they are forgotten.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.clusters.iter().map(view)
    }

    /// Whether this node's session is open in the store.
    #[must_use]
    pub fn has_session(&self) -> bool {
        self.session.is_open()
    }

    /// Whether everything is released after [`Input::Stop`](crate::Input::Stop).
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.lifecycle == Lifecycle::Stopped
    }

    /// Whether the store answered the last call that has ended.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        self.store.is_answering()
    }
}

impl View<'_> {
    /// The node that the record names as the holder.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        Some(self.record?.holder()?.node.as_str())
    }
}

fn view(cluster: &Cluster) -> View<'_> {
    View {
        config: &cluster.config,
        mode: cluster.mode,
        record: cluster.record(),
        held_lease: cluster.holder.as_ref().map(|holder| HeldLease {
            epoch: holder.epoch,
            until: holder.valid_until,
        }),
        epoch: cluster.epochs.highest_saved,
    }
}
