//! The jobs of this server's crontabs, as far as claims need them.

use super::line_ticks::LineTicks;
use claims::JobKey;
use policy::moment::WallTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
    /// 16 bits of a hash of the command.
    pub(crate) command_hash: u16,
    /// When its crontab or its configuration was last changed: earlier ticks may not have been meant to start.
    pub(crate) changed: WallTime,
}

/// When a line runs, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) enum LineSchedule {
    Known(Arc<LineTicks>),
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
    pub(crate) fn once_per_tick(&self) -> impl Iterator<Item = (&JobKey, &JobLine, &Arc<LineTicks>)> {
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
    use crate::claims::line_ticks::tests::ticks;

    pub(crate) fn line(schedule: LineSchedule) -> JobLine {
        JobLine {
            schedule,
            start_within: None,
            once_per_tick: true,
            text: "* * * * *".to_owned(),
            zone: "UTC".to_owned(),
            command_hash: 7,
            changed: WallTime(Duration::ZERO),
        }
    }

    /// Runs as this schedule says, in UTC.
    pub(crate) fn scheduled(schedule: &str) -> JobLine {
        line(LineSchedule::Known(Arc::new(ticks(schedule))))
    }
}
