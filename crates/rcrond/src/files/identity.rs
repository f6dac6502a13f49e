//! The identity of the session, saved for the rest of this boot, and the lock that belongs to it.
//!
//! A process that is started again resumes the session of the process before it. So an upgrade causes no failover.

use super::WriteError;
use lease::{LeaseDuration, SessionId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use sys::output::error_text;
use sys::{file, lock, replace};

/// The version of the file's format. From this one on, later versions of rcrond read the file, and ignore fields that they do
/// not know.
const FORMAT: u32 = 1;

const MAX_SIZE: usize = 16 << 20;
/// A user who knows the session's identity could write records in its name; but only with access to the store, which already
/// permits that.
const MODE: u32 = 0o600;

/// `run_dir`, whose lock this process holds.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    _lock: File,
}

/// Why `run_dir` cannot be used.
#[derive(Debug)]
pub(crate) enum RunDirError {
    /// Another rcrond holds the lock.
    Locked(PathBuf),
    /// The directory or the lock cannot be created.
    System(PathBuf, io::Error),
}

impl fmt::Display for RunDirError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(lock) => write!(
                out,
                "another rcrond is running: it holds the lock {} (one rcrond serves any number of clusters)",
                lock.display()
            ),
            Self::System(path, error) => write!(out, "cannot use {}: {}", path.display(), error_text(error)),
        }
    }
}

/// The content of the file `identity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedIdentity {
    format: u32,
    /// The boot ID. A lease does not outlive its boot, but the directory may.
    boot: String,
    node: String,
    session: String,
    /// The state files.
    clusters: BTreeMap<String, PathBuf>,
    /// The leases of the clusters that the session has shared, in milliseconds.
    #[serde(default)]
    shared: BTreeMap<String, u64>,
}

/// A session that can be resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedSession {
    pub(crate) session: SessionId,
    /// The names of the clusters that it has shared.
    shared: BTreeSet<String>,
}

impl SavedSession {
    /// Whether the session has shared this cluster.
    pub(crate) fn has_shared(&self, cluster: &str) -> bool {
        self.shared.contains(cluster)
    }
}

/// A cluster that the session may hold or share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldCluster {
    /// A process that resumes the session trusts this file.
    pub(crate) state_file: PathBuf,
    /// The lease of the shared state, if the session has shared the cluster: other nodes go by it. In the configuration it is the
    /// lease that the cluster will be shared with.
    pub(crate) shared_lease: Option<LeaseDuration>,
}

/// The clusters that the session may hold or share, by name.
pub(crate) type HeldClusters = BTreeMap<String, HeldCluster>;

impl RunDir {
    /// Locks the directory. It is created if it is missing.
    ///
    /// # Errors
    /// [`RunDirError`].
    pub(crate) fn lock(path: &Path) -> Result<Self, RunDirError> {
        let failed = |error| RunDirError::System(path.to_owned(), error);
        fs::create_dir_all(path).map_err(failed)?;
        let file = path.join("lock");
        let lock = lock::take(&file).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock.ok_or(RunDirError::Locked(file))?,
        })
    }

    /// The path of the identity's file.
    pub(crate) fn identity(&self) -> PathBuf {
        self.path.join("identity")
    }

    /// Removes the identity, because the session has ended.
    pub(crate) fn remove_identity(&self) {
        // If this fails, the next process finds that the session has ended. That costs a line in the log.
        let _ = fs::remove_file(self.identity());
    }

    /// The session that an earlier process of this boot and this node has saved. There is none if it may hold a cluster that is
    /// no longer `configured` with the same state file, if it has shared one with another lease, or if the file cannot be read.
    /// Then this node waits until the old leases have expired.
    pub(crate) fn saved_session(&self, boot: &[u8], node: &str, configured: &HeldClusters) -> Option<SavedSession> {
        let saved = read(&self.identity())?;
        let is_own = saved.boot.as_bytes() == boot && saved.node == node;
        let is_configured =
            |(name, file): (&String, &PathBuf)| configured.get(name).is_some_and(|cluster| cluster.state_file == *file);
        let has_lease = |(name, lease): (&String, &u64)| {
            let configured = configured.get(name).and_then(|cluster| cluster.shared_lease);
            configured.is_some_and(|configured| configured.milliseconds() == *lease)
        };
        let can_resume = saved.format <= FORMAT
            && is_own
            && saved.clusters.iter().all(is_configured)
            && saved.shared.iter().all(has_lease);
        let session = SessionId::parse(&saved.session).filter(|_| can_resume)?;
        Some(SavedSession {
            session,
            shared: saved.shared.into_keys().collect(),
        })
    }
}

