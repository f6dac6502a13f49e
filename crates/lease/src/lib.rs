//! Decides who is active: rcrond's lease as a state machine without I/O.
//!
//! Time is an argument, a store's answers are inputs, and the machine returns what is to be done as data. docs/design/lease.md
//! describes the protocol and why at most one node is active; `dev/simulation` checks this code against it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cluster;
mod file;
mod machine;
mod message;
mod mutation;
mod name;
mod own;
mod random;
mod record;
mod tell;
mod timing;
mod watch;

pub use machine::{HeldLease, Machine, Mode, View};
pub use message::{
    Action, Call, Change, ClusterConfig, ClusterStart, Found, Incarnation, Input, Key, Reading, Record, Start,
    StateFileContent, Verdict, Version,
};
#[cfg(feature = "mutations")]
pub use mutation::Mutation;
pub use name::{ClusterName, NodeName, SessionId};
pub use record::{ClusterRecord, LONGEST, Ownership, SessionRecord, SessionRef, SessionState, Unreadable};
pub use tell::{Loss, Notice};
pub use timing::{BadTiming, LeaseDuration, Timing};
