//! What goes wrong, and what administrators do.

use crate::Micros;
use crate::store::Loss;
use lease::RunOn;

/// Something that happens at an instant. Nodes are given by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The node's process is stopped for this duration, as by SIGSTOP.
    Pause(usize, Micros),
    /// The node's process is killed.
    Kill(usize),
    /// The node's process is started, if none runs.
    Start(usize),
    /// The machine is rebooted: the process and /run are gone, and the clock begins again.
    Reboot(usize),
    /// The node loses its saved epochs and drains.
    LoseDisk(usize),
    /// Requests of the node no longer arrive (`true`), or arrive again.
    CutRequests(usize, bool),
    /// Answers to the node no longer arrive (`true`), or arrive again.
    CutAnswers(usize, bool),
    /// The store is stopped.
    StoreDown,
    /// The store is started, with what the loss leaves.
    StoreUp(Loss),
    /// The store loses data while it runs.
    StoreLoses(Loss),
    /// [`Loss::Back`] goes back to the data of this instant.
    Snapshot,
    /// Whether the node's state files can be written.
    Writable(usize, bool),
    /// Whether the node's epochs can be saved. They are on another disk than the state files.
    Saving(usize, bool),
    /// Somebody overwrites the record of the node's session with other bytes.
    SpoilSession(usize),
    /// Somebody overwrites the record of the cluster of this index. No node may change it then.
    SpoilCluster(usize, Spoilt),
    /// An administrator deletes the record of the cluster.
    DeleteCluster(usize),
    /// `rcronctl drain` of all the node's clusters; `true`: with `--wait`.
    Drain(usize, bool),
    /// The jobs of the node's draining clusters have ended.
    Drained(usize),
    /// `rcronctl undrain` of all the node's clusters.
    Undrain(usize),
    /// The node's daemon gets SIGTERM.
    Stop(usize),
    /// The node gets this priority in all its clusters.
    Priority(usize, u32),
    /// The node gets this lease in all its clusters.
    Lease(usize, Micros),
    /// The node gets this `run_on` in the cluster of the second index.
    RunOn(usize, usize, RunOn),
    /// The node's configuration names no cluster any more.
    Unconfigure(usize),
    /// All faults end: everything runs, and every node reaches the store.
    Heal,
}

/// What a cluster's record is overwritten with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoilt {
    /// Bytes that are not a record.
    Bytes,
    /// The same record with this epoch, if there is a record.
    Epoch(u64),
}

/// How messages, files and processes behave all the time.
#[derive(Clone, Copy, Debug)]
pub struct FaultProfile {
    /// The shortest delay of a message.
    pub min_delay: Micros,
    /// The longest delay of a message that is not late.
    pub usual_delay: Micros,
    /// Per mille of messages that are late.
    pub late_messages: u64,
    /// The longest delay of a late message or a duplicate.
    pub max_delay: Micros,
    /// Per mille of requests that are lost.
    pub lost_requests: u64,
    /// Per mille of answers that are lost.
    pub lost_answers: u64,
    /// Per mille of requests that the store carries out a second time.
    pub duplicates: u64,
    /// Per mille of actions before which the process pauses.
    pub pauses: u64,
    /// The longest such pause, and the longest time of a slow write.
    pub max_pause: Micros,
    /// Per mille of file writes that are slow.
    pub slow_writes: u64,
    /// Per mille of file writes that fail.
    pub failed_writes: u64,
    /// Whether the store's watch works and hints at changes.
    pub hints: bool,
}

impl FaultProfile {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        min_delay: 500,
        usual_delay: 2000,
        late_messages: 0,
        max_delay: 0,
        lost_requests: 0,
        lost_answers: 0,
        duplicates: 0,
        pauses: 0,
        max_pause: 0,
        slow_writes: 0,
        failed_writes: 0,
        hints: true,
    };

    /// Whether every message arrives soon, and no process pauses by itself.
    #[must_use]
    pub const fn is_prompt(&self) -> bool {
        let messages = self.late_messages + self.lost_requests + self.lost_answers + self.duplicates;
        messages + self.pauses + self.slow_writes + self.failed_writes == 0
    }
}
