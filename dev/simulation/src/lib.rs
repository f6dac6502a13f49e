//! The lease machine of `lease`, alone or together with the claims machine of `claims`, in a world of faults, deterministic from a
//! seed.
//!
//! Only the simulation knows true time: each node has its own clock. The checker passes the real text of each state file to the real
//! decision of `policy::decide`, and asks whether two nodes would run a job at one true instant.

pub mod checker;
pub mod clock;
pub mod faults;
pub mod fixture;
pub mod history;
pub mod node;
mod queue;
pub mod random;
pub mod store;
pub mod ticks;
pub mod witness;
pub mod workload;
pub mod world;

/// True time in microseconds since the history began, or a duration.
pub type Micros = u64;

/// In microseconds.
pub const SECOND: Micros = 1_000_000;
/// In microseconds.
pub const MILLISECOND: Micros = 1000;
