//! What the loop publishes by itself when it has changed: the node info in the store, systemd's status line, and the clusters
//! that are saved with the session.

use super::{ClusterState, Daemon};
use crate::api::systemd;
use crate::files::identity::{HeldCluster, HeldClusters};
use crate::store_tasks::node_info::{ClusterInfo, NodeInfo};
use ::inputs::clock;
use control::Role;
use lease::{Mode, RunOn, View};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// With more clusters, the status line only has their number.
const MAX_NAMED_CLUSTERS: usize = 3;
/// cron starts after rcrond is ready, so a file system that hangs must not delay this any longer.
const READY_LIMIT: Duration = Duration::from_secs(2);

impl Daemon {
    /// To be called after each event.
    pub(super) fn publish(&mut self) {
        self.publish_node_info(false);
        self.publish_status_line();
        self.update_saved_clusters();
        self.notify_when_ready();
    }

    /// Publishes the node info if it has changed, or in any case. Without a session nothing is published, because another
    /// machine may have this node's name.
    pub(super) fn publish_node_info(&self, in_any_case: bool) {
        if !self.machine.has_session() {
            return;
        }
        self.senders.publications.send_if_modified(|publication| {
            let is_current = Arc::ptr_eq(&publication.store, &self.store)
                && publication.info.as_ref().is_some_and(|info| self.is_current(info));
            if is_current && !in_any_case {
                return false;
            }
            publication.store = Arc::clone(&self.store);
            let clusters = self.cluster_infos().map(|(name, info)| (name.to_owned(), info));
            publication.info = Some(NodeInfo::new(clusters.collect()));
            true
        });
    }

    fn is_current(&self, info: &NodeInfo) -> bool {
        let mut clusters = self.cluster_infos();
        let count = self.cluster_infos().count();
        count == info.clusters.len() && clusters.all(|(name, cluster)| info.clusters.get(name) == Some(&cluster))
    }

    fn cluster_infos(&self) -> impl Iterator<Item = (&str, ClusterInfo)> {
        let configured = self.machine.views().filter(|view| view.mode != Mode::Removed);
        configured.map(|view| {
            let info = ClusterInfo {
                priority: view.config.priority,
                drained: matches!(view.mode, Mode::Drain | Mode::Out),
                origin: self.persistent_state.drain_origin(&view.config.name).cloned(),
                shared: view.config.run_on == RunOn::Any,
            };
            (view.config.name.as_str(), info)
        })
    }

    /// A process that resumes the session must know all clusters that the session may hold or share, and no others.
    fn update_saved_clusters(&mut self) {
        let Some(session) = self.session else { return };
        let is_saved = |(view, file): (View<'_>, &Path)| {
            let saved = self.saved_clusters.get(view.config.name.as_str());
            saved.is_some_and(|saved| saved.state_file == file && saved.shared_lease == view.shared_lease)
        };
        let is_saved = self.state_files().count() == self.saved_clusters.len() && self.state_files().all(is_saved);
        if !is_saved {
            self.save_session(session);
        }
    }

    /// The clusters that the session may hold or share.
    pub(super) fn held_clusters(&self) -> HeldClusters {
        let files = self.state_files();
        let held = files.map(|(view, file)| {
            let held = HeldCluster {
                state_file: file.to_owned(),
                shared_lease: view.shared_lease,
            };
            (view.config.name.as_str().to_owned(), held)
        });
        held.collect()
    }

    fn state_files(&self) -> impl Iterator<Item = (View<'_>, &Path)> {
        self.machine.views().map(|view| {
            let cluster = self.clusters.get(&view.config.name);
            let file = cluster.map_or(Path::new(""), |cluster| &cluster.settings.state_file);
            (view, file)
        })
    }

    pub(super) fn publish_status_line(&mut self) {
        let line = self.new_status_line();
        if line != self.status_line {
            systemd::notify_status(&line);
            self.status_line = line;
        }
    }

    fn new_status_line(&self) -> String {
        let now = clock::boot_time();
        let store = if self.machine.is_answered() {
            ""
        } else {
            "; the store does not answer"
        };
        let reload = if self.reloads.has_failed {
            "; THE LAST RELOAD FAILED: see the log"
        } else {
            ""
        };
        let count = self.machine.views().count();
        if count > MAX_NAMED_CLUSTERS {
            let in_role = |role| {
                let views = self.machine.views();
                views.filter(|view| self.role(view, now) == role).count()
            };
            let shared = match in_role(Role::Shared) {
                0 => String::new(),
                shared => format!(", {shared} shared"),
            };
            let active = in_role(Role::Active);
            return format!("{active} of {count} clusters active here{shared}{store}{reload}");
        }
        let line = |view: View<'_>| {
            let name = view.config.name.as_str();
            match (self.role(&view, now), view.holder()) {
                (Role::Active, _) => format!("{name}: active"),
                (Role::Shared, _) => format!("{name}: shared"),
                (Role::Holding, _) => format!("{name}: holds the lease, not active"),
                (Role::Draining, _) => format!("{name}: draining"),
                (Role::Drained, _) => format!("{name}: drained"),
                (Role::Standby | Role::Gone | Role::Unknown, Some(holder)) => {
                    format!("{name}: standby, held by {holder}")
                }
                (Role::Standby | Role::Gone | Role::Unknown, None) => format!("{name}: standby"),
            }
        };
        let lines: Vec<_> = self.machine.views().map(line).collect();
        format!("{}{store}{reload}", lines.join("; "))
    }

    /// Once each state file is written: before that it may still have the content of an earlier boot.
    fn notify_when_ready(&mut self) {
        if self.is_ready {
            return;
        }
        let is_late = self.started_at.after(READY_LIMIT) <= clock::boot_time();
        if is_late || self.clusters.values().all(ClusterState::is_settled) {
            self.is_ready = true;
            systemd::notify_ready();
        }
    }
}
