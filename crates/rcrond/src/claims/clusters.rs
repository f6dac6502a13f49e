//! Which cluster a claim is for: the one whose state file the claim names.

use crate::config::{ClusterSettings, resolve_links};
use lease::ClusterName;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// For a file system to say where links lead.
const LIMIT: Duration = Duration::from_secs(2);
/// How many names of a state file are remembered.
const MOST_PATHS: usize = 8;

/// The state files of the configured clusters.
#[derive(Debug, Default)]
pub(crate) struct StateFiles {
    files: Mutex<Vec<StateFile>>,
    /// The users for whom a thread follows links. It may hang in a file system of the user's, so each has at most one.
    busy: Arc<Mutex<HashSet<u32>>>,
}

#[derive(Clone, Debug)]
struct StateFile {
    /// As configured, and, once that is known, where its links lead; then other names that claims have used, up to [`MOST_PATHS`].
    paths: Vec<PathBuf>,
    cluster: ClusterName,
}

impl StateFiles {
    /// Takes over the configuration. Links are followed in a thread, because that can block on a file system.
    pub(crate) fn set(self: &Arc<Self>, clusters: &[ClusterSettings]) {
        let file = |settings: &ClusterSettings| StateFile {
            paths: vec![settings.state_file.clone()],
            cluster: settings.name.clone(),
        };
        let mut files: Vec<_> = clusters.iter().map(file).collect();
        self.files().clone_from(&files);
        let this = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            for file in &mut files {
                let target = resolve_links(&file.paths[0]);
                file.paths.push(target);
            }
            let mut current = this.files();
            let is_current = current.len() == files.len()
                && current
                    .iter()
                    .zip(&files)
                    .all(|(current, file)| current.cluster == file.cluster && current.paths[0] == file.paths[0]);
            if is_current {
                *current = files;
            }
        });
    }

    /// The cluster of this state file; `None` if there is none.
    ///
    /// # Errors
    /// Nothing is known, because a file system does not answer: rcron is to try again.
    pub(super) async fn find(&self, state_file: &[u8], uid: u32) -> Result<Option<ClusterName>, Option<String>> {
        let path = PathBuf::from(OsStr::from_bytes(state_file));
        if let Some(cluster) = self.named(&path) {
            return Ok(Some(cluster));
        }
        // The wrapper reads only absolute paths.
        if !path.is_absolute() {
            return Ok(None);
        }
        if !self.busy().insert(uid) {
            return Err(None);
        }
        let (busy, link) = (Arc::clone(&self.busy), path.clone());
        let target = tokio::task::spawn_blocking(move || {
            let target = resolve_links(&link);
            busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&uid);
            target
        });
        match timeout(LIMIT, target).await {
            Ok(Ok(target)) => Ok(self.remember(path, &target)),
            _ => Err(None),
        }
    }

    /// The cluster whose state file is `target`, which is also called `path`.
    fn remember(&self, path: PathBuf, target: &PathBuf) -> Option<ClusterName> {
        let mut files = self.files();
        let file = files.iter_mut().find(|file| file.paths.contains(target))?;
        if file.paths.len() < MOST_PATHS {
            file.paths.push(path);
        }
        Some(file.cluster.clone())
    }

    fn named(&self, path: &PathBuf) -> Option<ClusterName> {
        let files = self.files();
        let found = files.iter().find(|file| file.paths.contains(path));
        found.map(|file| file.cluster.clone())
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Vec<StateFile>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, HashSet<u32>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lease::Timing;
    use std::os::unix::fs::symlink;

    fn settings(name: &str, state_file: PathBuf) -> ClusterSettings {
        let second = Duration::from_secs(10);
        let timing = Timing::new(second, Duration::ZERO, second, second).expect("good");
        ClusterSettings {
            name: ClusterName::new(name),
            state_file,
            journal: None,
            priority: 1,
            run_on: lease::RunOn::Active,
            timing,
        }
    }

    #[test]
    fn are_found_by_each_name_of_their_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::create_dir(path("run")).expect("made");
        symlink(path("run"), path("link")).expect("made");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let files = Arc::new(StateFiles::default());
            files.set(&[settings("web", path("run/state")), settings("db", path("link/db"))]);
            let find = async |path: PathBuf| files.find(path.as_os_str().as_bytes(), 7).await.expect("answered");
            let web = Some(ClusterName::new("web"));
            assert_eq!(find(path("run/state")).await, web);
            assert_eq!(find(path("link/state")).await, web);
            assert_eq!(find(path("link/state")).await, web);
            assert_eq!(find(path("link/db")).await, Some(ClusterName::new("db")));
            assert_eq!(find(path("run/other")).await, None);
            assert_eq!(find("state".into()).await, None);
            // Once the thread has followed the links.
            while find(path("run/db")).await != Some(ClusterName::new("db")) {
                tokio::task::yield_now().await;
            }
        });
    }
}
