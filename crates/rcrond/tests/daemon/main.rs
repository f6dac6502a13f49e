//! One rcrond, or two, with a Redis of the test: what it writes, refuses and logs. Partitions, crashes and the times of
//! failovers are in `tests/cluster`.

mod claims;
mod containers;
mod drain;
mod drain_wait;
mod drift;
mod files;
mod metrics;
mod node;
mod reload;
mod session;
mod shared;
mod store;

use control::Request;

/// The signals that the tests send.
mod signals {
    pub(crate) const TERM: i32 = 15;
    pub(crate) const USR1: i32 = 10;
    pub(crate) const HUP: i32 = 1;
    pub(crate) const KILL: i32 = 9;
}

/// Drains all clusters without waiting for jobs.
const DRAIN: Request = Request::Drain {
    clusters: Vec::new(),
    wait_ms: None,
};
