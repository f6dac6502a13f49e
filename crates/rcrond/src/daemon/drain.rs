//! `drain` and `undrain`, and the wait for running jobs.

use super::Daemon;
use super::drain_clients::DrainClient;
use super::job_wait::JobWait;
use super::requests::send_answer;
use crate::event::{Event, SaveReason};
use crate::files::running_jobs::{self, JobsUnknown, RunningJobs};
use crate::threads;
use ::inputs::clock;
use control::{DrainOrigin, Response};
use lease::{ClusterName, Input};
use policy::moment::BootTime;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// How often running jobs are counted while they are waited for.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

impl Daemon {
    pub(super) fn drain(
        &mut self,
        names: Vec<ClusterName>,
        wait_ms: Option<u64>,
        by: String,
        replies: Sender<Response>,
    ) {
        let suffix = wait_ms.map_or("", |_| ", waiting for running jobs");
        let since = clock::wall_time().rfc3339_seconds();
        let origin = DrainOrigin { since, by };
        for name in &names {
            self.persistent_state.drain(name, wait_ms, origin.clone());
            log::info!("cluster {}: drain requested by {}{suffix}", name.as_str(), origin.by);
        }
        let now = clock::boot_time();
        let wait = wait_ms.map(Duration::from_millis);
        if wait.is_none() {
            let what = "another drain does not wait for running jobs, and releases it now";
            self.end_drain_clients(&names, DrainClient::waits_for_jobs, what);
        }
        for name in &names {
            self.set_job_wait(name, now, wait);
        }
        let grace = names.iter().filter_map(|name| self.clusters.get(name));
        let grace = grace.map(|cluster| cluster.settings.timing.grace()).max();
        let duration = wait.unwrap_or_default() + grace.unwrap_or_default();
        let client = self.new_drain_client(names.clone(), wait.is_some(), replies, now, duration);
        self.save_persistent_state(SaveReason::Drain(client));
        for cluster in names {
            let wait = wait.is_some();
            self.step(Input::Drain { cluster, wait });
        }
    }

    pub(super) fn undrain(&mut self, names: &[ClusterName], by: &str, replies: Sender<Response>) {
        let mut lines = Vec::new();
        for name in names {
            let was_drained = self.persistent_state.undrain(name);
            if let Some(cluster) = self.clusters.get_mut(name) {
                cluster.job_wait = None;
            }
            self.step(Input::Undrain(name.clone()));
            let result = if was_drained {
                "no longer drained"
            } else {
                "was not drained"
            };
            lines.push(format!("{}: {result}", name.as_str()));
            log::info!("cluster {}: undrain requested by {by}", name.as_str());
        }
        self.end_drain_clients(names, |_| true, "undrain was requested, and it is not drained");
        self.save_persistent_state(SaveReason::Undrain(lines, replies));
    }

    /// Continues the waits that an earlier process had begun.
    pub(super) fn resume_drains(&mut self) {
        let now = clock::boot_time();
        let names: Vec<_> = self.clusters.keys().cloned().collect();
        for cluster in names {
            let drained = self.persistent_state.entry(&cluster).drained;
            if let Some(wait_ms) = drained.and_then(|drained| drained.wait_ms) {
                self.set_job_wait(&cluster, now, Some(Duration::from_millis(wait_ms)));
                self.step(Input::Drain { cluster, wait: true });
            }
        }
    }

    /// Without a limit, running jobs are not waited for.
    fn set_job_wait(&mut self, name: &ClusterName, now: BootTime, limit: Option<Duration>) {
        if let Some(cluster) = self.clusters.get_mut(name) {
            cluster.job_wait = limit.map(|limit| JobWait::new(now.after(limit)));
            if limit.is_some() {
                self.drain_wakes_at = Some(now);
            }
        }
    }

    /// To be called after each event.
    pub(super) fn advance_drains(&mut self) {
        let now = clock::boot_time();
        self.finish_job_waits(now);
        self.count_jobs(now);
        self.answer_drain_clients(now);
    }

    fn finish_job_waits(&mut self, now: BootTime) {
        let ended = |(name, cluster): (&ClusterName, &mut super::ClusterState)| {
            Some((name.clone(), cluster.end_job_wait(now)?))
        };
        let ended: Vec<_> = self.clusters.iter_mut().filter_map(ended).collect();
        for (name, wait) in ended {
            if !wait.is_none_known_to_run() {
                let text = "the time to wait for running jobs is over: the cluster is released, but jobs may still run";
                log::warn!("cluster {}: {text}", name.as_str());
                self.drain_clients
                    .iter_mut()
                    .for_each(|client| client.jobs_outlast_wait(&name, &wait.jobs));
            }
            self.persistent_state.end_drain_wait(&name);
            self.save_persistent_state(SaveReason::DrainFinished);
            self.step(Input::Drained(name));
        }
    }

    /// Counts the running jobs of each cluster that waits for them, in threads of their own. [`Event::JobsCounted`] has the
    /// results.
    fn count_jobs(&mut self, now: BootTime) {
        if self.drain_wakes_at.is_none_or(|time| time > now) {
            return;
        }
        self.drain_wakes_at = None;
        for (name, cluster) in &mut self.clusters {
            let Some(wait) = &mut cluster.job_wait else { continue };
            self.drain_wakes_at = Some(now.after(COUNT_INTERVAL));
            if !wait.begin_count(now) {
                continue;
            }
            let (events, name, journal) = (self.events.clone(), name.clone(), cluster.settings.journal.clone());
            let started = threads::start("jobs", move || {
                let jobs = running_jobs::find(journal, name.as_str());
                events.send(Event::JobsCounted(name, jobs));
            });
            if started.is_err() {
                wait.end_count(Err(JobsUnknown::NotCounted));
            }
        }
    }

    pub(super) fn jobs_counted(&mut self, name: &ClusterName, jobs: Result<RunningJobs, JobsUnknown>) {
        let cluster = self.clusters.get_mut(name);
        if let Some(wait) = cluster.and_then(|cluster| cluster.job_wait.as_mut()) {
            wait.end_count(jobs);
        }
    }
}

pub(super) fn answer_undrain(lines: Vec<String>, replies: &Sender<Response>, is_saved: bool) {
    let answer = if is_saved {
        Response::Done { lines }
    } else {
        let message =
            "no longer drained, but this could not be written to disk: after a restart of rcrond it is drained again";
        Response::Error {
            message: message.to_owned(),
        }
    };
    send_answer(replies, answer);
}
