//! Executes the machine's actions by handing them to the tasks.

use super::Daemon;
use super::store_failures::Outage;
use crate::api::log::{log_notice, notice_text};
use crate::store_tasks::client::StoreRequest;
use crate::store_tasks::codec::{self, LeaseCodec};
use crate::store_tasks::watcher::WatchSpec;
use lease::{Action, Key, Notice};
use std::sync::Arc;

impl Daemon {
    /// Executes the actions in their order, except that all epochs are saved together at the end.
    pub(super) fn execute(&mut self, actions: Vec<Action>) {
        let mut epochs = Vec::new();
        for action in actions {
            match action {
                Action::Read { call, keys, by } => {
                    self.watch(&keys);
                    self.send_to_store(StoreRequest::Read { call, keys, by });
                }
                Action::Change { call, change, by } => self.send_to_store(StoreRequest::Change { call, change, by }),
                Action::WriteState { cluster, content } => self.write_state_file(cluster, content),
                Action::PersistEpoch { cluster, epoch } => epochs.push((cluster, epoch)),
                Action::KeepIdentity(session) if self.exit_by.is_none() => {
                    self.session = Some(session);
                    self.save_session(session);
                }
                // A session that is opened during a stop ends with it.
                Action::KeepIdentity(_) => self.session = None,
                Action::Notify(notice) => self.report_notice(&notice),
                Action::WakeAt(time) => self.machine_wakes_at = time,
                Action::Stopped => {}
            }
        }
        if !epochs.is_empty() {
            self.save_epochs(epochs);
        }
    }

    pub(super) fn send_to_store(&self, request: StoreRequest<LeaseCodec>) {
        // This cannot fail: the task ends after the loop.
        let _ = self.senders.store_requests.send(request);
    }

    /// Watches all records of a read, except this node's own session.
    fn watch(&self, keys: &[Key]) {
        let is_own = |key: &&Key| matches!(key, Key::Session(node) if *node == self.config.node);
        let keys: Vec<String> = keys.iter().filter(|key| !is_own(key)).map(codec::key).collect();
        self.senders.watch_specs.send_if_modified(|spec| {
            let differs = spec.keys != keys || !Arc::ptr_eq(&spec.store, &self.store);
            if differs {
                *spec = WatchSpec {
                    store: Arc::clone(&self.store),
                    keys,
                };
            }
            differs
        });
    }

    fn report_notice(&mut self, notice: &Notice) {
        let cause = match notice {
            // The failed write was logged with its error.
            Notice::NoEpoch(_) => return,
            Notice::StoreSilent | Notice::LeaseOver(_) => self.outage.cause(),
            Notice::Unwritable(name) => self.clusters.get(name).and_then(super::ClusterState::write_failure),
            _ => None,
        };
        log_notice(notice, cause.as_deref(), &|key| self.store.full_key(key));
        match notice {
            // A store that has lost its data has lost the node info, too.
            Notice::SessionOpened => {
                self.session_failure = None;
                self.publish_node_info(true);
            }
            Notice::NewIncarnation => self.publish_node_info(true),
            Notice::NameTaken | Notice::SessionLost(_) => self.explain_missing_session(notice),
            Notice::SessionUnreadable(node) if *node == self.config.node => self.explain_missing_session(notice),
            Notice::StoreSilent => self.outage.was_logged(cause.as_deref()),
            Notice::StoreBack => self.outage = Outage::default(),
            _ => {}
        }
    }

    fn explain_missing_session(&mut self, notice: &Notice) {
        self.session_failure = Some(notice_text(notice, &|key| self.store.full_key(key)));
    }
}
