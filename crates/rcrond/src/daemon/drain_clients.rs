//! Clients of `drain`, which get their last answer when their clusters are released.

use super::Daemon;
use super::requests::send_answer;
use control::Response;
use lease::{ClusterName, Mode};
use policy::moment::BootTime;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// A release takes two calls to the store. If they take longer than this, the client gets the reason instead.
const RELEASE_LIMIT: Duration = Duration::from_secs(10);

/// A client that waits for its answer.
pub(super) struct DrainClient {
    clusters: Vec<ClusterName>,
    replies: Sender<Response>,
    /// Whether the drain is on disk; `None` while the write is in progress.
    is_saved: Option<bool>,
    /// When the client gets an answer even if its clusters are not released.
    answer_by: BootTime,
    /// The last progress lines that were sent.
    progress: Vec<String>,
}

impl DrainClient {
    /// `released_by` is when the clusters should be released, apart from the time that the store takes.
    pub(super) fn new(clusters: Vec<ClusterName>, replies: Sender<Response>, released_by: BootTime) -> Self {
        Self {
            clusters,
            replies,
            is_saved: None,
            answer_by: released_by.after(RELEASE_LIMIT),
            progress: Vec::new(),
        }
    }

    fn send_progress(&mut self, lines: Vec<String>) {
        if lines != self.progress {
            for text in lines.iter().cloned() {
                send_answer(&self.replies, Response::Progress { text });
            }
            self.progress = lines;
        }
    }
}

impl Daemon {
    pub(super) fn drain_saved(&mut self, is_saved: bool) {
        for client in &mut self.drain_clients {
            client.is_saved = client.is_saved.or(Some(is_saved));
        }
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
        if held.is_empty() && client.is_saved == Some(true) {
            let line = |name: &ClusterName| format!("{}: drained", name.as_str());
            let lines = client.clusters.iter().map(line).collect();
            return Some(Response::Done { lines });
        }
        let message = if held.is_empty() && client.is_saved == Some(false) {
            "drained, but this could not be written to disk: after a restart of rcrond this node can take over again"
                .to_owned()
        } else if client.answer_by <= now {
            let failure = self.store_failure.as_ref();
            let reason = failure.map(|failure| format!(": {failure}")).unwrap_or_default();
            format!(
                "{}: drained, but not released yet; rcrond continues{reason}",
                held.join(", ")
            )
        } else {
            return None;
        };
        Some(Response::Error { message })
    }

    /// Whether the state file is passive and another node can take the cluster.
    fn is_released(&self, name: &ClusterName) -> bool {
        let view = self.machine.views().find(|view| view.config.name == *name);
        let is_out = view.is_none_or(|view| view.held_lease.is_none() && view.mode != Mode::Serve);
        is_out && self.clusters.get(name).is_some_and(super::ClusterState::is_passive)
    }

    fn progress_of(&self, name: &ClusterName) -> Option<String> {
        let wait = self.clusters.get(name)?.job_wait.as_ref()?;
        let what = match &wait.jobs {
            Ok(0) => return None,
            Ok(1) => "waiting for 1 running job".to_owned(),
            Ok(count) => format!("waiting for {count} running jobs"),
            Err(error) => format!("waiting: {error}"),
        };
        Some(format!("{}: {what}", name.as_str()))
    }
}
