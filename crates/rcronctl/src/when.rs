//! Times and durations, as people write and read them.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use std::fmt;
use std::time::Duration;

/// Why a value of `--since` or `--timeout` is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadValue {
    NotATime,
    NotADuration,
}

impl fmt::Display for BadValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotATime => {
                "not a time: write a duration before now (90m, 12h, 7d), today, yesterday, 2026-11-23 or '2026-11-23 03:00'"
            }
            Self::NotADuration => "not a duration: write 90s, 10m or 1h",
        })
    }
}

impl std::error::Error for BadValue {}

/// Reads the value of `--since`.
pub(crate) fn parse_since(text: &str) -> Result<Timestamp, BadValue> {
    parse_time(text, &Zoned::now()).ok_or(BadValue::NotATime)
}

/// Reads the value of `--timeout`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, BadValue> {
    policy::duration::parse(text.as_bytes()).map_err(|_| BadValue::NotADuration)
}

/// A duration before now (`90m`, `12h`, `7d`), `today`, `yesterday`, a local date, a local date and time, or a time with its zone.
fn parse_time(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Ok(duration) = parse_duration(text) {
        return now.timestamp().checked_sub(duration).ok();
    }
    let midnight = |date: Date| Some(date.to_zoned(now.time_zone().clone()).ok()?.timestamp());
    match text {
        "today" => midnight(now.date()),
        "yesterday" => midnight(now.date().checked_sub(1.day()).ok()?),
        _ => text.parse().ok().or_else(|| {
            let local: DateTime = text.parse().ok()?;
            Some(now.time_zone().to_zoned(local).ok()?.timestamp())
        }),
    }
}

/// Where [`local`] has the seconds.
const SECONDS: usize = "2026-11-23 03:00:".len();

/// Local date and time.
pub(crate) fn local(moment: Timestamp) -> String {
    local_in(moment, &TimeZone::system(), "%Y-%m-%d %H:%M:%S")
}

/// A local time in this format of strftime(3). A time that occurs twice, because the clocks are set back, has its zone.
pub(crate) fn local_in(moment: Timestamp, zone: &TimeZone, format: &str) -> String {
    let local = moment.to_zoned(zone.clone());
    let text = local.strftime(format).to_string();
    // Far from a change of the clocks, the offset is the same.
    let offset = |hours: i64| Some(zone.to_offset(moment.checked_add(SignedDuration::from_hours(hours)).ok()?));
    let may_be_twice = offset(-3) != Some(local.offset()) || offset(3) != Some(local.offset());
    let is_twice = may_be_twice
        && matches!(
            zone.to_ambiguous_timestamp(local.datetime()).offset(),
            AmbiguousOffset::Fold { .. }
        );
    if is_twice {
        format!("{text} {}", local.strftime("%Z"))
    } else {
        text
    }
}

/// How long before `now`: `3 min ago`. Another server's clock can be ahead: `in 3 min`.
pub(crate) fn age(moment: Timestamp, now: Timestamp) -> String {
    let distance = now.duration_since(moment);
    let shown = duration(distance.unsigned_abs());
    if distance.is_negative() {
        format!("in {shown}")
    } else if distance.as_secs() == 0 {
        "now".to_owned()
    } else {
        format!("{shown} ago")
    }
}

/// Seconds with a fraction below a minute, then the two largest units: `0.042 s`, `12.3 s`, `5 min`, `3 h 20 min`, `2 d 4 h`.
pub(crate) fn duration(duration: Duration) -> String {
    if let Some(text) = below_a_minute(duration) {
        return text;
    }
    let rounded = duration.saturating_add(Duration::from_millis(500)).as_secs();
    let (large, unit, small, smaller) = match rounded {
        ..3_600 => (rounded / 60, "min", rounded % 60, "s"),
        3_600..86_400 => (rounded / 3_600, "h", rounded / 60 % 60, "min"),
        _ => (rounded / 86_400, "d", rounded / 3_600 % 24, "h"),
    };
    match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {smaller}"),
    }
}

/// `None` if it is a minute when it is rounded. Not by way of a floating-point number: formatting one takes several times as long.
fn below_a_minute(duration: Duration) -> Option<String> {
    let (decimals, units) = if duration < Duration::from_secs(1) {
        (3, 1_000)
    } else {
        (1, 10)
    };
    let half = Duration::from_nanos(500_000_000 / units);
    let rounded = duration.checked_add(half).filter(|rounded| rounded.as_secs() < 60)?;
    let fraction = u64::from(rounded.subsec_nanos()) * units / 1_000_000_000;
    let seconds = format!("{}.{fraction:0decimals$}", rounded.as_secs());
    Some(format!("{} s", seconds.trim_end_matches('0').trim_end_matches('.')))
}

