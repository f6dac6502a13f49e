//! What the machine reports to people.

use super::name::{ClusterName, NodeName};

/// An event for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// This node's session is open in the store.
    SessionOpened,
    /// The session is lost, and with it every cluster that this node held.
    SessionLost(Loss),
    /// Another machine renews a session under this node's name. This node takes no part.
    NameTaken,
    /// The store did not answer twice in a row. Not repeated before [`Self::StoreBack`].
    StoreSilent,
    /// The store answers again.
    StoreBack,
    /// The store's data may have changed, so all waiting begins again.
    NewIncarnation,
    /// This node has won the cluster.
    Won {
        /// The cluster.
        cluster: ClusterName,
        /// The fencing token.
        epoch: u64,
        /// The holder before; `None` if it is not known.
        from: Option<NodeName>,
    },
    /// This node has released the cluster.
    Released(ClusterName),
    /// This node no longer holds the cluster, though it had not released it.
    Lost(ClusterName),
    /// The lease was not renewed in time, so this node is passive.
    LeaseOver(ClusterName),
    /// A takeover was refused because another node had taken the cluster over first.
    Outrun(ClusterName),
    /// A takeover was refused although no record has changed: something in the store is not as rcrond writes it.
    TakeoverRefused(ClusterName),
    /// The record of this node's session is unreadable. It counts as another open session, and is replaced or taken over from once it
    /// has not changed for a lease and its margin. Not repeated before it is readable again.
    SessionUnreadable(NodeName),
    /// This node asked the holder, which has a lower priority, for the cluster.
    Asked {
        /// The cluster.
        cluster: ClusterName,
        /// The node that was asked.
        holder: NodeName,
    },
    /// This node hands the cluster over to a node of higher priority.
    HandingOver {
        /// The cluster.
        cluster: ClusterName,
        /// The node of higher priority.
        handover_target: NodeName,
    },
    /// The state file cannot be written. A holder releases the cluster; another node cannot win it.
    Unwritable(ClusterName),
    /// The epoch cannot be saved on disk, so this node cannot win the cluster.
    NoEpoch(ClusterName),
    /// This version of rcron cannot read the cluster's record, and does not change it.
    Unreadable(ClusterName),
    /// The cluster's record has an epoch larger than [`LARGEST_EPOCH`](crate::LARGEST_EPOCH). No node changes such a record.
    EpochTooLarge {
        /// The cluster.
        cluster: ClusterName,
        /// The record's epoch.
        epoch: u64,
    },
    /// This node cannot win the cluster, because no epoch is greater than the one that it has seen or saved.
    EpochsUsedUp {
        /// The cluster.
        cluster: ClusterName,
        /// The highest epoch that this node has seen or saved.
        epoch: u64,
    },
}

/// Why a session was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Another node waited until its leases had expired, and ended it.
    Ended,
    /// Its record is missing.
    Missing,
    /// Its record is another session's, or has a heartbeat that this node never sent.
    Foreign,
    /// The store came back with other data after the lease had expired.
    Incarnation,
    /// It has shared a cluster, and the lease has expired while no daemon ran.
    Expired,
}
