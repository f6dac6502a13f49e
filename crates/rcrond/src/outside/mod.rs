//! What people and other programs see of the daemon.

pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod socket;
pub(crate) mod systemd;

use policy::moment::BootTime;

/// How things are, and when they were so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    /// `CLOCK_BOOTTIME`: what is left of a lease in the report was left at this moment.
    pub(crate) taken: BootTime,
    /// How they are.
    pub(crate) report: control::Report,
}
