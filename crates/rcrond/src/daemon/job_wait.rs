//! A drain that waits for running jobs.

use crate::files::running_jobs::{JobsUnknown, RunningJobs};
use policy::moment::BootTime;
use std::time::Duration;

/// rcron records a run right after its start. This long after the state file has stopped starting jobs, the journal has a record
/// of each job that was started before.
const RECORD_DELAY: Duration = Duration::from_secs(2);

pub(super) struct JobWait {
    /// When the wait ends even if jobs still run.
    until: BootTime,
    /// When the count that is in progress was begun.
    counting_since: Option<BootTime>,
    /// When the last count that has ended was begun.
    counted_at: Option<BootTime>,
    /// The result of the last count.
    pub(super) jobs: Result<RunningJobs, JobsUnknown>,
}

impl JobWait {
    pub(super) const fn new(until: BootTime) -> Self {
        Self {
            until,
            counting_since: None,
            counted_at: None,
            jobs: Err(JobsUnknown::NotCounted),
        }
    }

    /// Whether a count must be begun now, which is then in progress.
    pub(super) fn begin_count(&mut self, now: BootTime) -> bool {
        let is_idle = self.counting_since.is_none();
        self.counting_since = self.counting_since.or(Some(now));
        is_idle
    }

    pub(super) fn end_count(&mut self, jobs: Result<RunningJobs, JobsUnknown>) {
        self.counted_at = self.counting_since.take();
        self.jobs = jobs;
    }

    pub(super) fn is_none_known_to_run(&self) -> bool {
        self.jobs.as_ref().is_ok_and(|jobs| jobs.count == 0)
    }

    /// `no_starts_since` is when the state file has stopped starting jobs.
    pub(super) fn is_over(&self, no_starts_since: Option<BootTime>, now: BootTime) -> bool {
        self.until <= now || no_starts_since.is_some_and(|since| self.have_jobs_ended(since))
    }

    fn have_jobs_ended(&self, no_starts_since: BootTime) -> bool {
        let is_complete = self
            .counted_at
            .is_some_and(|at| at >= no_starts_since.after(RECORD_DELAY));
        is_complete && self.is_none_known_to_run()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> BootTime {
        BootTime(Duration::from_millis(milliseconds))
    }

    fn running(count: usize) -> RunningJobs {
        let mut jobs = RunningJobs::default();
        jobs.count = count;
        jobs
    }

    #[test]
    fn ends_after_a_count_that_every_started_job_is_in() {
        let mut wait = JobWait::new(at(60_000));
        assert!(wait.begin_count(at(2_900)) && !wait.begin_count(at(2_950)));
        wait.end_count(Ok(running(0)));
        assert!(!wait.is_over(None, at(9_000)), "jobs may still be started");
        assert!(
            !wait.is_over(Some(at(1_000)), at(9_000)),
            "a job may have no record yet"
        );
        assert!(wait.begin_count(at(3_000)));
        wait.end_count(Ok(running(0)));
        assert!(wait.is_over(Some(at(1_000)), at(3_000)));
    }

    #[test]
    fn ends_at_its_limit_whatever_runs() {
        let mut wait = JobWait::new(at(5_000));
        wait.begin_count(at(4_000));
        wait.end_count(Ok(running(1)));
        assert!(!wait.is_over(Some(at(0)), at(4_999)));
        assert!(wait.is_over(Some(at(0)), at(5_000)));
    }
}
