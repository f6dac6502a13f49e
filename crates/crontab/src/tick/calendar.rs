//! Which minutes of a stretch of time match a schedule.

use super::DAY;
use crate::schedule::{Minute, Times};
use policy::moment::date;

/// Minutes of UTC with one offset of local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    /// The first minute after it.
    pub(super) end: i64,
    /// How many minutes local time is ahead of UTC.
    pub(super) offset: i64,
}

impl Stretch {
    pub(super) fn clipped(self, from: i64, end: i64) -> Self {
        Self {
            from: self.from.max(from),
            end: self.end.min(end),
            ..self
        }
    }

    /// The first minute of it that matches.
    pub(super) fn first(self, times: &Times) -> Option<i64> {
        let (from, end) = (self.from + self.offset, self.end + self.offset);
        let mut days = from.div_euclid(DAY)..=(end - 1).div_euclid(DAY);
        days.find_map(|day| {
            let start = day * DAY;
            let time = times.first_time((from - start).max(0)).filter(|_| is_day(times, day))?;
            (start + time < end).then_some(start + time - self.offset)
        })
    }

    /// The last minute of it that matches.
    pub(super) fn last(self, times: &Times) -> Option<i64> {
        let (from, end) = (self.from + self.offset, self.end + self.offset);
        let days = from.div_euclid(DAY)..=(end - 1).div_euclid(DAY);
        days.rev().find_map(|day| {
            let start = day * DAY;
            let time = times
                .last_time((end - 1 - start).min(DAY - 1))
                .filter(|_| is_day(times, day))?;
            (start + time >= from).then_some(start + time - self.offset)
        })
    }
}

pub(super) fn is_day(times: &Times, day: i64) -> bool {
    let (_, month, of_month) = date(u64::try_from(day).unwrap_or_default());
    let small = |number: u64| u8::try_from(number).unwrap_or_default();
    times.match_day(Minute {
        minute: 0,
        hour: 0,
        day: small(of_month),
        month: small(month),
        // 1970-01-01 was a Thursday.
        weekday: u8::try_from((day + 4).rem_euclid(7)).unwrap_or_default(),
    })
}

/// Times of a day are in minutes since its midnight.
impl Times {
    pub(super) fn first_time(&self, from: i64) -> Option<i64> {
        let (hour, minute) = split(from)?;
        let in_hour = self.minutes.first_from(minute).filter(|_| self.hours.contains(hour));
        let later = || Some((self.hours.first_from(hour + 1)?, self.minutes.first_from(0)?));
        let (hour, minute) = in_hour.map(|minute| (hour, minute)).or_else(later)?;
        Some(i64::from(hour) * 60 + i64::from(minute))
    }

    pub(super) fn last_time(&self, to: i64) -> Option<i64> {
        let (hour, minute) = split(to)?;
        let in_hour = self.minutes.last_to(minute).filter(|_| self.hours.contains(hour));
        let earlier = || Some((self.hours.last_to(hour.checked_sub(1)?)?, self.minutes.last_to(59)?));
        let (hour, minute) = in_hour.map(|minute| (hour, minute)).or_else(earlier)?;
        Some(i64::from(hour) * 60 + i64::from(minute))
    }
}

/// Hour and minute.
fn split(time: i64) -> Option<(u8, u8)> {
    Some((u8::try_from(time / 60).ok()?, u8::try_from(time % 60).ok()?))
}
