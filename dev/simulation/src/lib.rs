//! The lease's logic (`policy::lease`) in a world of faults, deterministic from a seed.
//!
//! True time is known here and to nobody inside: each node has its own clock. The checker asks the real decision, `policy::decide`, of the
//! real text of each state file whether two nodes would run a job at one true instant.

pub mod checker;
pub mod clock;
pub mod crowd;
pub mod faults;
pub mod history;
pub mod node;
pub mod random;
pub mod scene;
pub mod store;
pub mod world;

/// True time in microseconds since the history began.
pub type Micros = u64;

/// One second.
pub const SECOND: Micros = 1_000_000;
/// One millisecond.
pub const MILLISECOND: Micros = 1000;
