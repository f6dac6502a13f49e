//! How far apart the ticks of a schedule are.

use super::DAY;
use super::calendar::is_day;
use crate::schedule::Times;
use core::iter::successors;
use core::time::Duration;

/// 2001-01-01, in days since 1970: from here on, the calendar repeats for a century.
const FIRST_DAY: i64 = 11_323;
/// In days: 28 years. Then, each date has the same weekday again.
const CYCLE: i64 = 10_227;

/// The longest time between two ticks, on a clock that never jumps; `None` if there are not always further ticks, or if cron chooses
/// their times itself.
///
/// Days without 29 February, such as in the year 2100, are not considered.
#[must_use]
pub fn longest_gap(times: &Times) -> Option<Duration> {
    let (first, last) = (times.first_time(0)?, times.last_time(DAY - 1)?);
    let over_night = longest_gap_of_days(times)? * DAY - last + first;
    let later = successors(Some(first), |time| times.first_time(time + 1));
    let gaps = later.map_while(|time| Some(times.first_time(time + 1)? - time));
    let longest = gaps.max().unwrap_or_default().max(over_night);
    let minutes = u64::try_from(longest).ok().filter(|_| !times.is_random)?;
    Some(Duration::from_secs(minutes * 60))
}

/// The longest time between two days of a schedule, in days.
fn longest_gap_of_days(times: &Times) -> Option<i64> {
    let is_day = |day: &i64| is_day(times, FIRST_DAY + day.rem_euclid(CYCLE));
    let first = (0..CYCLE).find(is_day)?;
    let (_, longest) = (first + 1..=first + CYCLE)
        .filter(is_day)
        .fold((first, 0), |(before, longest), day| (day, longest.max(day - before)));
    Some(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Dialect, Schedule};
    use crate::tick::{TickMinute, Ticks};
    use alloc::vec::Vec;
    use policy::time_zone::Zone;
    use proptest::prelude::*;

    const HOUR: u64 = 60;
    const DAY: u64 = 24 * HOUR;

    fn times(text: &str) -> Times {
        let fields: Vec<(&[u8], usize)> = text.split(' ').map(|field| (field.as_bytes(), 0)).collect();
        Times::parse(fields.try_into().expect("five fields"), Dialect::Cronie).expect("a schedule")
    }

    fn minutes(text: &str) -> Option<u64> {
        longest_gap(&times(text)).map(|gap| gap.as_secs() / 60)
    }

    #[test]
    fn schedules_have_a_longest_gap() {
        for (text, expected) in [
            ("* * * * *", Some(1)),
            ("*/5 * * * *", Some(5)),
            ("*/7 * * * *", Some(7)),
            ("0,50 * * * *", Some(50)),
            ("15 * * * *", Some(HOUR)),
            ("*/10 9-17 * * *", Some(15 * HOUR + 10)),
            ("0 3 * * *", Some(DAY)),
            ("0 9,17 * * mon-fri", Some(2 * DAY + 16 * HOUR)),
            ("0 3 * * 1", Some(7 * DAY)),
            ("0 3 1 * *", Some(31 * DAY)),
            ("0 3 31 * *", Some(61 * DAY)),
            ("0 3 1 1 *", Some(366 * DAY)),
            ("0 3 29 2 *", Some(1461 * DAY)),
            // Debian's cron and cronie: with a star, both days must match.
            ("0 3 29 2 */7", Some(10_227 * DAY)),
            ("0 3 1 * 1", Some(7 * DAY)),
            ("0 3 31 2 *", None),
            ("5-1 * * * *", None),
            ("0~59 * * * *", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_is_the_longest_of_all(
            minute in "[1-5]?[0-9](,[1-5][0-9])?|\\*/[1-9]",
            hour in "\\*|1?[0-9](,2[0-3])?",
            weekday in "\\*|[0-6](,[0-6])?",
        ) {
            let text = alloc::format!("{minute} {hour} * * {weekday}");
            let schedule = Schedule::Times(times(&text));
            let ticks = Ticks::new(&schedule, &Zone::Utc, None).expect("modelled");
            let from = TickMinute::of_minutes(30_000_000);
            let found: Vec<i64> = ticks
                .between(from, from.plus_minutes(21 * 1440))
                .map(TickMinute::minutes)
                .collect();
            let longest = found.windows(2).map(|pair| pair[1] - pair[0]).max();
            prop_assert_eq!(minutes(&text).map(i64::try_from), longest.map(Ok));
        }
    }
}
