//! What can go wrong, and what people do.

use crate::Micros;
use crate::store::Loss;

/// Something that happens to the world at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The node's process stands still for so long.
    Pause(usize, Micros),
    /// The node's process is killed.
    Kill(usize),
    /// And started again.
    Start(usize),
    /// The machine is rebooted: process, /run and the state file are gone, the clock begins anew.
    Reboot(usize),
    /// What the node has kept on disk is lost.
    LoseDisk(usize),
    /// Requests of the node do not arrive any more, or again.
    CutTo(usize, bool),
    /// Answers to the node do not arrive any more, or again.
    CutFrom(usize, bool),
    /// The store is stopped.
    StoreDown,
    /// The store is started, with or without its data.
    StoreUp(Loss),
    /// The store loses data while it runs.
    StoreLoses(Loss),
    /// What [`Loss::Back`] goes back to.
    Snapshot,
    /// The node's state files can be written, or not.
    Writable(usize, bool),
    /// `rcronctl drain`, or `drain --wait`, of all its clusters.
    Drain(usize, bool),
    /// Running jobs have ended.
    Drained(usize),
    /// `rcronctl undrain`.
    Undrain(usize),
    /// The node stops gracefully.
    Stop(usize),
    /// The node's priority in all its clusters.
    Priority(usize, u32),
    /// The node's lease in all its clusters.
    Lease(usize, Micros),
    /// All faults end: everything runs, everybody is reached.
    Heal,
}

/// How messages, files and processes behave all the time.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// A message takes at least this.
    pub quick: Micros,
    /// And mostly not more than this.
    pub slow: Micros,
    /// Per mille of messages that take up to `stray`.
    pub strays: u64,
    /// The longest that a message may take.
    pub stray: Micros,
    /// Per mille of requests that are lost.
    pub lost_requests: u64,
    /// Per mille of answers that are lost.
    pub lost_answers: u64,
    /// Per mille of requests that are carried out once more, up to `stray` later.
    pub duplicates: u64,
    /// Per mille of actions before which the process pauses, up to `pause`.
    pub pauses: u64,
    /// The longest such pause.
    pub pause: Micros,
    /// Per mille of file writes that take up to `pause`.
    pub slow_writes: u64,
    /// Per mille of file writes that fail.
    pub failed_writes: u64,
    /// Whether the store's watch works: changes are hinted at.
    pub hints: bool,
}

impl Weather {
    /// Nothing goes wrong.
    pub const FINE: Self = Self {
        quick: 500,
        slow: 2000,
        strays: 0,
        stray: 0,
        lost_requests: 0,
        lost_answers: 0,
        duplicates: 0,
        pauses: 0,
        pause: 0,
        slow_writes: 0,
        failed_writes: 0,
        hints: true,
    };
}
