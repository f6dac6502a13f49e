//! The two clocks, kept apart by type.

use core::time::Duration;

/// Time since this boot, suspension included: `CLOCK_BOOTTIME` of `clock_gettime(2)`. Nobody can set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(pub Duration);

/// Time since 1970-01-01 UTC: `CLOCK_REALTIME` of `clock_gettime(2)`. An administrator or NTP may set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(pub Duration);

/// Both clocks, read together, and the boot they belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// `CLOCK_BOOTTIME`.
    pub boot: BootTime,
    /// `CLOCK_REALTIME`.
    pub wall: WallTime,
    /// `/proc/sys/kernel/random/boot_id` without its newline; `None` where it was not needed or could not be read.
    pub boot_id: Option<alloc::vec::Vec<u8>>,
}

impl BootTime {
    /// This moment plus `span`; the end of time where that does not fit.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl WallTime {
    /// How far apart two moments are, whichever is the later one.
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        self.0.abs_diff(other.0)
    }
}
