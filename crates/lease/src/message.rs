//! What the machine is told and what it wants done.

use super::name::{ClusterName, NodeName, SessionId};
use super::record::{ClusterRecord, SessionRecord};
use super::tell::Notice;
use super::timing::Timing;
use alloc::sync::Arc;
use alloc::vec::Vec;
use policy::moment::BootTime;
use policy::state::{Lease, State, Word};

/// The number of a call to the store: an answer to another than the last is of no use any more.
pub type Call = u64;

/// A record's version, as its store counts. Compared for equality only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u64);

/// What tells a store from the same store with other data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incarnation(pub Arc<[u8]>);

/// A record's place in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A node's session.
    Session(NodeName),
    /// A cluster's record.
    Cluster(ClusterName),
}

/// A record to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// For a [`Key::Session`].
    Session(SessionRecord),
    /// For a [`Key::Cluster`].
    Cluster(ClusterRecord),
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its version.
    pub version: Version,
    /// What it says; `None` if that cannot be read.
    pub record: Option<Record>,
}

/// What a read returned, all of it from one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The store's incarnation, if it has one.
    pub incarnation: Option<Incarnation>,
    /// A number that never goes back within one incarnation, if it has one.
    pub revision: Option<u64>,
    /// One for each key, in the order of the keys; `None` where there is no such record.
    pub records: Vec<Option<Found>>,
}

/// Several records changed at once, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Refused by a store of another incarnation. `None`: of any.
    pub incarnation: Option<Incarnation>,
    /// The versions that must not have moved; `None` where there must be no record.
    pub conditions: Vec<(Key, Option<Version>)>,
    /// What to write then.
    pub writes: Vec<(Key, Record)>,
}

/// What a change came to. "No" is not "don't know".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The store has done it, and will not forget.
    Done,
    /// The store has not done it, and never will.
    Refused,
    /// It may have been done, may be done later, or never.
    NoAnswer,
}

/// What a state file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFileContent {
    /// Another server runs the jobs.
    Passive,
    /// This one, up to a moment.
    Active {
        /// The end. The file's text has it in milliseconds, rounded down.
        until: BootTime,
        /// The fencing token.
        epoch: u64,
        /// No job is started any more.
        draining: bool,
    },
}

/// A cluster's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// Its name.
    pub name: ClusterName,
    /// Its spans.
    pub timing: Timing,
    /// Who has more may ask for the cluster.
    pub priority: u32,
}

/// A cluster as the daemon finds it when it starts, or when the configuration first names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterStart {
    /// Its configuration.
    pub config: ClusterConfig,
    /// `drain` was said, and not taken back.
    pub drained: bool,
    /// The highest epoch kept on disk; 0 if there is none.
    pub epoch: u64,
    /// What its state file says, if that is active with a lease of this boot. If it cannot be read: active for ten
    /// minutes with epoch 0.
    pub file: Option<(BootTime, u64)>,
}

/// What the daemon starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The node's name.
    pub node: NodeName,
    /// The identity kept for this boot by a process that has ended.
    pub kept: Option<SessionId>,
    /// Randomness from the kernel: for identities and jitter.
    pub seed: [u64; 2],
    /// The clusters.
    pub clusters: Vec<ClusterStart>,
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed; nothing else.
    Tick,
    /// A read has ended; `None`: no answer.
    Read(Call, Option<Reading>),
    /// A change has ended.
    Changed(Call, Verdict),
    /// The store says that something was changed, or may have been.
    Hint,
    /// Whether the store's watch works, so that looking seldom is enough.
    Watching(bool),
    /// A write of a state file has ended, well or not.
    StateWritten {
        /// The cluster.
        cluster: ClusterName,
        /// Whether the file now says what it should. If not, it may say what it said before, or that.
        done: bool,
    },
    /// An epoch was kept on disk, or could not be.
    EpochKept {
        /// The cluster.
        cluster: ClusterName,
        /// The epoch.
        epoch: u64,
        /// Whether it is on disk.
        done: bool,
    },
    /// Give the cluster away and stay out. With `wait`: keep it, start no job, and give it away at [`Input::Drained`].
    Drain {
        /// The cluster.
        cluster: ClusterName,
        /// Whether running jobs are waited for.
        wait: bool,
    },
    /// No job runs any more, or it has been waited long enough.
    Drained(ClusterName),
    /// Take part again.
    Undrain(ClusterName),
    /// The configuration names these clusters now. What is known of old ones is kept; only their configuration counts.
    Configure(Vec<ClusterStart>),
    /// Give everything away and end the session, then [`Action::Stopped`].
    Stop,
}

/// Something to do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read these records, and answer with [`Input::Read`]. At `by` the machine does not wait any longer.
    Read {
        /// Its number.
        call: Call,
        /// The records.
        keys: Vec<Key>,
        /// When to give up.
        by: BootTime,
    },
    /// Change records, once and never again, and answer with [`Input::Changed`].
    Change {
        /// Its number.
        call: Call,
        /// What to change.
        change: Change,
        /// When to give up.
        by: BootTime,
    },
    /// Write a state file, and answer with [`Input::StateWritten`] when the write has ended, however long it takes: not at a time limit.
    /// It may be executed late: its `until` is the lease's end.
    WriteState {
        /// The cluster.
        cluster: ClusterName,
        /// What it shall say.
        content: StateFileContent,
    },
    /// Keep the epoch on disk, synced, and answer with [`Input::EpochKept`].
    PersistEpoch {
        /// The cluster.
        cluster: ClusterName,
        /// The number.
        epoch: u64,
    },
    /// Keep the identity under /run for a later process of this boot. If that fails, a restart is a failover.
    KeepIdentity(SessionId),
    /// Something for the log.
    Notify(Notice),
    /// When to say [`Input::Tick`] if nothing else happens before. Takes the place of any earlier one.
    WakeAt(BootTime),
    /// Everything is given away: the daemon may end.
    Stopped,
}

impl StateFileContent {
    /// The state file that says it.
    #[must_use]
    pub fn to_state(self, boot: &[u8], node: &NodeName, since: &[u8]) -> State {
        let (word, lease, epoch, draining) = match self {
            Self::Passive => (Word::Passive, Lease::None, None, false),
            Self::Active { until, epoch, draining } => {
                let boot = boot.to_vec();
                (Word::Active, Lease::Until { end: until, boot }, Some(epoch), draining)
            }
        };
        State {
            word,
            lease,
            draining,
            epoch,
            by: Some(node.as_str().as_bytes().to_vec()),
            since: Some(since.to_vec()),
        }
    }
}
