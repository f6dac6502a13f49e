//! Requests of clients: `status` is answered here, drains are begun.

use super::Daemon;
use crate::api::PendingRequest;
use crate::store_tasks::overview;
use crate::store_tasks::ticks::TicksQuery;
use control::{Report, Request, Response, Role};
use inputs::clock;
use lease::ClusterName;
use policy::moment::WallTime;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::mpsc::Sender;

/// A request names a cluster that is not in the configuration.
pub(super) struct UnknownCluster {
    name: String,
    known: Vec<ClusterName>,
}

impl fmt::Display for UnknownCluster {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = self.known.iter().map(ClusterName::as_str).collect();
        let (name, known) = (&self.name, known.join(", "));
        write!(out, "rcrond has no cluster {name:?}; it has: {known}")
    }
}

impl Daemon {
    pub(super) fn handle_request(&mut self, pending: PendingRequest) {
        let PendingRequest {
            request,
            only_user,
            asked_by,
            replies,
        } = pending;
        let result = match request {
            Request::Status { nodes } => {
                self.answer_status(nodes, replies.clone());
                Ok(())
            }
            Request::Drain { clusters, wait_ms } => self
                .configured_clusters(&clusters)
                .map(|names| self.drain(names, wait_ms, asked_by, replies.clone())),
            Request::Reload {} => {
                self.begin_reload(Some(replies.clone()));
                Ok(())
            }
            Request::Undrain { clusters } => self
                .configured_clusters(&clusters)
                .map(|names| self.undrain(&names, &asked_by, replies.clone())),
            Request::Ticks {
                cluster,
                user,
                job,
                since_ms,
                missed_only,
            } => self.configured_clusters(cluster.as_slice()).map(|clusters| {
                let query = TicksQuery {
                    clusters,
                    user: only_user.or(user),
                    job,
                    since: since_ms.map(|since| WallTime(Duration::from_millis(since))),
                    missed_only,
                    max_skew: self.config.max_skew,
                };
                self.answer_ticks(query, replies.clone());
            }),
            Request::Drift {} => {
                self.answer_drift(only_user, replies.clone());
                Ok(())
            }
            Request::Reopen { cluster, user, job } => self.reopen(cluster, &user, &job, replies.clone()),
        };
        if let Err(error) = result {
            let message = error.to_string();
            send_answer(&replies, Response::Error { message });
        }
    }

    fn answer_status(&self, nodes: bool, replies: Sender<Response>) {
        let report = self.report(clock::boot_time());
        // A store that does not answer would cost the client the whole time limit.
        if !nodes || !report.store.answers {
            send_answer(&replies, Response::Status(report));
            return;
        }
        let store = Arc::clone(&self.store);
        tokio::spawn(async move {
            let report = add_nodes(report, &store).await;
            send_answer(&replies, Response::Status(report));
        });
    }

    /// The clusters with these names, or all if there are none.
    pub(super) fn configured_clusters(&self, names: &[String]) -> Result<Vec<ClusterName>, UnknownCluster> {
        let clusters = self.config.clusters.iter();
        let known: Vec<_> = clusters.map(|cluster| cluster.name.clone()).collect();
        if names.is_empty() {
            return Ok(known);
        }
        let find = |name: &String| {
            let found = known.iter().find(|cluster| cluster.as_str() == name);
            found.cloned().ok_or_else(|| UnknownCluster {
                name: name.clone(),
                known: known.clone(),
            })
        };
        names.iter().map(find).collect()
    }
}

/// Never waits. The client may have gone; then nothing is sent.
pub(super) fn send_answer(replies: &Sender<Response>, answer: Response) {
    let _ = replies.try_send(answer);
}

/// Adds the other nodes, as far as the store has records of them.
async fn add_nodes(mut report: Report, store: &Arc<dyn Store>) -> Report {
    let names: Vec<_> = report.clusters.iter().map(|cluster| cluster.name.clone()).collect();
    let overview = match overview::read(store, &names).await {
        Ok(overview) => overview,
        Err(failure) => {
            report.store.failure = report.store.failure.or(Some(failure.to_string()));
            return report;
        }
    };
    if overview.is_cut {
        let what = "the store has more nodes than can be shown".to_owned();
        report.store.failure = report.store.failure.or(Some(what));
    }
    for cluster in &mut report.clusters {
        overview.refresh_holder(cluster);
        let lease = Duration::from_millis(cluster.lease_ms);
        cluster.nodes = overview.nodes(&cluster.name, lease, clock::wall_time());
        // The daemon knows more about its own node than the records say.
        let own = cluster.nodes.iter_mut().find(|node| node.name == report.node);
        if let (Some(own), true) = (own, report.store.session) {
            let is_holder = matches!(cluster.role, Role::Active | Role::Holding | Role::Draining);
            own.role = cluster.role;
            own.lease_left_ms = cluster.lease_left_ms;
            own.epoch = own.epoch.filter(|_| is_holder);
            own.drain.clone_from(&cluster.drain);
        }
    }
    report
}
