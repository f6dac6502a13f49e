//! What the tests stand on.

pub(crate) mod lease;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod scene;
pub(crate) mod wait;

pub(crate) use process::{Done, run};
pub(crate) use scene::Scene;
pub(crate) use wait::until;
