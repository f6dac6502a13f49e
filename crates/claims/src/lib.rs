//! Decides which server starts a tick of a job, and that no other one does: a state machine without I/O.
//!
//! Time is an argument, a store's answers are inputs, and the machine returns its actions as data. docs/design/ticks.md describes
//! the protocol; `dev/simulation` checks this code against its promises, together with the lease machine.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod job;
mod machine;
mod message;
mod mutation;
mod random;
mod rank;
mod record;
mod sessions;

pub use job::JobKey;
pub use machine::Machine;
pub use message::{
    Action, Call, Change, Claim, Client, ClusterFacts, Due, Facts, Found, Gap, Held, Input, Key, MissReason, Notice,
    Now, Permission, Reading, Record, Reopen, Schedule, Start, StopReason,
};
#[cfg(feature = "mutations")]
pub use mutation::Mutation;
pub use rank::delay;
pub use record::{
    EndedTick, Entry, EntryState, FORMATS, FloorRecord, JobList, JobRecord, LastTick, MOST_ENTRIES, MOST_SLOTS,
    Outcome, Unreadable,
};
