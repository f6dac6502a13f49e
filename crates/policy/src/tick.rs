//! A tick's time: the scheduled time of a job.

use crate::moment::WallTime;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

/// A scheduled time: whole seconds since 1970-01-01 UTC. cron's ticks are whole minutes; other schedulers may name any second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TickTime(pub u64);

impl TickTime {
    /// This time plus `duration`, in whole seconds, saturating.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// The tick as a time of the wall clock.
    #[must_use]
    pub const fn wall(self) -> WallTime {
        WallTime(Duration::from_secs(self.0))
    }

    /// The value of `RCRON_TICK`: RFC 3339, UTC, `2026-12-01T03:00:00Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.wall().rfc3339_seconds()
    }

    /// The value of `RCRON_FENCE` for an attempt of this tick. It grows with each attempt of a job.
    #[must_use]
    pub fn fence(self, attempt: u32) -> u64 {
        self.0.saturating_add(u64::from(attempt).saturating_sub(1))
    }
}

impl From<WallTime> for TickTime {
    /// Cuts to the second.
    fn from(wall: WallTime) -> Self {
        Self(wall.0.as_secs())
    }
}

impl fmt::Debug for TickTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&format!("@{}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_shown_as_rfc_3339() {
        assert_eq!(TickTime(951_782_400).rfc3339(), "2000-02-29T00:00:00Z");
    }

    #[test]
    fn a_fence_grows_with_attempts_and_with_ticks() {
        let (tick, next) = (TickTime(60), TickTime(120));
        assert_eq!([tick.fence(1), tick.fence(2), next.fence(1)], [60, 61, 120]);
    }
}
