//! What the crontabs say about each job.

use crate::name::JobName;
use crontab::schedule::{Schedule, Times};
use crontab::tick::longest_gap;
use jobs::{JobLine, Jobs};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The jobs in the crontabs.
#[derive(Debug, Default)]
pub struct CrontabJobs {
    /// By user and name.
    jobs: HashMap<(u32, JobName), CrontabJob>,
    /// Those of a configuration that cannot be read, so that their cluster is not known, by user and name.
    unsettled: HashMap<(u32, String), CrontabJob>,
    /// Calls of rcron without `--job`.
    pub(crate) unnamed: usize,
}

/// A job of a crontab.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrontabJob {
    /// Whether it is in a system crontab, which only root can write.
    pub(crate) is_system: bool,
    /// Whether rcrond grants its ticks.
    pub(crate) once_per_tick: bool,
    /// Of its lines whose times are known.
    schedules: Vec<Times>,
    /// Computed when it is first wanted: for some schedules, 28 years are looked at.
    period: OnceLock<Option<Duration>>,
}

impl CrontabJobs {
    /// The jobs of these clusters.
    #[must_use]
    pub fn new(jobs: &Jobs, clusters: &[String]) -> Self {
        let mut found = Self::default();
        let clusters: Vec<Arc<str>> = clusters.iter().map(|cluster| Arc::from(cluster.as_str())).collect();
        for line in jobs.lines().iter().filter(|line| !line.is_dry_run) {
            let name = |config: &policy::config::Config| {
                let is_its = |cluster: &&Arc<str>| cluster.as_bytes() == config.cluster_name;
                clusters.iter().find(is_its)
            };
            let cluster = line.config.as_ref().map(|config| name(config));
            let is_shown = !matches!(cluster, Ok(None));
            let (Some(job), Some(uid)) = (line.name.as_deref(), line.uid) else {
                found.unnamed += usize::from(line.name.is_none() && is_shown);
                continue;
            };
            let Ok(job) = std::str::from_utf8(job) else { continue };
            let entry = match cluster {
                Ok(None) => continue,
                Ok(Some(cluster)) => match JobName::new(cluster, job) {
                    Some(name) => found.jobs.entry((uid, name)).or_default(),
                    None => continue,
                },
                Err(_) => found.unsettled.entry((uid, job.to_owned())).or_default(),
            };
            entry.add(line, jobs);
        }
        found
    }

    /// What the crontabs say about a job of this user.
    pub(crate) fn find(&self, uid: u32, name: &JobName) -> Option<&CrontabJob> {
        self.jobs.get(&(uid, name.clone())).or_else(|| {
            let key = (uid, name.job.to_string());
            self.unsettled.get(&key)
        })
    }

    /// The jobs whose cluster is known, with their users.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &JobName)> {
        self.jobs.keys().map(|(uid, name)| (*uid, name))
    }
}

impl CrontabJob {
    fn add(&mut self, line: &JobLine, jobs: &Jobs) {
        self.is_system |= line.file.starts_with("/etc");
        self.once_per_tick |= line.config.as_ref().is_ok_and(|config| config.once_per_tick);
        if let (Schedule::Times(times), Ok(_)) = (&line.schedule, line.ticks(jobs.system_zone())) {
            self.schedules.push(*times);
        }
    }

    /// The longest time between two ticks. Of several lines, the one that runs most often counts.
    pub(crate) fn period(&self) -> Option<Duration> {
        *self
            .period
            .get_or_init(|| self.schedules.iter().filter_map(longest_gap).min())
    }
}

#[cfg(test)]
pub(crate) mod tests;
