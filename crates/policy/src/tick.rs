//! A tick's time: the scheduled time of a job.

use crate::moment::{self, WallTime, digits};
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

/// A scheduled time: whole seconds since 1970-01-01 UTC. cron's ticks are whole minutes; other schedulers may name any second.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TickTime(pub u64);

/// One start of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The tick.
    pub tick: TickTime,
    /// 1, 2, …
    pub number: u32,
}

impl TickTime {
    /// Reads the value of `--tick`: `@SECONDS` since 1970, or a time of RFC 3339, whose fraction of a second is cut. `None` for
    /// another text, and for a time before 1970.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text.strip_prefix(b"@") {
            Some(seconds) => digits(seconds).map(Self),
            None => moment::seconds(text).map(Self),
        }
    }

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
    fn a_tick_is_read_in_both_forms() {
        for (text, seconds) in [
            ("@0", 0),
            ("@951782400", 951_782_400),
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-02-29t00:00:00.999z", 951_782_400),
            ("2000-02-29 02:00:00+02:00", 951_782_400),
            ("2000-02-28T18:30:00-05:30", 951_782_400),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(TickTime::parse(text.as_bytes()), Some(TickTime(seconds)), "{text}");
        }
        for text in [
            "",
            "@",
            "@-1",
            "@1.5",
            "@99999999999999999999",
            "951782400",
            "2000-02-29",
            "2000-02-29T00:00Z",
            "2000-02-29T00:00:00",
            "2000-02-29T00:00:00+0200",
            "2000-02-30T00:00:00Z",
            "2001-02-29T00:00:00Z",
            "2000-13-01T00:00:00Z",
            "2000-00-01T00:00:00Z",
            "2000-01-00T00:00:00Z",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:60:00Z",
            "2000-01-01T00:00:61Z",
            "2000-01-01T00:00:00.Z",
            "2000-01-01T00:00:00+24:00",
            "2000-01-01T00:00:00Zx",
            "1970-01-01T00:00:00+00:01",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(TickTime::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for seconds in (0..40_000).map(|step| step * 6_333_111) {
            let text = TickTime(seconds).rfc3339();
            assert_eq!(TickTime::parse(text.as_bytes()), Some(TickTime(seconds)), "{text}");
        }
    }

    #[test]
    fn a_fence_grows_with_attempts_and_with_ticks() {
        let (tick, next) = (TickTime(60), TickTime(120));
        assert_eq!([tick.fence(1), tick.fence(2), next.fence(1)], [60, 61, 120]);
    }
}
