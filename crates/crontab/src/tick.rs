//! Ticks: the minutes for which cron starts a job, and the tick that a start of the job belongs to.
//!
//! Debian's cron and cronie count local minutes, and catch up or wait when the local clock jumps by at most three hours, as it does
//! at the beginning and end of summer time: docs/design/ticks-naming.md. A job with `*` for its minute or hour follows the clock.
//! A job at a fixed time that is skipped runs right after the jump, and one whose time comes a second time does not run again.
//!
//! Each search takes time in proportion to the days that it covers, and covers at most [`LONGEST_SEARCH`].

mod calendar;
mod period;
mod time;

use crate::schedule::{Schedule, Times};
use core::time::Duration;
use policy::moment::WallTime;
use policy::time_zone;

pub use period::longest_gap;
pub use time::{LATEST, TickMinute};

/// In days. The longest time between two ticks of a job is 40 years: 29 February on a certain weekday, around the year 2100.
pub const LONGEST_SEARCH: i64 = 41 * 366;
/// A job is started by a cron whose clock is up to this much behind ours.
pub const EARLY: Duration = Duration::from_secs(1);
/// `start_within` if it is not configured, unless the next tick comes before.
pub const LONGEST_DEFAULT: Duration = Duration::from_secs(300);
/// In minutes. cron takes a larger jump for a correction of the clock, which all jobs follow.
const LARGEST_JUMP: i64 = 180;
const DAY: i64 = 1440;

/// A time zone.
pub trait TimeZone {
    /// How many seconds local time is ahead of UTC, at a time in seconds since 1970-01-01 UTC.
    fn offset(&self, utc: i64) -> i64;
}

impl TimeZone for time_zone::Zone {
    fn offset(&self, utc: i64) -> i64 {
        self.offset(utc)
    }
}

/// The ticks of a job.
///
/// A zone that changes twice within 27 hours is followed only roughly; no real one does.
#[derive(Clone, Copy, Debug)]
pub struct Ticks<'z, Z> {
    times: Times,
    /// cron's own.
    system: &'z Z,
    /// The job's own: cronie's `CRON_TZ`. cronie makes no allowance for its changes.
    own: Option<&'z Z>,
}

/// Why the ticks of a job are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmodelled {
    /// `@reboot`: it has no ticks.
    Reboot,
    /// cronie chooses the time when it reads the crontab: `~`.
    RandomTime,
    /// cronie delays each start at random: `RANDOM_DELAY`.
    RandomDelay,
    /// The time zone of the job is not one of the system's: cronie's `CRON_TZ`.
    UnknownZone,
    /// The rules of the installed cron are not known.
    OtherCron,
}

/// When local time jumped.
#[derive(Clone, Copy)]
struct Change {
    /// The first minute with the new offset.
    at: i64,
    /// In minutes: positive in spring.
    by: i64,
}

impl<'z, Z: TimeZone> Ticks<'z, Z> {
    /// The ticks of a schedule. `system` is the zone of cron itself, `own` that of the job, if it has another one.
    ///
    /// # Errors
    /// [`Unmodelled`].
    pub fn new(schedule: &Schedule, system: &'z Z, own: Option<&'z Z>) -> Result<Self, Unmodelled> {
        match schedule {
            Schedule::Reboot => Err(Unmodelled::Reboot),
            Schedule::Times(times) if times.is_random => Err(Unmodelled::RandomTime),
            Schedule::Times(times) => Ok(Self {
                times: *times,
                system,
                own,
            }),
        }
    }

    /// The tick that a start belongs to: the latest one that is not after it by more than a second, and not before it by more than
    /// `start_within`. `None` if the start is too late for every tick.
    pub fn name(&self, start: WallTime, start_within: Duration) -> Option<TickMinute> {
        let latest = TickMinute::containing(WallTime(start.0.saturating_add(EARLY)));
        let earliest = TickMinute::not_before(WallTime(start.0.saturating_sub(start_within)));
        self.last(earliest.minutes(), latest.minutes() + 1)
    }

    /// The latest tick that is not after `limit` and not before `earliest`.
    pub fn latest(&self, earliest: TickMinute, limit: TickMinute) -> Option<TickMinute> {
        self.last(earliest.minutes(), limit.minutes() + 1)
    }

    /// The first tick after `time`, if it is not after `limit`.
    pub fn next(&self, time: TickMinute, limit: TickMinute) -> Option<TickMinute> {
        self.first(time.minutes() + 1, limit.minutes() + 1)
    }

