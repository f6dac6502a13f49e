//! What others see of the daemon.

pub(crate) mod socket;
