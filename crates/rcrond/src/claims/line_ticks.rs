//! The ticks of a line of a crontab. `crontab` has the rules; here they count seconds, and own what they depend on.

use ::crontab::schedule::Schedule as Times;
use ::crontab::tick::{LONGEST_DEFAULT, TickMinute as Minute, Ticks, Unmodelled};
use claims::{Gap, Schedule};
use policy::moment::WallTime;
use policy::tick::TickTime;
use policy::time_zone::Zone;
use std::sync::Arc;
use std::time::Duration;

/// How many ticks of a gap are counted. With more, the number is "this many or more".
const MOST_COUNTED: usize = 3000;

/// When a line runs.
#[derive(Clone, Debug)]
pub(crate) struct LineTicks {
    times: Times,
    /// cron's own zone.
    system: Arc<Zone>,
    /// The line's own.
    own: Option<Arc<Zone>>,
}

impl LineTicks {
    /// The ticks of a line. `system` is cron's own zone.
    ///
    /// # Errors
    /// [`Unmodelled`].
    pub(super) fn new(line: &jobs::JobLine, system: &Arc<Zone>) -> Result<Self, Unmodelled> {
        line.ticks(system)?;
        Ok(Self {
            times: line.schedule,
            system: Arc::clone(system),
            own: line.own_zone.clone(),
        })
    }

    /// `None` if the line has none, which [`Self::new`] rejects.
    fn ticks(&self) -> Option<Ticks<'_, Zone>> {
        Ticks::new(&self.times, &*self.system, self.own.as_deref()).ok()
    }

    /// The tick that a start of the job belongs to; `None` if there is none within `start_within`.
    pub(super) fn name(&self, start: WallTime, start_within: Duration) -> Option<TickTime> {
        self.ticks()?.name(start, start_within).map(tick)
    }

    /// `start_within` of a tick if it is not configured.
    pub(super) fn default_start_within(&self, tick: TickTime) -> Duration {
        self.ticks()
            .map_or(LONGEST_DEFAULT, |ticks| ticks.default_start_within(tick.wall()))
    }

    /// The latest tick that is not before `earliest` and not after `limit`.
    pub(super) fn latest(&self, earliest: TickTime, limit: TickTime) -> Option<TickTime> {
        let (earliest, limit) = (Minute::not_before(earliest.wall()), Minute::containing(limit.wall()));
        if limit < earliest {
            return None;
        }
        self.ticks()?.latest(earliest, limit).map(tick)
    }

    /// The first tick that is later than `after` and not later than `limit`.
    pub(super) fn next(&self, after: TickTime, limit: TickTime) -> Option<TickTime> {
        let (after, limit) = (Minute::containing(after.wall()), Minute::containing(limit.wall()));
        self.ticks()?.next(after, limit).map(tick)
    }
}

impl Schedule for LineTicks {
    fn gap(&self, after: TickTime, before: TickTime) -> Option<Gap> {
        let ticks = self.ticks()?;
        let limit = Minute::not_before(before.wall()).plus_minutes(-1);
        let from = Minute::containing(after.wall());
        if limit <= from {
            return None;
        }
        let mut missed = ticks.between(from, limit).take(MOST_COUNTED);
        let first = missed.next()?;
        let last = ticks.latest(first, limit)?;
        let count = 1 + missed.count();
        let count = if count == MOST_COUNTED {
            u32::MAX
        } else {
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        Some(Gap {
            first: tick(first),
            last: tick(last),
            count,
        })
    }
}

fn tick(minute: Minute) -> TickTime {
    TickTime(minute.seconds())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ::crontab::schedule::Dialect;
    use ::crontab::{Crontab, Kind};

    /// The ticks of a schedule in UTC.
    pub(crate) fn ticks(schedule: &str) -> LineTicks {
        let line = format!("{schedule} root true\n");
        let crontab = Crontab::parse(line.as_bytes(), Kind::System, Dialect::Debian);
        LineTicks {
            times: crontab.entries[0].when.expect("a schedule"),
            system: Arc::new(Zone::Utc),
            own: None,
        }
    }

    #[test]
    fn are_found_in_spans_of_seconds() {
        let ticks = ticks("0 3 * * *");
        let day = 86_400;
        let (noon, three) = (TickTime(20_000 * day + day / 2), TickTime(20_000 * day + 3 * 3600));
        assert_eq!(ticks.latest(TickTime(0), noon), Some(three));
        assert_eq!(ticks.latest(three, three), Some(three));
        assert_eq!(ticks.latest(TickTime(three.0 + 1), noon), None);
        assert_eq!(ticks.next(three, noon), None);
        assert_eq!(ticks.next(noon, TickTime(u64::MAX)), Some(TickTime(three.0 + day)));
    }

    #[test]
    fn those_of_a_gap_are_counted_up_to_a_limit() {
        let ticks = ticks("0 3 * * *");
        let day = 86_400;
        let three = TickTime(20_000 * day + 3 * 3600);
        let gap = ticks.gap(three, TickTime(three.0 + 3 * day)).expect("a gap");
        assert_eq!(
            (gap.first.0, gap.last.0, gap.count),
            (three.0 + day, three.0 + 2 * day, 2)
        );
        assert_eq!(ticks.gap(three, TickTime(three.0 + day)), None);
        assert_eq!(ticks.gap(three, three), None);
        assert_eq!(ticks.gap(TickTime(0), three).map(|gap| gap.count), Some(u32::MAX));
    }
}
