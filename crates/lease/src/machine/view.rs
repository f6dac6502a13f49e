//! What the daemon reports of the machine. Nothing is decided by it.

use super::{Lifecycle, Machine};
use crate::cluster::{Cluster, Mode};
use crate::message::{ClusterConfig, StateFileContent};
use crate::name::SessionId;
use crate::own_session::OwnSession;
use crate::record::ClusterRecord;
use crate::timing::LeaseDuration;
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
    /// What the state file says for certain; `None` if it can have more than one content. While a lease in it is renewed, this is the
    /// earlier end.
    pub state_file: Option<StateFileContent>,
    /// The lease that this node's claims must name. No state file that this session writes for the cluster lasts longer.
    pub claim_lease: LeaseDuration,
    /// The lease of the shared state, if this session has shared the cluster: the shortest that was configured meanwhile. A process
    /// that resumes the session must have the same one in its configuration.
    pub shared_lease: Option<LeaseDuration>,
    /// The permission of the state file, whether it has expired or not.
    permission: Option<Permission>,
}

/// This node may start what the store grants it: its state file says so for certain, and its present session has written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// The file is active, and not draining.
    Active {
        /// The end of the lease.
        until: BootTime,
        /// The cluster's epoch.
        epoch: u64,
    },
    /// The file is shared, and not draining.
    Shared {
        /// The end of the lease.
        until: BootTime,
    },
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
        self.clusters.iter().map(|cluster| view(cluster, &self.session))
    }

    /// Whether this node's session is open in the store.
    #[must_use]
    pub fn has_session(&self) -> bool {
        self.session.is_open()
    }

    /// This node's session, if it is open in the store.
    #[must_use]
    pub fn open_session(&self) -> Option<SessionId> {
        self.session.is_open().then_some(self.session.id)
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

    /// Whether the state file is shared now, draining or not.
    #[must_use]
    pub fn is_shared(&self, now: BootTime) -> bool {
        matches!(self.state_file, Some(StateFileContent::Shared { until, .. }) if until > now)
    }

    /// Whether this node may start jobs that the store grants it, and until when.
    #[must_use]
    pub fn permission(&self, now: BootTime) -> Option<Permission> {
        self.permission.filter(|permission| match permission {
            Permission::Active { until, .. } | Permission::Shared { until } => *until > now,
        })
    }
}

fn permission(cluster: &Cluster, session: &OwnSession) -> Option<Permission> {
    let holder = cluster.holder.as_ref();
    match cluster.state_file.known_content()? {
        StateFileContent::Active {
            until,
            epoch,
            draining: false,
        } if session.is_open() && holder.is_some_and(|holder| holder.epoch == epoch) => {
            Some(Permission::Active { until, epoch })
        }
        StateFileContent::Shared {
            until,
            session: id,
            draining: false,
        } if session.is_open() && session.id == id => Some(Permission::Shared { until }),
        _ => None,
    }
}

fn view<'a>(cluster: &'a Cluster, session: &OwnSession) -> View<'a> {
    View {
        config: &cluster.config,
        mode: cluster.mode,
        record: cluster.record(),
        held_lease: cluster.holder.as_ref().map(|holder| HeldLease {
            epoch: holder.epoch,
            until: holder.valid_until,
        }),
        epoch: cluster.epochs.highest_saved,
        state_file: cluster.state_file.known_content(),
        claim_lease: cluster.claim_lease(session),
        shared_lease: session.shared_lease(&cluster.config.name).map(|lease| lease.shortest),
        permission: permission(cluster, session),
    }
}
