//! The machine's actions, handed to those who execute them.

use super::Daemon;
use crate::disk::ledger::LEDGER;
use crate::disk::{identity, state_file};
use crate::news::News;
use crate::outside;
use crate::store_side::asker::Request;
use crate::store_side::codec;
use crate::store_side::listener::Subject;
use lease::{Action, ClusterName, Input, Key, Notice, SessionId, StateFileContent};
use std::io;
use std::sync::Arc;
use sys::output::error_text;

impl Daemon {
    /// All of them, in their order.
    pub(super) fn execute(&mut self, actions: Vec<Action>) {
        let mut epochs = Vec::new();
        for action in actions {
            match action {
                Action::Read { call, keys, by } => {
                    self.listen_to(&keys);
                    self.ask_store(Request::Read { call, keys, by });
                }
                Action::Change { call, change, by } => self.ask_store(Request::Change { call, change, by }),
                Action::WriteState { cluster, content } => self.write_state(cluster, content),
                Action::PersistEpoch { cluster, epoch } => epochs.push((cluster, epoch)),
                // One that is made while everything is given away is for nobody.
                Action::KeepIdentity(session) if self.stop.is_none() => {
                    self.session = Some(session);
                    self.keep_identity(session);
                }
                Action::KeepIdentity(_) => self.session = None,
                Action::Notify(tell) => self.tell(&tell),
                Action::WakeAt(at) => self.wake = at,
                Action::Stopped => {}
            }
        }
        self.keep_epochs(epochs);
    }

    pub(super) fn ask_store(&self, request: Request) {
        // The task ends after the loop.
        let _ = self.outlets.requests.send(request);
    }

    /// To all that the read is about but this node's own session.
    fn listen_to(&self, keys: &[Key]) {
        let own = |key: &&Key| matches!(key, Key::Session(node) if *node == self.config.node);
        let wanted: Vec<String> = keys.iter().filter(|key| !own(key)).map(codec::key).collect();
        self.outlets.subject.send_if_modified(|subject| {
            let other = subject.keys != wanted || !Arc::ptr_eq(&subject.store, &self.store);
            if other {
                *subject = Subject {
                    store: Arc::clone(&self.store),
                    keys: wanted,
                };
            }
            other
        });
    }

    fn write_state(&mut self, name: ClusterName, content: StateFileContent) {
        let Some(cluster) = self.clusters.get_mut(&name) else {
            return;
        };
        let state = cluster.state(content, &self.boot, &self.config.node);
        let path = cluster.settings.state_file.clone();
        let newsroom = self.newsroom.clone();
        self.scribes.write(&path.clone(), move |thread| {
            let result = in_thread(thread).and_then(|()| state_file::write(&path, &state));
            let done = result.is_ok();
            if let Err(why) = result {
                newsroom.tell(News::StateFailed(name.clone(), format!("{}: {why}", path.display())));
            }
            newsroom.input(Input::StateWritten { cluster: name, done });
        });
    }

    /// All in one write.
    fn keep_epochs(&mut self, epochs: Vec<(ClusterName, u64)>) {
        if epochs.is_empty() {
            return;
        }
        for (name, epoch) in &epochs {
            self.ledger.keep_epoch(name, *epoch);
        }
        let newsroom = self.newsroom.clone();
        self.write_ledger(move |done| {
            for (cluster, epoch) in epochs {
                newsroom.input(Input::EpochKept { cluster, epoch, done });
            }
        });
    }

    /// Writes the ledger as it is now, and says whether that went well.
    pub(super) fn write_ledger(&mut self, then: impl FnOnce(bool) + Send + 'static) {
        let (ledger, newsroom) = (self.ledger.clone(), self.newsroom.clone());
        let path = self.config.state_dir.join(LEDGER);
        self.scribes.write(&path.clone(), move |thread| {
            let result = in_thread(thread).and_then(|()| ledger.write(&path));
            let done = result.is_ok();
            if let Err(why) = result {
                let text = format!("cannot write the epochs to {}: {why}", path.display());
                newsroom.tell(News::FileFailed(text));
            }
            then(done);
        });
    }

    /// With the clusters that the session may hold.
    pub(super) fn keep_identity(&mut self, session: SessionId) {
        self.kept = self.held();
        let (boot, node, clusters) = (self.boot.clone(), self.config.node.clone(), self.kept.clone());
        let (path, newsroom) = (self.run_dir.identity(), self.newsroom.clone());
        self.scribes.write(&path.clone(), move |thread| {
            let written = || identity::write(&path, &boot, node.as_str(), session, &clusters);
            if let Err(why) = in_thread(thread).and_then(|()| written()) {
                // What it said before is not so any more.
                let _ = std::fs::remove_file(&path);
                let text = format!("cannot write {}: {why}; a restart will be a failover", path.display());
                newsroom.tell(News::FileFailed(text));
            }
        });
    }

    fn tell(&mut self, tell: &Notice) {
        // News::FileFailed has said it, and why.
        if matches!(tell, Notice::NoEpoch(_)) {
            return;
        }
        let detail = match tell {
            Notice::StoreSilent | Notice::LeaseOver(_) => self.failure.as_ref().map(ToString::to_string),
            Notice::Unwritable(name) => self.clusters.get(name).and_then(|cluster| cluster.obstacle.clone()),
            _ => None,
        };
        outside::log::tell(tell, detail.as_deref());
        match tell {
            // A store that lost its data has lost the card too.
            Notice::SessionOpened | Notice::NewIncarnation => self.issue_card(true),
            Notice::StoreBack => self.failure = None,
            _ => {}
        }
    }
}

fn in_thread(thread: io::Result<()>) -> Result<(), String> {
    thread.map_err(|error| format!("no thread: {}", error_text(&error)))
}
