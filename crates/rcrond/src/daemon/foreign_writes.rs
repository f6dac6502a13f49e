//! Only rcrond writes its state files. If another program does, rcrond notices that within a second, writes the file again, and
//! logs it.

use super::Daemon;
use crate::event::Event;
use crate::files::foreign_write::WrittenFile;
use crate::files::{WriteError, directory_of, state_file};
use inputs::clock;
use lease::ClusterName;
use policy::moment::BootTime;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const INTERVAL: Duration = Duration::from_millis(500);
/// Between two messages about the same content.
const LOG_PAUSE: Duration = Duration::from_secs(300);

/// A state file that another program has written.
pub(crate) struct ForeignWrite {
    pub(super) cluster: ClusterName,
    /// What it contains, as a clause.
    pub(super) content: String,
}

type Files = Vec<(ClusterName, PathBuf, WrittenFile)>;

impl Daemon {
    /// Looks at all state files whose content is known, in the threads that write them.
    pub(super) fn check_state_files(&mut self, now: BootTime) {
        if now < self.state_files_checked_at {
            return;
        }
        self.state_files_checked_at = now.after(INTERVAL);
        for (directory, files) in self.settled_files() {
            // A directory that hangs has its last check still before it.
            if !self.directories_being_checked.insert(directory.clone()) {
                continue;
            }
            let events = self.events.clone();
            self.writers.after_writes(&directory.clone(), move || {
                let found = files.into_iter().filter_map(|(cluster, path, written)| {
                    let content = written.foreign_content(&path)?;
                    Some(ForeignWrite { cluster, content })
                });
                events.send(Event::StateFilesChecked(directory, found.collect()));
            });
        }
    }

    fn settled_files(&self) -> BTreeMap<PathBuf, Files> {
        let mut directories: BTreeMap<PathBuf, Files> = BTreeMap::new();
        for (name, cluster) in &self.clusters {
            if let Some(written) = cluster.settled_file() {
                let path = cluster.settings.state_file.clone();
                let files = directories.entry(directory_of(&path).to_owned()).or_default();
                files.push((name.clone(), path, written.clone()));
            }
        }
        directories
    }

    pub(super) fn state_files_checked(&mut self, directory: &PathBuf, found: Vec<ForeignWrite>) {
        self.directories_being_checked.remove(directory);
        for foreign in found {
            self.log_foreign_write(&foreign);
            self.restore_state_file(foreign.cluster);
        }
    }

    /// If a write has been started in the meantime, it has replaced the file.
    fn restore_state_file(&mut self, name: ClusterName) {
        let Some(cluster) = self.clusters.get(&name) else {
            return;
        };
        let path = cluster.settings.state_file.clone();
        let Some(state) = cluster.settled_file().map(|file| file.state.clone()) else {
            return;
        };
        let events = self.events.clone();
        self.writers.write(
            &path.clone(),
            move || state_file::write(&path, &state),
            move |result| {
                if let Err(error) = result {
                    events.send(Event::StateFileNotRestored(name, error));
                }
            },
        );
    }

    /// A program that writes the file again and again is logged every five minutes.
    pub(super) fn log_foreign_write(&mut self, foreign: &ForeignWrite) {
        let Some(cluster) = self.clusters.get_mut(&foreign.cluster) else {
            return;
        };
        let now = clock::boot_time();
        let is_same = |(logged, at): &(String, BootTime)| *logged == foreign.content && now.since(*at) < LOG_PAUSE;
        if cluster.logged_foreign_write.as_ref().is_some_and(is_same) {
            return;
        }
        let (name, path) = (foreign.cluster.as_str(), cluster.settings.state_file.display());
        log::warn!(
            CLUSTER = name;
            "cluster {name}: another program has written the state file {path}, and {}: rcrond writes it again; \
             use `rcronctl drain` and `undrain` to switch servers",
            foreign.content
        );
        cluster.logged_foreign_write = Some((foreign.content.clone(), now));
    }

    /// The next check finds the file as it is and tries again.
    pub(super) fn state_file_not_restored(&mut self, name: &ClusterName, error: &WriteError) {
        let Some(cluster) = self.clusters.get(name) else { return };
        let path = cluster.settings.state_file.display();
        let text = format!("cluster {}: cannot restore {path}: {error}", name.as_str());
        self.log_file_failure(text);
    }
}
