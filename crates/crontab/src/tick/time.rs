//! The time of a tick.

use core::fmt;
use core::time::Duration;
use policy::moment::WallTime;

/// In minutes since 1970: far in the future, and small enough that seconds and local times do not overflow.
pub const LATEST: i64 = i64::MAX >> 12;

/// The time of a tick: a minute of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TickMinute(i64);

impl TickMinute {
    /// The minute that contains a time.
    #[must_use]
    pub fn containing(time: WallTime) -> Self {
        Self::of_minutes(i64::try_from(time.0.as_secs() / 60).unwrap_or(i64::MAX))
    }

    /// The first minute that does not begin before a time.
    #[must_use]
    pub fn not_before(time: WallTime) -> Self {
        let begun = Self::containing(time);
        let is_exact = time.0.as_secs() % 60 == 0 && time.0.subsec_nanos() == 0;
        if is_exact { begun } else { begun.plus_minutes(1) }
    }

    /// A number of minutes since 1970-01-01 UTC, from 0 up to [`LATEST`].
    #[must_use]
    pub fn of_minutes(minutes: i64) -> Self {
        Self(minutes.clamp(0, LATEST))
    }

    /// Minutes since 1970-01-01 UTC.
    #[must_use]
    pub const fn minutes(self) -> i64 {
        self.0
    }

    /// Its beginning, in seconds since 1970-01-01 UTC. Zero before that.
    #[must_use]
    pub fn seconds(self) -> u64 {
        u64::try_from(self.0).map_or(0, |minutes| minutes.saturating_mul(60))
    }

    /// Its beginning.
    #[must_use]
    pub fn wall_time(self) -> WallTime {
        WallTime(Duration::from_secs(self.seconds()))
    }

    /// The tick that many minutes later, or earlier.
    #[must_use]
    pub fn plus_minutes(self, minutes: i64) -> Self {
        Self::of_minutes(self.0.saturating_add(minutes))
    }
}

/// RFC 3339 in UTC: `2026-12-01T03:00:00Z`.
impl fmt::Display for TickMinute {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.wall_time().rfc3339_seconds())
    }
}
