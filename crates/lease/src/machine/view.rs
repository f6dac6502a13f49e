//! What people may want to know of the machine. Nothing is decided by it.

use super::Machine;
use crate::cluster::{Cluster, Duty};
use crate::message::ClusterConfig;
use crate::record::ClusterRecord;
use policy::moment::BootTime;

/// A cluster, as this node sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its configuration.
    pub config: &'a ClusterConfig,
    /// What this node wants with it.
    pub mode: Mode,
    /// The record of the last read, if there was one.
    pub record: Option<&'a ClusterRecord>,
    /// What this node has of it.
    pub held_lease: Option<HeldLease>,
    /// The highest epoch that was kept on disk: seen, or reserved.
    pub epoch: u64,
}

/// What a node wants with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To have it.
    Serve,
    /// To keep it only until its jobs have ended.
    Drain,
    /// Not to have it.
    Out,
    /// The configuration names it no more.
    Removed,
}

/// This node holds the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLease {
    /// The fencing token.
    pub epoch: u64,
    /// The lease's end; `None`: it must be renewed first.
    pub until: Option<BootTime>,
}

impl Machine {
    /// All clusters, those too that are being given away for good.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.clusters.iter().map(view)
    }

    /// Whether this node has a session in the store.
    #[must_use]
    pub fn has_session(&self) -> bool {
        self.own.is_open()
    }

    /// Whether everything has been given away after [`Input::Stop`](crate::Input::Stop).
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the store answered the last call that has ended.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        self.store.known && self.store.silent == 0
    }
}

impl View<'_> {
    /// The node that the record names, and its session's key with it.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        Some(self.record?.holder()?.node.as_str())
    }
}

fn view(cluster: &Cluster) -> View<'_> {
    let holder = cluster.holder.as_ref();
    let record = cluster.current();
    View {
        config: &cluster.config,
        mode: match cluster.duty {
            Duty::Serve => Mode::Serve,
            Duty::Draining => Mode::Drain,
            Duty::Out => Mode::Out,
            Duty::Removed => Mode::Removed,
        },
        record,
        held_lease: holder.map(|holder| HeldLease {
            epoch: holder.epoch,
            until: holder.valid,
        }),
        epoch: cluster.epochs.kept,
    }
}
