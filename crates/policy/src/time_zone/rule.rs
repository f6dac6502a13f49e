//! The rules of POSIX for the value of `TZ`: `CET-1CEST,M3.5.0,M10.5.0/3`.

use crate::moment::date;

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// For a rule that names a summer time and does not say when it is: that of the United States, as in the C library.
const DEFAULT_CHANGES: &[u8] = b",M3.2.0,M11.1.0";

/// When the local time changes: a day of the year, and seconds after its midnight.
struct Change {
    day: Day,
    seconds: i64,
}

enum Day {
    /// `J60`: from 1, and 29 February is not counted.
    Julian(i64),
    /// `59`: from 0, and 29 February is counted.
    OfYear(i64),
    /// `M3.5.0`: the month, the week in it (5 is the last one), the day of that week, where 0 is Sunday.
    OfMonth { month: i64, week: i64, weekday: i64 },
}

/// How many seconds the local time is ahead of UTC at `time`; `None` if the text is not a rule.
pub(super) fn offset(text: &[u8], time: i64) -> Option<i64> {
    let mut text = text;
    skip_name(&mut text)?;
    let standard = -read_time(&mut text)?;
    if text.is_empty() {
        return Some(standard);
    }
    skip_name(&mut text)?;
    let summer = match text.first() {
        None | Some(b',') => standard + HOUR,
        Some(_) => -read_time(&mut text)?,
    };
    if text.is_empty() {
        text = DEFAULT_CHANGES;
    }
    let (begin, end) = (read_change(&mut text)?, read_change(&mut text)?);
    if !text.is_empty() {
        return None;
    }
    let (year, ..) = date(u64::try_from((time + standard).max(0) / DAY).ok()?);
    let year = i64::try_from(year).ok()?;
    let (begin, end) = (begin.in_year(year) - standard, end.in_year(year) - summer);
    // South of the equator, the summer includes the turn of the year.
    let is_summer = if begin < end {
        (begin..end).contains(&time)
    } else {
        !(end..begin).contains(&time)
    };
    Some(if is_summer { summer } else { standard })
}

impl Change {
    /// In seconds since 1970-01-01, as if the local time were UTC.
    fn in_year(&self, year: i64) -> i64 {
        let first = day_number(year, 1);
        let day = match self.day {
            Day::OfYear(day) => first + day,
            Day::Julian(day) => first + day - 1 + i64::from(day >= 60 && is_leap_year(year)),
            Day::OfMonth { month, week, weekday } => {
                let (first, next) = (day_number(year, month), day_number(year, month + 1));
                // 1970-01-01 was a Thursday, day 4 of its week.
                let day = first + (weekday - first - 4).rem_euclid(7) + 7 * (week - 1);
                if day < next { day } else { day - 7 }
            }
        };
        day * DAY + self.seconds
    }
}

/// The number of the first day of a month, from 1 to 13, since 1970-01-01.
fn day_number(year: i64, month: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400;
    // The months from March on take turns of 31, 30, 31, 30, 31 days.
    let months = match month {
        1 => 0,
        2 => 31,
        _ => 59 + i64::from(is_leap_year(year)) + (153 * (month - 3) + 2) / 5,
    };
    before * 365 + leap_days + months - 719_162
}

fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// `CET` or `<+0330>`.
fn skip_name(text: &mut &[u8]) -> Option<()> {
    let length = if text.first() == Some(&b'<') {
        text.iter().position(|byte| *byte == b'>')? + 1
    } else {
        text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count()
    };
    *text = &text[length..];
    (length >= 3).then_some(())
}

/// `,M3.5.0` or `,J60/1:30`.
fn read_change(text: &mut &[u8]) -> Option<Change> {
    skip(text, b',').then_some(())?;
    let day = if skip(text, b'J') {
        Day::Julian(read_number(text, 1..=365)?)
    } else if skip(text, b'M') {
        let month = read_number(text, 1..=12)?;
        skip(text, b'.').then_some(())?;
        let week = read_number(text, 1..=5)?;
        skip(text, b'.').then_some(())?;
        let weekday = read_number(text, 0..=6)?;
        Day::OfMonth { month, week, weekday }
    } else {
        Day::OfYear(read_number(text, 0..=365)?)
    };
    let seconds = if skip(text, b'/') { read_time(text)? } else { 2 * HOUR };
    Some(Change { day, seconds })
}

/// `-1`, `+05:30`, `167:59:59`, in seconds.
fn read_time(text: &mut &[u8]) -> Option<i64> {
    let is_negative = skip(text, b'-');
    if !is_negative {
        skip(text, b'+');
    }
    let mut seconds = read_number(text, 0..=167)? * HOUR;
    for unit in [60, 1] {
        if !skip(text, b':') {
            break;
        }
        seconds += read_number(text, 0..=59)? * unit;
    }
    Some(if is_negative { -seconds } else { seconds })
}

fn read_number(text: &mut &[u8], range: core::ops::RangeInclusive<i64>) -> Option<i64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    let number = core::str::from_utf8(number).ok()?.parse().ok()?;
    range.contains(&number).then_some(number)
}

fn skip(text: &mut &[u8], expected: u8) -> bool {
    let found = text.first() == Some(&expected);
    if found {
        *text = &text[1..];
    }
    found
}
