//! The session of another node, as a read of the store found it.

use policy::moment::WallTime;
use std::time::Duration;

/// A node whose session was not renewed for so long is silent: no lease is longer than five minutes, and none is renewed less often
/// than every 100 s.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(120);

/// A session as a read found it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionSeen {
    pub(crate) is_open: bool,
    /// The record's version.
    pub(crate) version: u64,
    /// When it was written, by its node's wall clock.
    pub(crate) date: Option<WallTime>,
}
