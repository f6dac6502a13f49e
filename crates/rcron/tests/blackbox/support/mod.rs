//! What the tests stand on.

pub(crate) mod lease;
pub(crate) mod log;
pub(crate) mod scene;

pub(crate) use scene::Scene;
pub(crate) use testing::{Done, process, run, until};
