//! The machine's inputs and actions, and what they consist of.

use super::name::{ClusterName, NodeName, SessionId};
use super::notice::Notice;
use super::record::{ClusterRecord, SessionRecord};
use super::timing::Timing;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use policy::moment::BootTime;
use policy::state::{Lease, State, Word};

/// The number of a call to the store. Only the answer to the last call counts.
pub type Call = u64;

/// A record's version, given by the store. Compared for equality only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u64);

/// Identifies a store's data: the same store with other data has another incarnation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incarnation(pub Arc<[u8]>);

/// A record's place in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// The session record of this node.
    Session(NodeName),
    /// The record of this cluster.
    Cluster(ClusterName),
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// For a [`Key::Session`].
    Session(SessionRecord),
    /// For a [`Key::Cluster`].
    Cluster(ClusterRecord),
}

/// A record that a read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The condition for a change of this record.
    pub version: Version,
    /// The content; `None` if it is unreadable.
    pub record: Option<Record>,
}

/// The answer to a read, all of it over one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// `None` if the store has no incarnation.
    pub incarnation: Option<Incarnation>,
    /// A number that only grows within one incarnation; `None` if the store has none.
    pub revision: Option<u64>,
    /// One for each key, in the order of the keys; `None` where there is no record.
    pub records: Vec<Option<Found>>,
}

/// Writes of several records, of which the store does all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// A store of another incarnation must refuse the change. `None`: a store of any incarnation may do it.
    pub incarnation: Option<Incarnation>,
    /// The versions that these records must still have; `None` where there must be no record.
    pub conditions: Vec<(Key, Option<Version>)>,
    /// What to write if all conditions hold.
    pub writes: Vec<(Key, Record)>,
}

/// The result of a change. "No" and "don't know" are different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The store has done it durably.
    Done,
    /// The store has not done it and never will.
    Refused,
    /// It may have been done, may be done later, or never.
    NoAnswer,
}

/// What a state file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFileContent {
    /// This server does not run the jobs.
    Passive,
    /// This server runs the jobs until its lease ends.
    Active {
        /// The end of the lease. The file has it in milliseconds, rounded down.
        until: BootTime,
        /// The fencing token.
        epoch: u64,
        /// Running jobs go on, and no job is started.
        draining: bool,
    },
    /// This server may start what the store grants it, like each other server of the cluster, until its lease ends.
    Shared {
        /// The end of the lease: that of the session. The file has it in milliseconds, rounded down.
        until: BootTime,
        /// The session that the grants belong to.
        session: SessionId,
        /// Running jobs go on, and no job is started.
        draining: bool,
    },
}

/// Which nodes may run a cluster's jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunOn {
    /// The one that holds the cluster.
    #[default]
    Active,
    /// Each one with a session. This node does not hold the cluster; others may, while a configuration is rolled out.
    Any,
}

/// A cluster's configuration on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// The same on all nodes of the cluster.
    pub name: ClusterName,
    /// May differ between nodes while a configuration is rolled out.
    pub timing: Timing,
    /// A node with a higher priority than the holder's asks for the cluster.
    pub priority: u32,
    /// May differ between nodes while a configuration is rolled out.
    pub run_on: RunOn,
}

/// A cluster as the daemon finds it when it starts, or when the configuration first names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterStart {
    /// The configuration of this node.
    pub config: ClusterConfig,
    /// The administrator has drained the cluster here, and not undrained it.
    pub drained: bool,
    /// The highest epoch saved on disk; 0 if there is none.
    pub epoch: u64,
    /// The content of its state file, if that is active or shared with a lease of this boot, even one that has expired. For a file
    /// that cannot be read: active until ten minutes from now, with epoch 0.
    pub file: Option<StateFileContent>,
    /// The session to resume has shared this cluster. Of no importance without such a session.
    pub shared: bool,
}

