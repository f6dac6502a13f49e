//! What the machine has to say to people.

use super::name::ClusterName;
use super::name::NodeName;

/// An event for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// This node has a session in the store.
    SessionOpened,
    /// It has one no more.
    SessionLost(Loss),
    /// Another machine with this node's name is alive.
    NameTaken,
    /// The store does not answer. Said once.
    StoreSilent,
    /// It answers again.
    StoreBack,
    /// The store's data may have changed; leases are waited out.
    NewIncarnation,
    /// The cluster was won.
    Won {
        /// Which.
        cluster: ClusterName,
        /// The fencing token.
        epoch: u64,
        /// Who had it before, if anybody knows.
        from: Option<NodeName>,
    },
    /// The cluster was given back.
    Released(ClusterName),
    /// The cluster is not this node's any more, though it had not given it back.
    Lost(ClusterName),
    /// The lease could not be renewed in time: passive.
    LeaseOver(ClusterName),
    /// Another node was quicker.
    Outrun(ClusterName),
    /// A node of lower priority was asked for the cluster.
    Asked {
        /// Which.
        cluster: ClusterName,
        /// Who.
        holder: NodeName,
    },
    /// The cluster is being given to a node of higher priority.
    HandingOver {
        /// Which.
        cluster: ClusterName,
        /// To whom.
        handover_target: NodeName,
    },
    /// The state file cannot be written: this node cannot have the cluster.
    Unwritable(ClusterName),
    /// The epoch cannot be kept on disk: this node cannot win the cluster.
    NoEpoch(ClusterName),
    /// The cluster's record is not one of this version of rcron. It is left alone.
    Unreadable(ClusterName),
}

/// Why a session was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Another node has watched it to its end.
    Ended,
    /// Its record is gone.
    Missing,
    /// Its record is another's, or one that this process has not written.
    Foreign,
    /// The store has other data now, and the lease was over.
    Incarnation,
}
