//! The two records that rcrond keeps in a store.

mod text;

use super::name::{NodeName, SessionId};
use super::timing::LeaseDuration;
pub use text::{FORMATS, LONGEST, Unreadable};

/// A node's session. Its key is the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Distinguishes this session from the node's earlier and later ones.
    pub id: SessionId,
    /// Grows with each write of the record.
    pub heartbeat: u64,
    /// Whether the session can still hold clusters.
    pub state: SessionState,
}

/// Whether a session can still hold clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// The session can hold clusters, as long as its node renews it.
    Open,
    /// The session never holds a cluster again.
    Ended {
        /// No cluster that the session held with this lease or a shorter one is still active on its node.
        lease: LeaseDuration,
    },
}

/// A cluster. Its key is the cluster's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRecord {
    /// The fencing token: grows with each change of the holder.
    pub epoch: u64,
    /// The lease that candidates must assume the holder has.
    pub lease: LeaseDuration,
    /// Whether a session holds the cluster, and which.
    pub ownership: Ownership,
}

/// Whether a session holds a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// A session holds it.
    Held {
        /// The holder.
        by: SessionRef,
        /// The asker: a node of higher priority that wants the cluster.
        ask: Option<SessionRef>,
    },
    /// The last holder released it after its state file was passive.
    Free {
        /// The last holder.
        last: NodeName,
        /// The node for which the cluster was freed. Other nodes leave it to that node for a while.
        handover_target: Option<NodeName>,
    },
}

/// A session as a cluster's record names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRef {
    /// The session's node. Its name is the key of the session's record.
    pub node: NodeName,
    /// The session's identity, because a later session of the same node is another one.
    pub session: SessionId,
    /// The node's priority in this cluster.
    pub priority: u32,
}

impl ClusterRecord {
    /// The session that holds the cluster; `None` if it is free.
    #[must_use]
    pub const fn holder(&self) -> Option<&SessionRef> {
        match &self.ownership {
            Ownership::Held { by, .. } => Some(by),
            Ownership::Free { .. } => None,
        }
    }

    /// The node that holds the cluster, or that held it last.
    #[must_use]
    pub const fn last_holder(&self) -> &NodeName {
        match &self.ownership {
            Ownership::Held { by, .. } => &by.node,
            Ownership::Free { last, .. } => last,
        }
    }
}

#[cfg(test)]
mod tests;