/// [`local`] for many moments. Those of one minute differ only in their seconds, and looking up the zone takes long.
#[derive(Default)]
pub(crate) struct LocalTimes {
    /// Of the last text, in minutes since 1970.
    minute: i64,
    /// The last text before its seconds, and after them.
    around: Option<(String, String)>,
}

impl LocalTimes {
    pub(crate) fn text(&mut self, moment: Timestamp) -> String {
        self.text_in(moment, local)
    }

    fn text_in(&mut self, moment: Timestamp, local: impl Fn(Timestamp) -> String) -> String {
        let (minute, second) = (moment.as_second().div_euclid(60), moment.as_second().rem_euclid(60));
        if let Some((before, after)) = self.around.as_ref().filter(|_| self.minute == minute) {
            return format!("{before}{second:02}{after}");
        }
        let text = local(moment);
        self.minute = minute;
        // Old times of some zones are not whole minutes from UTC.
        self.around = match (
            text.get(..SECONDS),
            text.get(SECONDS..SECONDS + 2),
            text.get(SECONDS + 2..),
        ) {
            (Some(before), Some(seconds), Some(after)) if seconds.parse() == Ok(second) => {
                Some((before.to_owned(), after.to_owned()))
            }
            _ => None,
        };
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_read_as_people_write_it() {
        let now: Zoned = "2026-03-29T12:00:00[Europe/Berlin]".parse().expect("a time");
        for (text, moment) in [
            ("90m", "2026-03-29T08:30:00Z"),
            ("1d", "2026-03-28T10:00:00Z"),
            // The clocks went forward at two.
            ("today", "2026-03-28T23:00:00Z"),
            ("yesterday", "2026-03-27T23:00:00Z"),
            ("2026-03-29", "2026-03-28T23:00:00Z"),
            ("2026-03-29 03:00", "2026-03-29T01:00:00Z"),
            ("2026-03-29T03:00:07", "2026-03-29T01:00:07Z"),
            ("2026-03-29T03:00:00Z", "2026-03-29T03:00:00Z"),
        ] {
            assert_eq!(parse_time(text, &now).expect(text).to_string(), moment, "{text}");
        }
        for text in ["", "soon", "7", "-1d", "2026-02-30", "5 min"] {
            assert_eq!(parse_time(text, &now), None, "{text}");
        }
    }

    #[test]
    fn a_local_time_that_occurs_twice_has_its_zone() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        for (utc, text) in [
            ("2026-10-24T23:59:59Z", "2026-10-25 01:59:59"),
            ("2026-10-25T00:00:00Z", "2026-10-25 02:00:00 CEST"),
            ("2026-10-25T01:00:00Z", "2026-10-25 02:00:00 CET"),
            ("2026-10-25T02:00:00Z", "2026-10-25 03:00:00"),
            ("2026-03-29T01:00:00Z", "2026-03-29 03:00:00"),
        ] {
            let moment = utc.parse().expect("a time");
            assert_eq!(local_in(moment, &zone, "%Y-%m-%d %H:%M:%S"), text);
        }
    }

    #[test]
    fn many_local_times_are_the_same_as_each_alone() {
        for zone in ["CET-1CEST,M3.5.0,M10.5.0/3", "XXX0:44:30", "XXX-5:45"] {
            let zone = TimeZone::posix(zone).expect("a zone");
            let local = |moment| local_in(moment, &zone, "%Y-%m-%d %H:%M:%S");
            let mut times = LocalTimes::default();
            // The clocks are set back at 01:00 UTC, and an earlier time follows a later one.
            let begin: Timestamp = "2026-10-25T00:58:50Z".parse().expect("a time");
            for seconds in (0..150).rev().chain([0, -90_000_000_000]) {
                let moment = begin + SignedDuration::from_secs(seconds);
                assert_eq!(times.text_in(moment, local), local(moment));
            }
        }
    }

    #[test]
    fn durations_are_shown_as_people_read_them() {
        for (milliseconds, text) in [
            (0, "0 s"),
            (42, "0.042 s"),
            (999, "0.999 s"),
            (1_049, "1 s"),
            (1_950, "2 s"),
            (12_345, "12.3 s"),
            (30_000, "30 s"),
            (59_949, "59.9 s"),
            (59_960, "1 min"),
            (61_000, "1 min 1 s"),
            (299_700, "5 min"),
            (300_000, "5 min"),
            (301_000, "5 min 1 s"),
            (3_600_000, "1 h"),
            (3_605_000, "1 h"),
            (5_400_000, "1 h 30 min"),
            (12_000_000, "3 h 20 min"),
            (90_000_000, "1 d 1 h"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn ages_are_in_the_past_or_in_the_future() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        assert_eq!(age(at(0), at(180)), "3 min ago");
        assert_eq!(age(at(180), at(180)), "now");
        assert_eq!(age(at(240), at(180)), "in 1 min");
    }
}
