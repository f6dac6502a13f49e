//! What the loop knows about a cluster in addition to the machine.

use crate::config::ClusterSettings;
use crate::files::WriteError;
use crate::files::running_jobs::JobsUnknown;
use crate::files::state_file::PreviousState;
use inputs::clock;
use lease::{NodeName, StateFileContent};
use policy::moment::BootTime;
use policy::state::State;
use std::time::Duration;

/// rcron records a run right after its start. This long after the state file has become `draining`, the journal has a record of
/// each job that was started before.
const RECORD_DELAY: Duration = Duration::from_secs(2);

pub(super) struct ClusterState {
    pub(super) settings: ClusterSettings,
    /// The `since=` of the state file: when the cluster has become active with its epoch, or passive.
    since: Vec<u8>,
    /// The content that the machine wants in the state file.
    desired: Option<StateFileContent>,
    /// The content that the file is known to have; `None` before the first write and after a failed one.
    written: Option<StateFileContent>,
    /// The error of the last write, if it has failed.
    write_error: Option<WriteError>,
    /// Present while running jobs are waited for.
    pub(super) job_wait: Option<JobWait>,
}

/// A drain that waits for running jobs.
pub(super) struct JobWait {
    /// When the wait ends even if jobs still run.
    until: BootTime,
    /// Since when the state file starts no more jobs.
    drained_since: Option<BootTime>,
    /// Whether the jobs are being counted now.
    pub(super) is_counting: bool,
    /// The result of the last count.
    pub(super) jobs: Result<usize, JobsUnknown>,
}

impl ClusterState {
    pub(super) fn new(settings: ClusterSettings, previous: &PreviousState) -> Self {
        let active = |(until, epoch)| StateFileContent::Active {
            until,
            epoch,
            draining: false,
        };
        Self {
            settings,
            since: previous.since.clone().unwrap_or_else(now),
            desired: previous.active.map(active),
            written: None,
            write_error: None,
            job_wait: None,
        }
    }

    /// The state to write. Its `since` does not change when a lease is renewed.
    pub(super) fn next_state(&mut self, content: StateFileContent, boot: &[u8], node: &NodeName) -> State {
        if self.desired.is_none_or(|desired| epoch(desired) != epoch(content)) {
            self.since = now();
        }
        self.desired = Some(content);
        content.to_state(boot, node, &self.since)
    }

    /// A write has ended. If the file has become active or passive by it, returns which.
    pub(super) fn state_written(&mut self, result: Result<(), WriteError>, now: BootTime) -> Option<bool> {
        self.write_error = result.err();
        if self.write_error.is_some() {
            self.written = None;
            return None;
        }
        let was_active = self.is_active();
        self.written = self.desired;
        if let (Some(wait), Some(StateFileContent::Active { draining: true, .. } | StateFileContent::Passive)) =
            (&mut self.job_wait, self.written)
        {
            wait.drained_since = wait.drained_since.or(Some(now));
        }
        let is_active = self.is_active();
        (was_active != is_active).then_some(is_active)
    }

    /// Whether the file is known to be active. Its lease may have expired.
    pub(super) const fn is_active(&self) -> bool {
        matches!(self.written, Some(StateFileContent::Active { .. }))
    }

    /// Whether the file is known to be passive.
    pub(super) const fn is_passive(&self) -> bool {
        matches!(self.written, Some(StateFileContent::Passive))
    }

    /// Whether the last write of the file has succeeded, or none has ended yet.
    pub(super) const fn is_writable(&self) -> bool {
        self.write_error.is_none()
    }

    /// Whether the file has the desired content, or cannot be written.
    pub(super) const fn is_settled(&self) -> bool {
        self.written.is_some() || self.write_error.is_some()
    }

    /// The path and the error of the last write, if it has failed.
    pub(super) fn write_failure(&self) -> Option<String> {
        let error = self.write_error.as_ref()?;
        Some(format!("{}: {error}", self.settings.state_file.display()))
    }

    /// From now on, running jobs are waited for.
    pub(super) fn begin_job_wait(&mut self, until: BootTime) {
        self.job_wait = Some(JobWait {
            until,
            drained_since: None,
            is_counting: false,
            jobs: Err(JobsUnknown::NotCounted),
        });
    }

    /// Ends the wait if the jobs have ended or its time is over.
    pub(super) fn end_job_wait(&mut self, now: BootTime) -> Option<JobWait> {
        let is_over = |wait: &JobWait| wait.until <= now || wait.have_jobs_ended(now);
        self.job_wait.take_if(|wait| is_over(wait))
    }
}

impl JobWait {
    fn have_jobs_ended(&self, now: BootTime) -> bool {
        let is_recorded = self.drained_since.is_some_and(|since| since.after(RECORD_DELAY) <= now);
        is_recorded && self.jobs == Ok(0) && !self.is_counting
    }
}

const fn epoch(content: StateFileContent) -> Option<u64> {
    match content {
        StateFileContent::Passive => None,
        StateFileContent::Active { epoch, .. } => Some(epoch),
    }
}

fn now() -> Vec<u8> {
    clock::wall_time().rfc3339_seconds().into_bytes()
}