    /// The ticks after `time` up to and including `limit`, in their order. There may be one for each minute: take as many as are
    /// wanted.
    pub fn between(&self, time: TickMinute, limit: TickMinute) -> impl Iterator<Item = TickMinute> + use<'z, Z> {
        let (ticks, mut time) = (
            Self {
                times: self.times,
                system: self.system,
                own: self.own,
            },
            time,
        );
        core::iter::from_fn(move || {
            time = ticks.next(time, limit)?;
            Some(time)
        })
    }

    /// `start_within` of a tick if it is not configured: until the next tick, but at most [`LONGEST_DEFAULT`]. `rcron --tick` can name
    /// one that does not begin a minute.
    pub fn default_start_within(&self, tick: WallTime) -> Duration {
        let limit = TickMinute::containing(WallTime(tick.0.saturating_add(LONGEST_DEFAULT)));
        let next = self.next(TickMinute::containing(tick), limit);
        next.map_or(LONGEST_DEFAULT, |next| next.wall_time().0.saturating_sub(tick.0))
    }

    /// The first tick from `from` on and before `end`, both in minutes.
    fn first(&self, from: i64, end: i64) -> Option<TickMinute> {
        let end = end.min(from.saturating_add(LONGEST_SEARCH * DAY));
        let mut days = from.div_euclid(DAY)..=(end - 1).div_euclid(DAY);
        days.find_map(|day| {
            let (from, end) = (from.max(day * DAY), end.min((day + 1) * DAY));
            let plain = self.stretches(day).into_iter().flatten();
            let plain = plain
                .filter_map(|stretch| stretch.clipped(from, end).first(&self.times))
                .min();
            let jump = self.jump(day).filter(|at| (from..end).contains(at));
            plain.into_iter().chain(jump).min()
        })
        .map(TickMinute::of_minutes)
    }

    /// The last tick from `from` on and before `end`, both in minutes.
    fn last(&self, from: i64, end: i64) -> Option<TickMinute> {
        let from = from.max(end.saturating_sub(LONGEST_SEARCH * DAY));
        let days = from.div_euclid(DAY)..=(end - 1).div_euclid(DAY);
        days.rev()
            .find_map(|day| {
                let (from, end) = (from.max(day * DAY), end.min((day + 1) * DAY));
                let plain = self.stretches(day).into_iter().flatten();
                let plain = plain
                    .filter_map(|stretch| stretch.clipped(from, end).last(&self.times))
                    .max();
                let jump = self.jump(day).filter(|at| (from..end).contains(at));
                plain.into_iter().chain(jump).max()
            })
            .map(TickMinute::of_minutes)
    }

    /// The parts of a day of UTC in which the job runs at the minutes that match.
    fn stretches(&self, day: i64) -> [Option<calendar::Stretch>; 4] {
        let (from, end) = (day * DAY, (day + 1) * DAY);
        let zone = self.own.unwrap_or(self.system);
        let change = change(zone, from, end).map_or(end, |change| change.at);
        let halves = [(from, change), (change, end)];
        let repeated = self.repeated(from, end).unwrap_or((end, end));
        let mut stretches = [None; 4];
        let parts = halves
            .into_iter()
            .flat_map(|(from, end)| [(from, end.min(repeated.0)), (from.max(repeated.1), end)]);
        for (stretch, (from, end)) in stretches.iter_mut().zip(parts) {
            *stretch = (from < end).then(|| calendar::Stretch {
                from,
                end,
                offset: offset(zone, from),
            });
        }
        stretches
    }

    /// The minutes that are the second ones of their local time, in which cron runs no job of a fixed time.
    fn repeated(&self, from: i64, end: i64) -> Option<(i64, i64)> {
        let change = change(self.system, from - LARGEST_JUMP, end)?;
        let is_meant = self.has_fixed_time() && (-LARGEST_JUMP..0).contains(&change.by);
        is_meant.then_some((change.at, change.at - change.by))
    }

    /// The minute of this day of UTC at which cron runs the job because it has skipped its fixed time.
    fn jump(&self, day: i64) -> Option<i64> {
        if self.own.is_some() || !self.has_fixed_time() {
            return None;
        }
        let change = change(self.system, day * DAY, (day + 1) * DAY)?;
        // cron's own limit includes the minute of the jump.
        let is_meant = (1..LARGEST_JUMP).contains(&change.by);
        let skipped = calendar::Stretch {
            from: change.at - change.by,
            end: change.at,
            offset: offset(self.system, change.at),
        };
        (is_meant && skipped.first(&self.times).is_some()).then_some(change.at)
    }

    fn has_fixed_time(&self) -> bool {
        !self.times.stars.minute && !self.times.stars.hour
    }
}

/// In minutes.
fn offset(zone: &impl TimeZone, minute: i64) -> i64 {
    zone.offset(minute.saturating_mul(60)).div_euclid(60)
}

/// The change of a zone between two minutes: the first minute with the offset of the last one.
fn change(zone: &impl TimeZone, from: i64, end: i64) -> Option<Change> {
    let (old, new) = (offset(zone, from), offset(zone, end - 1));
    if old == new {
        return None;
    }
    let (mut before, mut at) = (from, end - 1);
    while before + 1 < at {
        let middle = before + (at - before) / 2;
        if offset(zone, middle) == old {
            before = middle;
        } else {
            at = middle;
        }
    }
    Some(Change { at, by: new - old })
}

#[cfg(test)]
mod tests;
