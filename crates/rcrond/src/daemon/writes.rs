//! Writes of files: started here, executed by the writers' threads, and their results.

use super::cluster_state::FileWord;
use super::{Daemon, ForeignWrite};
use crate::event::{Event, Save, SaveReason};
use crate::files::persistent_state::FILE_NAME;
use crate::files::{WriteError, identity, state_file};
use ::inputs::clock;
use lease::{ClusterName, Input, SessionId, StateFileContent};

impl Daemon {
    pub(super) fn write_state_file(&mut self, name: ClusterName, content: StateFileContent) {
        let Some(cluster) = self.clusters.get_mut(&name) else {
            return;
        };
        let previous = cluster.settled_file().cloned();
        let state = cluster.begin_write(content, &self.boot, &self.config.node);
        let path = cluster.settings.state_file.clone();
        let (events, own, cluster) = (self.events.clone(), self.events.clone(), name.clone());
        self.writers.write(
            &path.clone(),
            move || {
                // What this write replaces must be logged, too.
                if let Some(content) = previous.and_then(|previous| previous.foreign_content(&path)) {
                    own.send(Event::ForeignWriteReplaced(ForeignWrite { cluster, content }));
                }
                state_file::write(&path, &state)
            },
            move |result| events.send(Event::StateFileWritten(name, result)),
        );
    }

    pub(super) fn state_file_written(&mut self, name: ClusterName, result: Result<(), WriteError>) {
        let done = result.is_ok();
        let now = clock::boot_time();
        let cluster = self.clusters.get_mut(&name);
        if let Some(word) = cluster.and_then(|cluster| cluster.end_write(result, now)) {
            self.metrics.count_transition(name.as_str(), word.as_str());
            log_state(&name, word);
        }
        self.step(Input::StateWritten { cluster: name, done });
    }

    /// Saves all epochs with one write.
    pub(super) fn save_epochs(&mut self, epochs: Vec<(ClusterName, u64)>) {
        for (name, epoch) in &epochs {
            self.persistent_state.raise_epoch(name, *epoch);
        }
        self.save_persistent_state(SaveReason::Epochs(epochs));
    }

    /// Writes the persistent state as it is now.
    pub(super) fn save_persistent_state(&mut self, reason: SaveReason) {
        let (state, events) = (self.persistent_state.clone(), self.events.clone());
        let path = self.config.state_dir.join(FILE_NAME);
        let save = Save {
            reason,
            last_drain_client: self.last_drain_client,
        };
        self.writers.write(
            &path.clone(),
            move || state.write(&path),
            move |result| events.send(Event::PersistentStateWritten(save, result)),
        );
    }

    pub(super) fn persistent_state_written(&mut self, save: Save, result: Result<(), WriteError>) {
        let done = result.is_ok();
        match result {
            Ok(()) => {
                self.file_failure = None;
                self.drains_saved(save.last_drain_client);
            }
            Err(error) => {
                let path = self.config.state_dir.join(FILE_NAME);
                self.log_file_failure(format!("cannot write the epochs to {}: {error}", path.display()));
            }
        }
        match save.reason {
            SaveReason::Epochs(epochs) => {
                for (cluster, epoch) in epochs {
                    self.step(Input::EpochKept { cluster, epoch, done });
                }
            }
            SaveReason::Drain(client) if !done => self.drain_not_saved(client),
            SaveReason::Drain(_) | SaveReason::DrainFinished => {}
            SaveReason::Undrain(lines, replies) => super::drain::answer_undrain(lines, &replies, done),
        }
    }

    /// Saves the session for the next process, together with the clusters that it may hold.
    pub(super) fn save_session(&mut self, session: SessionId) {
        self.saved_clusters = self.held_clusters();
        let (boot, node) = (self.boot.clone(), self.config.node.clone());
        let (clusters, path) = (self.saved_clusters.clone(), self.run_dir.identity());
        let events = self.events.clone();
        self.writers.write(
            &path.clone(),
            move || {
                let result = identity::write(&path, &boot, node.as_str(), session, &clusters);
                if result.is_err() {
                    // The old content is wrong now.
                    let _ = std::fs::remove_file(&path);
                }
                result
            },
            move |result| {
                if let Err(error) = result {
                    events.send(Event::SessionNotSaved(error));
                }
            },
        );
    }

    pub(super) fn session_not_saved(&mut self, error: &WriteError) {
        let path = self.run_dir.identity();
        let text = format!(
            "cannot write {}: {error}; a restart of rcrond will cause a failover",
            path.display()
        );
        self.log_file_failure(text);
    }

    /// The write is tried again each second, and its error is logged once.
    pub(super) fn log_file_failure(&mut self, text: String) {
        if self.file_failure.as_ref() != Some(&text) {
            log::error!("{text}");
            self.file_failure = Some(text);
        }
    }
}

/// The most important messages of the log: from here on, jobs run or do not.
fn log_state(cluster: &ClusterName, word: FileWord) {
    let (cluster, state) = (cluster.as_str(), word.as_str());
    log::info!(CLUSTER = cluster, STATE = state; "cluster {cluster}: {state}");
}
