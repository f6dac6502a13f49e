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

/// Reads a time of RFC 3339, section 5.6, as seconds since 1970 UTC; a fraction is cut. `None` for another text, and before 1970.
pub(crate) fn seconds(text: &[u8]) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (day_time, rest) = rest.split_at_checked(9)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else {
        return None;
    };
    let [b'T' | b't' | b' ', time @ ..] = day_time else {
        return None;
    };
    let (year, month, day) = (digits(&[y1, y2, y3, y4])?, digits(&[m1, m2])?, digits(&[d1, d2])?);
    let [h1, h2, b':', n1, n2, b':', s1, s2] = *time else {
        return None;
    };
    let (hour, minute, second) = (digits(&[h1, h2])?, digits(&[n1, n2])?, digits(&[s1, s2])?);
    // A leap second is the first of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let local = days(year, month, day)?.checked_mul(86_400)? + hour * 3_600 + minute * 60 + second;
    local.checked_add_signed(-offset(without_fraction(rest)?)?)
}

fn without_fraction(text: &[u8]) -> Option<&[u8]> {
    let Some(fraction) = text.strip_prefix(b".") else {
        return Some(text);
    };
    let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (length > 0).then(|| &fraction[length..])
}

/// The offset of a local time from UTC, in seconds: `Z`, `+02:00`.
fn offset(text: &[u8]) -> Option<i64> {
    let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = *text else {
        return matches!(text, b"Z" | b"z").then_some(0);
    };
    let (hours, minutes) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
    let seconds = i64::try_from(hours * 3_600 + minutes * 60).ok()?;
    (hours < 24 && minutes < 60).then_some(if sign == b'-' { -seconds } else { seconds })
}

/// The days from 1970-01-01 to a day that exists: the reverse of [`date`].
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) {
        return None;
    }
    let from_march = year - u64::from(month <= 2).min(year);
    let month_from_march = (month + 9) % 12;
    let leaps = from_march / 4 - from_march / 100 + from_march / 400;
    let since_march = 365 * from_march + leaps + (153 * month_from_march + 2) / 5 + day;
    let found = since_march.checked_sub(719_468 + 1)?;
    (date(found) == (year, month, day)).then_some(found)
}

/// Reads digits without sign or blank.
pub(crate) fn digits(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
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
