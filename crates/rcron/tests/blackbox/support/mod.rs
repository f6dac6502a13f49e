//! Fixtures of the tests.

pub(crate) mod fixture;
pub(crate) mod lease;
pub(crate) mod log;
pub(crate) mod rcrond;
pub(crate) mod tracer;

pub(crate) use fixture::Fixture;
pub(crate) use testing::{Done, process, run, until};
