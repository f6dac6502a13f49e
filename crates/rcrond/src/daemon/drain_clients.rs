//! Clients of `drain`, which get their last answer when their clusters are released.

use super::Daemon;
use super::requests::send_answer;
use crate::files::running_jobs::{JobsUnknown, RunningJobs};
use control::Response;
use inputs::words::seconds;
use lease::{ClusterName, Mode};
use policy::moment::BootTime;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// A release takes two calls to the store. If they take longer than this, the client gets the reason instead.
const RELEASE_LIMIT: Duration = Duration::from_secs(10);

/// A client that waits for its answer.
pub(super) struct DrainClient {
    /// Tells it from the other clients.
    number: u64,
    clusters: Vec<ClusterName>,
    /// Whether it has asked to wait for running jobs.
    waits: bool,
    replies: Sender<Response>,
    /// Whether the drain is on disk, by the last write that has ended; `None` while the first one is in progress.
    is_saved: Option<bool>,
    /// When the client gets an answer even if its clusters are not released.
    answer_by: BootTime,
    /// The last progress lines that were sent.
    progress: Vec<String>,
    /// What still ran in its clusters when the time to wait for it was over.
    outlasting: Vec<String>,
}

impl DrainClient {
    pub(super) const fn waits_for_jobs(&self) -> bool {
        self.waits
    }

    fn has_one_of(&self, clusters: &[ClusterName]) -> Option<&ClusterName> {
        self.clusters.iter().find(|name| clusters.contains(name))
    }

    fn send_progress(&mut self, lines: Vec<String>) {
        if lines != self.progress {
            for text in lines.iter().cloned() {
                send_answer(
                    &self.replies,
                    Response::Progress {
                        text,
                        answer_within_ms: None,
                    },
                );
            }
            self.progress = lines;
        }
    }

    /// The time to wait for running jobs is over, and these still run.
    pub(super) fn jobs_outlast_wait(&mut self, cluster: &ClusterName, jobs: &Result<RunningJobs, JobsUnknown>) {
        if self.waits && self.clusters.contains(cluster) {
            let what = match jobs {
                Ok(jobs) => format!("the time to wait is over for {jobs}"),
                Err(error) => format!("jobs may still run: {error}"),
            };
            self.outlasting
                .push(format!("{}: drained, but {what}", cluster.as_str()));
        }
    }
}

impl Daemon {
    /// `duration` is how long the drain takes, apart from the time that the store takes. Returns the client's number.
    pub(super) fn new_drain_client(
        &mut self,
        clusters: Vec<ClusterName>,
        waits: bool,
        replies: Sender<Response>,
        now: BootTime,
        duration: Duration,
    ) -> u64 {
        let limit = duration + RELEASE_LIMIT;
        self.last_drain_client += 1;
        let grace = self.grace_to_wait_for(&clusters);
        let text = grace.map_or_else(String::new, |grace| {
            format!("the release takes {} more, because of `grace`", seconds(grace))
        });
        let answer_within_ms = Some(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        send_answer(&replies, Response::Progress { text, answer_within_ms });
        self.drain_clients.push(DrainClient {
            number: self.last_drain_client,
            clusters,
            waits,
            replies,
            is_saved: None,
            answer_by: now.after(limit),
            progress: Vec::new(),
            outlasting: Vec::new(),
        });
        self.last_drain_client
    }

    /// The longest `grace` of the clusters that are active here; `None` if that is none.
    fn grace_to_wait_for(&self, clusters: &[ClusterName]) -> Option<Duration> {
        let held = clusters.iter().filter_map(|name| self.clusters.get(name));
        let held = held.filter(|cluster| cluster.is_active());
        let grace = held.map(|cluster| cluster.settings.timing.grace()).max()?;
        (!grace.is_zero()).then_some(grace)
    }

    /// The whole state was written: what this client and those before it have drained, but not what was drained later.
    pub(super) fn drains_saved(&mut self, last_client: u64) {
        for client in &mut self.drain_clients {
            if client.number <= last_client {
                client.is_saved = Some(true);
            }
        }
    }

    pub(super) fn drain_not_saved(&mut self, number: u64) {
        for client in &mut self.drain_clients {
            if client.number == number {
                client.is_saved = Some(false);
            }
        }
    }

    /// Answers the clients whose drain has been overruled for one of these clusters.
    pub(super) fn end_drain_clients(
        &mut self,
        clusters: &[ClusterName],
        is_overruled: impl Fn(&DrainClient) -> bool,
        why: &str,
    ) {
        self.drain_clients.retain(|client| {
            let Some(name) = client.has_one_of(clusters).filter(|_| is_overruled(client)) else {
                return true;
            };
            let message = format!("{}: {why}", name.as_str());
            send_answer(&client.replies, Response::Error { message });
            false
        });
    }

    pub(super) fn answer_drain_clients(&mut self, now: BootTime) {
        let mut clients = std::mem::take(&mut self.drain_clients);
        clients.retain_mut(|client| {
            if let Some(answer) = self.last_answer(client, now) {
                send_answer(&client.replies, answer);
                return false;
            }
            let lines = client.clusters.iter().filter_map(|name| self.progress_of(name));
            client.send_progress(lines.collect());
            !client.replies.is_closed()
        });
        if let Some(first) = clients.iter().map(|client| client.answer_by).min() {
            self.drain_wakes_at = Some(self.drain_wakes_at.map_or(first, |time| time.min(first)));
        }
        self.drain_clients = clients;
    }

    fn last_answer(&self, client: &DrainClient, now: BootTime) -> Option<Response> {
        let held = client.clusters.iter().filter(|name| !self.is_released(name));
        let held: Vec<_> = held.map(ClusterName::as_str).collect();
        let message = match (held.is_empty(), client.is_saved) {
            (true, Some(true)) if client.outlasting.is_empty() => {
                let line = |name: &ClusterName| format!("{}: drained", name.as_str());
                let lines = client.clusters.iter().map(line).collect();
                return Some(Response::Done { lines });
            }
            (true, Some(true)) => client.outlasting.join("; "),
            (true, Some(false)) => {
                "drained, but this could not be written to disk: after a restart of rcrond this node can take over again"
                    .to_owned()
            }
            (true, None) if client.answer_by <= now => {
                "drained, but this is not written to disk yet: the disk does not answer; rcrond is still trying".to_owned()
            }
            (false, _) if client.answer_by <= now => {
                let reason = self.outage.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
                format!(
                    "{}: drained, but not released yet; rcrond is still releasing it{reason}",
                    held.join(", ")
                )
            }
            _ => return None,
        };
        Some(Response::Error { message })
    }

    /// Whether the state file is passive, no job is waited for, and another node can take the cluster.
    fn is_released(&self, name: &ClusterName) -> bool {
        let view = self.machine.views().find(|view| view.config.name == *name);
        let is_out = view.is_none_or(|view| view.held_lease.is_none() && view.mode != Mode::Serve);
        let cluster = self.clusters.get(name);
        is_out && cluster.is_some_and(|cluster| cluster.is_passive() && cluster.job_wait.is_none())
    }

    fn progress_of(&self, name: &ClusterName) -> Option<String> {
        let wait = self.clusters.get(name)?.job_wait.as_ref()?;
        let what = match &wait.jobs {
            Ok(jobs) if jobs.count == 0 => return None,
            Ok(jobs) => format!("waiting for {jobs}"),
            Err(error) => format!("waiting: {error}"),
        };
        Some(format!("{}: {what}", name.as_str()))
    }
}
