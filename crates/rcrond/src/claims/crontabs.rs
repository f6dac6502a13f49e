//! The jobs of this server's crontabs, as far as claims need them.

use claims::{JobKey, Schedule};
use policy::moment::WallTime;
use policy::tick::TickTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// When a line runs.
pub(crate) trait Ticks: Schedule {
    /// The latest tick that is not before `earliest` and not after `limit`.
    fn latest(&self, earliest: TickTime, limit: TickTime) -> Option<TickTime>;

    /// The first tick that is later than `after` and not later than `limit`.
    fn next(&self, after: TickTime, limit: TickTime) -> Option<TickTime>;

    /// The same object for the machine.
    fn as_schedule(self: Arc<Self>) -> Arc<dyn Schedule>;
}

/// What the crontabs say about a job.
#[derive(Clone, Debug)]
pub(crate) enum Lines {
    /// One line has the name.
    One(JobLine),
    /// Several lines of the user have the name.
    Several,
}

/// A line that runs rcron with a name.
#[derive(Clone, Debug)]
pub(crate) struct JobLine {
    pub(crate) schedule: LineSchedule,
    /// `start_within` of the line's own configuration.
    pub(crate) start_within: Option<Duration>,
    /// Whether the line is subject to `once_per_tick`.
    pub(crate) once_per_tick: bool,
    /// The schedule as in the crontab.
    pub(crate) text: String,
    /// The time zone that cron uses for the line.
    pub(crate) zone: String,
    /// When its crontab or its configuration was last changed: earlier ticks may not have been meant to start.
    pub(crate) changed: WallTime,
}

/// When a line runs, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) enum LineSchedule {
    Known(Arc<dyn Ticks>),
    /// cron does not say when: `~`, `RANDOM_DELAY`.
    Unknown,
    /// `@reboot`
    Reboot,
}

/// All jobs with a name, as they were read together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crontabs {
    pub(crate) jobs: BTreeMap<JobKey, Lines>,
    /// Lines whose configuration cannot be read, by user and name: their cluster is not known.
    pub(crate) unsettled: BTreeMap<(String, String), Lines>,
}

impl Crontabs {
    /// What the crontabs say about a job; `None` if they do not have it.
    pub(crate) fn find(&self, job: &JobKey) -> Option<&Lines> {
        let unsettled = self.unsettled.get(&(job.user.to_string(), job.job.to_string()));
        match (self.jobs.get(job), unsettled) {
            (Some(_), Some(_)) => Some(&Lines::Several),
            (Some(lines), None) | (None, Some(lines)) => Some(lines),
            (None, None) => None,
        }
    }

    /// The jobs that are subject to `once_per_tick` and whose ticks are known.
    pub(crate) fn once_per_tick(&self) -> impl Iterator<Item = (&JobKey, &JobLine, &Arc<dyn Ticks>)> {
        self.jobs.iter().filter_map(|(job, lines)| match lines {
            Lines::One(
                line @ JobLine {
                    once_per_tick: true,
                    schedule: LineSchedule::Known(ticks),
                    ..
                },
            ) => Some((job, line, ticks)),
            Lines::One(_) | Lines::Several => None,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use claims::Gap;

    /// Ticks every so many seconds.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Every(pub(crate) u64);

    impl Schedule for Every {
        fn gap(&self, after: TickTime, before: TickTime) -> Option<Gap> {
            let first = TickTime((after.0 / self.0 + 1) * self.0);
            let last = TickTime(before.0.checked_sub(1)? / self.0 * self.0);
            let count = last.0.checked_sub(first.0)? / self.0 + 1;
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            Some(Gap { first, last, count })
        }
    }

    impl Ticks for Every {
        fn latest(&self, earliest: TickTime, limit: TickTime) -> Option<TickTime> {
            Some(TickTime(limit.0 / self.0 * self.0)).filter(|tick| *tick >= earliest)
        }

        fn next(&self, after: TickTime, limit: TickTime) -> Option<TickTime> {
            Some(TickTime((after.0 / self.0 + 1) * self.0)).filter(|tick| *tick <= limit)
        }

        fn as_schedule(self: Arc<Self>) -> Arc<dyn Schedule> {
            self
        }
    }

    pub(crate) fn line(schedule: LineSchedule) -> JobLine {
        JobLine {
            schedule,
            start_within: None,
            once_per_tick: true,
            text: "* * * * *".to_owned(),
            zone: "UTC".to_owned(),
            changed: WallTime(Duration::ZERO),
        }
    }

    pub(crate) fn every(seconds: u64) -> JobLine {
        line(LineSchedule::Known(Arc::new(Every(seconds))))
    }
}
