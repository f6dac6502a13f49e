//! Times of the two clocks. Each clock has a type, so that they cannot be mixed.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

/// Time since boot, including suspension: `CLOCK_BOOTTIME` of clock_gettime(2). It cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(pub Duration);

/// Time since 1970-01-01 UTC: `CLOCK_REALTIME` of clock_gettime(2). An administrator or NTP can set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(pub Duration);

/// Both clocks, read together, and the boot they belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// `CLOCK_BOOTTIME`.
    pub boot: BootTime,
    /// `CLOCK_REALTIME`.
    pub wall: WallTime,
    /// `/proc/sys/kernel/random/boot_id` without its newline; `None` if it was not needed or cannot be read.
    pub boot_id: Option<alloc::vec::Vec<u8>>,
}

impl BootTime {
    /// This time plus `duration`, saturating.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// The duration from `earlier` to this time; zero if this time is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl WallTime {
    /// RFC 3339 in UTC with microseconds: `2026-11-24T03:00:00.123456Z`, 27 characters up to the year 9999.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let seconds = self.0.as_secs();
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let micros = self.0.subsec_micros();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }

    /// RFC 3339 in UTC with seconds, as in a state file's `since=`: `2026-11-23T09:15:02Z`.
    #[must_use]
    pub fn rfc3339_seconds(self) -> String {
        let mut text = self.rfc3339();
        text.truncate(text.len() - ".123456Z".len());
        text.push('Z');
        text
    }

    /// The duration between two times, in either order.
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        self.0.abs_diff(other.0)
    }
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that a leap day is the last day of its year; 400 years always have the same number of days.
/// The method is Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms").
#[must_use]
pub fn date(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468; // since 0000-03-01
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153; // 0 is March
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (951_868_800, "2000-03-01T00:00:00.000000Z"),
            (1_795_480_203, "2026-11-24T00:30:03.000000Z"),
            (4_107_542_399, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000000Z"),
        ] {
            let moment = WallTime(Duration::from_secs(seconds));
            assert_eq!(moment.rfc3339(), text);
            assert_eq!(moment.rfc3339_seconds(), text.replace(".000000", ""));
        }
    }
}
