//! Jobs and their schedules.

use crate::Micros;
use claims::{Gap, JobKey, Schedule};
use policy::moment::WallTime;
use policy::tick::TickTime;
use std::time::Duration;

/// Every `period` seconds: as `* * * * *` with a shorter minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periodic {
    /// In seconds; not 0.
    pub period: u64,
    /// The first tick, modulo `period`.
    pub phase: u64,
}

/// How a server's crontab and rcron.conf have a job.
#[derive(Clone, Copy, Debug)]
pub struct JobConfig {
    /// `start_within`.
    pub start_within: Duration,
    /// `rerun`. Not 0 only together with `terminates`.
    pub rerun: u32,
    /// `overlap = skip`.
    pub skips_overlap: bool,
    /// `on_demotion = terminate`.
    pub terminates: bool,
}

/// A job that every server has in its crontab.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name.
    pub key: JobKey,
    /// The index of its cluster.
    pub cluster: usize,
    /// The same on all servers.
    pub schedule: Periodic,
    /// One for each server: they may differ while a configuration is rolled out.
    pub configs: Vec<JobConfig>,
    /// Another scheduler starts rcron, with `--tick`.
    pub names_ticks: bool,
    /// rcrond finds the job in the crontabs, and so knows its schedule.
    pub is_scheduled: bool,
    /// How long the job runs at least and at most.
    pub lasts: (Micros, Micros),
    /// Per mille of runs that leave their process group, so that rcron cannot end them.
    pub escapes: u64,
}

impl Periodic {
    /// The latest tick that is not after `second`.
    #[must_use]
    pub const fn latest(self, second: u64) -> Option<TickTime> {
        match second.checked_sub(self.phase) {
            Some(since) => Some(TickTime(second - since % self.period)),
            None => None,
        }
    }

    /// The tick that an rcron started at `started` means; `None` if it came too late. As `crontab::tick` names them.
    #[must_use]
    pub fn name(self, started: WallTime, start_within: Duration) -> Option<TickTime> {
        let tick = self.latest((started.0 + Duration::from_secs(1)).as_secs())?;
        (started.0 <= tick.wall().0 + start_within).then_some(tick)
    }

    /// All ticks from `first` to `last`.
    pub fn ticks(self, first: TickTime, last: TickTime) -> impl Iterator<Item = TickTime> {
        let aligned = self.latest(first.0).filter(|tick| *tick == first);
        let begin = aligned.unwrap_or_else(|| self.after(first));
        let step = usize::try_from(self.period).unwrap_or(usize::MAX);
        (begin.0..=last.0).step_by(step).map(TickTime)
    }

    /// The first tick after this time.
    #[must_use]
    pub fn after(self, time: TickTime) -> TickTime {
        self.latest(time.0)
            .map_or(TickTime(self.phase), |tick| TickTime(tick.0 + self.period))
    }
}

impl Schedule for Periodic {
    fn gap(&self, after: TickTime, before: TickTime) -> Option<Gap> {
        let first = self.after(after);
        let last = self.latest(before.0.checked_sub(1)?)?;
        let count = last.0.checked_sub(first.0)? / self.period + 1;
        Some(Gap {
            first,
            last,
            count: u32::try_from(count).unwrap_or(u32::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Periodic = Periodic { period: 5, phase: 2 };

    fn at(millis: u64) -> WallTime {
        WallTime(Duration::from_millis(millis))
    }

    #[test]
    fn a_tick_is_named_within_start_within_and_up_to_a_second_early() {
        let within = Duration::from_secs(3);
        for (started, tick) in [
            (5999, None),
            (6000, Some(7)),
            (7000, Some(7)),
            (10_000, Some(7)),
            (10_001, None),
        ] {
            assert_eq!(SCHEDULE.name(at(started), within), tick.map(TickTime), "{started}");
        }
    }

    #[test]
    fn a_gap_has_the_ticks_between() {
        let gap = |after, before| {
            let gap = SCHEDULE.gap(TickTime(after), TickTime(before));
            gap.map(|gap| (gap.first.0, gap.last.0, gap.count))
        };
        assert_eq!(gap(7, 22), Some((12, 17, 2)));
        assert_eq!(gap(8, 23), Some((12, 22, 3)));
        assert_eq!(gap(0, 3), Some((2, 2, 1)));
        assert_eq!(gap(7, 12), None);
        assert_eq!(gap(0, 2), None);
        let ticks = SCHEDULE.ticks(TickTime(8), TickTime(22)).map(|tick| tick.0);
        assert_eq!(ticks.collect::<Vec<_>>(), [12, 17, 22]);
    }
}
