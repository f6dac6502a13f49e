//! Decides which node of a cluster is active: rcrond's lease as a state machine without I/O.
//!
//! Time is an argument, a store's answers are inputs, and the machine returns its actions as data. docs/design/lease.md describes
//! the protocol and why at most one node is active; `dev/simulation` checks this code against it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cluster;
mod machine;
mod message;
mod mutation;
mod name;
mod notice;
mod own_session;
mod random;
mod record;
mod sessions;
mod timing;
mod watch;

pub use cluster::{LARGEST_EPOCH, Mode};
pub use machine::{HeldLease, Machine, Permission, View};
pub use message::{
    Action, Call, Change, ClusterConfig, ClusterStart, Found, Incarnation, Input, Key, Reading, Record, RunOn, Start,
    StateFileContent, Verdict, Version,
};
#[cfg(feature = "mutations")]
pub use mutation::Mutation;
pub use name::{ClusterName, NodeName, SessionId};
pub use notice::{Loss, Notice};
pub use record::{ClusterRecord, FORMATS, LONGEST, Ownership, SessionRecord, SessionRef, SessionState, Unreadable};
pub use timing::{BadTiming, LeaseDuration, Timing};