/// What the daemon starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// This node's name.
    pub node: NodeName,
    /// The session to resume, if an earlier process of this boot left its identity. The leases of the clusters with [`RunOn::Any`]
    /// must be those of that process.
    pub kept: Option<SessionId>,
    /// Randomness from the kernel, for identities and jitter.
    pub seed: [u64; 2],
    /// The configured clusters.
    pub clusters: Vec<ClusterStart>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed.
    Tick,
    /// A read has ended; `None`: without an answer.
    Read(Call, Option<Reading>),
    /// A change has ended.
    Changed(Call, Verdict),
    /// The store reports that something was, or may have been, changed.
    Hint,
    /// Whether the store's watch works. While it does, the machine polls less often.
    Watching(bool),
    /// A write of a state file has ended.
    StateWritten {
        /// The file's cluster.
        cluster: ClusterName,
        /// Whether the file has the new content. If not, it may have the old content or the new.
        done: bool,
    },
    /// The write of an epoch to disk has ended.
    EpochKept {
        /// The epoch's cluster.
        cluster: ClusterName,
        /// The epoch of [`Action::PersistEpoch`].
        epoch: u64,
        /// Whether it is on disk.
        done: bool,
    },
    /// Release the cluster and stay out. With `wait`: start no job, and release the cluster at [`Input::Drained`].
    Drain {
        /// The cluster.
        cluster: ClusterName,
        /// Whether to wait for running jobs.
        wait: bool,
    },
    /// The jobs of a draining cluster have ended, or the wait for them is over.
    Drained(ClusterName),
    /// Take part again.
    Undrain(ClusterName),
    /// The configuration now names these clusters. Of a cluster that is known already, only the configuration is taken over.
    Configure(Vec<ClusterStart>),
    /// Release everything, end the session, then [`Action::Stopped`].
    Stop,
}

/// Something to do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read these records and answer with [`Input::Read`].
    Read {
        /// The number for the answer.
        call: Call,
        /// The order of the records in the answer.
        keys: Vec<Key>,
        /// The machine does not wait longer than this.
        by: BootTime,
    },
    /// Change records, once, without repetition, and answer with [`Input::Changed`].
    Change {
        /// The number for the answer.
        call: Call,
        /// What to change.
        change: Change,
        /// The machine does not wait longer than this.
        by: BootTime,
    },
    /// Write a state file. Answer with [`Input::StateWritten`] when the write has ended, however long it takes, and not at a time
    /// limit. The write may take effect late, because `until` ends with the lease.
    WriteState {
        /// The file's cluster.
        cluster: ClusterName,
        /// What the file should say.
        content: StateFileContent,
    },
    /// Save the epoch on disk, synced, and answer with [`Input::EpochKept`].
    PersistEpoch {
        /// The epoch's cluster.
        cluster: ClusterName,
        /// Greater than all earlier ones of this cluster.
        epoch: u64,
    },
    /// Save the identity under /run for a later process of this boot. If that fails, a restart is a failover.
    KeepIdentity(SessionId),
    /// Log this.
    Notify(Notice),
    /// Pass [`Input::Tick`] at this time. Replaces the time of every earlier one.
    WakeAt(BootTime),
    /// Everything is released: the daemon may end.
    Stopped,
}

impl StateFileContent {
    /// The state file with this content.
    #[must_use]
    pub fn to_state(self, boot: &[u8], node: &NodeName, since: &[u8]) -> State {
        let lease = self.until().map_or(Lease::None, |end| Lease::Until {
            end,
            boot: boot.to_vec(),
        });
        let plain = match self {
            Self::Passive => State::new(Word::Passive),
            Self::Active { epoch, draining, .. } => State {
                epoch: Some(epoch),
                draining,
                ..State::new(Word::Active)
            },
            Self::Shared { session, draining, .. } => State {
                shared: Some(session.to_string()),
                draining,
                ..State::new(Word::Passive)
            },
        };
        State {
            lease,
            by: Some(node.as_str().as_bytes().to_vec()),
            since: Some(since.to_vec()),
            ..plain
        }
    }

    /// The end of the lease; `None` for [`Self::Passive`].
    #[must_use]
    pub const fn until(self) -> Option<BootTime> {
        match self {
            Self::Passive => None,
            Self::Active { until, .. } | Self::Shared { until, .. } => Some(until),
        }
    }

    /// What is certain of a file that has one of two contents; `None` if they differ in more than the lease's end.
    pub(super) fn weaker(self, other: Self) -> Option<Self> {
        let end = self.until().min(other.until())?;
        let at_end = |content| match content {
            Self::Passive => Self::Passive,
            Self::Active { epoch, draining, .. } => Self::Active {
                until: end,
                epoch,
                draining,
            },
            Self::Shared { session, draining, .. } => Self::Shared {
                until: end,
                session,
                draining,
            },
        };
        (at_end(self) == at_end(other)).then(|| at_end(self))
    }
}
