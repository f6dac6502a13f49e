//! Times and spans, as people write and read them.

use crate::failure::Failure;
use inputs::clock;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use policy::duration;
use std::time::Duration;

/// Reads a moment: a span back from now (`90m`, `12h`, `7d`), `today`, `yesterday`, a local date, or a local date and time.
pub(crate) fn parse(text: &str, now: &Zoned) -> Result<Timestamp, Failure> {
    if let Ok(span) = duration::parse(text.as_bytes()) {
        return now.timestamp().checked_sub(span).map_err(|_| refuse(text));
    }
    let midnight = |date: Date| date.to_zoned(now.time_zone().clone()).map(|zoned| zoned.timestamp());
    let found = match text {
        "today" => midnight(now.date()),
        "yesterday" => now.date().checked_sub(1.day()).and_then(midnight),
        _ => match (text.parse::<Timestamp>(), text.parse::<DateTime>()) {
            (Ok(moment), _) => Ok(moment),
            (_, Ok(local)) => now.time_zone().to_zoned(local).map(|zoned| zoned.timestamp()),
            (_, Err(error)) => Err(error),
        },
    };
    found.map_err(|_| refuse(text))
}

fn refuse(text: &str) -> Failure {
    Failure::new(format!(
        "`{text}` is no time: write a span back from now (90m, 12h, 7d), today, yesterday, 2026-11-23 or '2026-11-23 03:00'"
    ))
}

/// Now in UTC to the second, as `since=` has it: `2026-11-23T09:15:02Z`.
pub(crate) fn utc() -> String {
    clock::wall_time().rfc3339_seconds()
}

/// Local date and time.
pub(crate) fn local(moment: Timestamp) -> String {
    moment
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// How long before `now`: `3 min ago`.
pub(crate) fn age(moment: Timestamp, now: Timestamp) -> String {
    match Duration::try_from(now.duration_since(moment)) {
        Ok(passed) if passed < Duration::from_secs(1) => "now".to_owned(),
        Ok(passed) => format!("{} ago", span(passed)),
        Err(_) => format!("in {}", span(now.duration_since(moment).unsigned_abs())),
    }
}

/// A span with as much precision as one reads: `0.042 s`, `12.3 s`, `5 min`, `3 h 20 min`, `2 d 4 h`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let pair = |large: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {smaller}"),
    };
    match seconds {
        0 => format!("{:.3} s", span.as_secs_f64()),
        1..60 => format!("{:.1} s", span.as_secs_f64()),
        60..3_600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_as_people_write_them() {
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
            assert_eq!(parse(text, &now).expect(text).to_string(), moment, "{text}");
        }
        for text in ["", "soon", "7", "-1d", "2026-02-30", "5 min"] {
            assert!(parse(text, &now).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_as_people_read_them() {
        for (milliseconds, text) in [
            (42, "0.042 s"),
            (12_345, "12.3 s"),
            (300_000, "5 min"),
            (301_000, "5 min 1 s"),
            (12_000_000, "3 h 20 min"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn ages_go_both_ways() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        assert_eq!(age(at(0), at(180)), "3 min ago");
        assert_eq!(age(at(180), at(180)), "now");
        assert_eq!(age(at(240), at(180)), "in 1 min");
    }
}