/// Saves the session for a later process.
///
/// # Errors
/// [`WriteError::System`].
pub(crate) fn write(
    path: &Path,
    boot: &[u8],
    node: &str,
    session: SessionId,
    clusters: &HeldClusters,
) -> Result<(), WriteError> {
    let saved = SavedIdentity {
        format: FORMAT,
        boot: String::from_utf8_lossy(boot).into_owned(),
        node: node.to_owned(),
        session: session.to_string(),
        clusters: clusters
            .iter()
            .map(|(name, cluster)| (name.clone(), cluster.state_file.clone()))
            .collect(),
        shared: clusters
            .iter()
            .filter_map(|(name, cluster)| Some((name.clone(), cluster.shared_lease?.milliseconds())))
            .collect(),
    };
    let text = serde_json::to_vec(&saved).map_err(io::Error::from)?;
    Ok(replace::replace(path, &text, MODE)?)
}

fn read(path: &Path) -> Option<SavedIdentity> {
    let contents = file::read_beginning(path.as_os_str(), MAX_SIZE).ok()?;
    serde_json::from_slice(&contents.bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &[u8] = b"boot";

    fn session(run_dir: &RunDir, configured: &HeldClusters) -> Option<SessionId> {
        let saved = run_dir.saved_session(BOOT, "n1", configured);
        saved.map(|saved| saved.session)
    }

    fn held(pairs: &[(&str, &str)]) -> HeldClusters {
        let pair = |(name, file): &(&str, &str)| ((*name).to_owned(), cluster(file, None));
        pairs.iter().map(pair).collect()
    }

    fn cluster(file: &str, shared_seconds: Option<u64>) -> HeldCluster {
        let lease = |seconds| LeaseDuration::new(std::time::Duration::from_secs(seconds)).expect("a lease");
        HeldCluster {
            state_file: file.into(),
            shared_lease: shared_seconds.map(lease),
        }
    }

    #[test]
    fn a_session_that_has_shared_a_cluster_is_resumed_only_with_the_same_lease() {
        let directory = tempfile::tempdir().expect("a directory");
        let run_dir = RunDir::lock(directory.path()).expect("locked");
        let id = SessionId(*b"0123456789abcdef");
        let clusters = |first, second| {
            let pairs = [("a", cluster("/run/a", first)), ("b", cluster("/run/b", second))];
            HeldClusters::from(pairs.map(|(name, cluster)| (name.to_owned(), cluster)))
        };
        write(&run_dir.identity(), BOOT, "n1", id, &clusters(Some(10), None)).expect("saved");
        for (configured, expected) in [
            (clusters(Some(10), Some(10)), Some(id)),
            (clusters(Some(10), Some(20)), Some(id)),
            (clusters(Some(20), Some(10)), None),
            (clusters(Some(5), Some(10)), None),
        ] {
            let saved = run_dir.saved_session(BOOT, "n1", &configured);
            assert_eq!(saved.as_ref().map(|saved| saved.session), expected, "{configured:?}");
            assert!(saved.is_none_or(|saved| saved.has_shared("a") && !saved.has_shared("b")));
        }
    }

    #[test]
    fn one_process_has_the_directory_and_the_next_finds_the_identity() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("run");
        let id = SessionId(*b"0123456789abcdef");
        let names = held(&[("a", "/run/a"), ("b", "/run/b")]);
        let first = RunDir::lock(&path).expect("locked");
        let error = RunDir::lock(&path).expect_err("locked already").to_string();
        assert!(error.contains("another rcrond"), "{error}");
        assert_eq!(first.saved_session(BOOT, "n1", &names), None);
        write(&first.identity(), BOOT, "n1", id, &names).expect("saved");
        drop(first);
        let second = RunDir::lock(&path).expect("locked");
        assert_eq!(session(&second, &names), Some(id));
        assert_eq!(
            second.saved_session(BOOT, "n1", &held(&[("a", "/run/a")])),
            None,
            "it may hold b"
        );
        let swapped = held(&[("a", "/run/b"), ("b", "/run/a")]);
        assert_eq!(
            second.saved_session(BOOT, "n1", &swapped),
            None,
            "a state file does not contain its cluster's name"
        );
        assert_eq!(second.saved_session(b"another", "n1", &names), None);
        assert_eq!(second.saved_session(BOOT, "n2", &names), None);
    }

    #[test]
    fn fields_of_a_later_version_are_ignored_but_not_another_format() {
        let directory = tempfile::tempdir().expect("a directory");
        let run_dir = RunDir::lock(directory.path()).expect("locked");
        let id = SessionId(*b"0123456789abcdef");
        for (format, expected) in [(1, Some(id)), (2, None)] {
            let text = format!(
                "{{\"format\":{format},\"more\":1,\"boot\":\"boot\",\"node\":\"n1\",\"session\":\"{id}\",\"clusters\":{{}}}}"
            );
            fs::write(run_dir.identity(), text).expect("written");
            assert_eq!(session(&run_dir, &held(&[])), expected);
        }
    }
}
