//! What the tests of several programs share. Everything here waits for a condition, never for a fixed time.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod certificates;
pub mod cron;
pub mod inheritance;
pub mod lab;
pub mod process;
pub mod program;
pub mod servers;
pub mod wait;

pub use inheritance::niceness;
pub use process::{Done, run};
pub use wait::until;
