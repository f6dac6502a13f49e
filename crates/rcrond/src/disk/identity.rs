//! The session's identity, kept for this boot, and the lock that goes with it.
//!
//! A process that is started again takes its predecessor's session up, so that an upgrade is no failover.

use lease::SessionId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use sys::file::{self, Unreadable};
use sys::output::error_text;
use sys::{lock, replace};

const LARGEST: usize = 16 << 20;
/// Who knows a session's identity could pretend to be it; but who can write to the store could do anything anyway.
const MODE: u32 = 0o600;

/// The directory for this boot, with its lock held.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    _lock: File,
}

/// `identity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// The boot it is of, should the directory outlive it.
    boot: String,
    node: String,
    session: String,
    /// All clusters that the session may hold, with their state files: what is written there is believed.
    clusters: Held,
}

/// Clusters and their state files.
pub(crate) type Held = BTreeMap<String, PathBuf>;

impl RunDir {
    /// Takes the directory, which is made if it is missing.
    ///
    /// # Errors
    /// A message for people: another rcrond has it, or the system says no.
    pub(crate) fn take(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let failed = |error: &std::io::Error| format!("cannot use {shown}: {}", error_text(error));
        fs::create_dir_all(path).map_err(|error| failed(&error))?;
        let lock = lock::take(&path.join("lock")).map_err(|error| failed(&error))?;
        let lock = lock.ok_or_else(|| {
            format!(
                "another rcrond is running: it has the lock {shown}/lock (one rcrond serves any number of clusters)"
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The file.
    pub(crate) fn identity(&self) -> PathBuf {
        self.path.join("identity")
    }

    /// The session has been ended: the next process begins with none.
    pub(crate) fn forget(&self) {
        // One that stays is found ended, and costs a line in the log.
        let _ = fs::remove_file(self.identity());
    }

    /// The session of a process of this boot and of this name, if all clusters that it may hold are still `configured`, with the same
    /// files. What cannot be read is none: then leases are waited out.
    pub(crate) fn kept(&self, boot: &[u8], node: &str, configured: &Held) -> Option<SessionId> {
        let kept = read(&self.identity())?;
        let is_ours = kept.boot.as_bytes() == boot && kept.node == node;
        let same = |(name, file): (&String, &PathBuf)| configured.get(name) == Some(file);
        let complete = kept.clusters.iter().all(same);
        SessionId::parse(&kept.session).filter(|_| is_ours && complete)
    }
}

/// Keeps it.
///
/// # Errors
/// The system's, for people.
pub(crate) fn write(path: &Path, boot: &[u8], node: &str, session: SessionId, clusters: &Held) -> Result<(), String> {
    let kept = Kept {
        boot: String::from_utf8_lossy(boot).into_owned(),
        node: node.to_owned(),
        session: session.to_string(),
        clusters: clusters.clone(),
    };
    let text = serde_json::to_vec(&kept).map_err(|error| error.to_string())?;
    replace::replace(path, &text, MODE).map_err(|error| error_text(&error))
}

fn read(path: &Path) -> Option<Kept> {
    match file::read_beginning(path.as_os_str(), LARGEST) {
        Ok(contents) => serde_json::from_slice(&contents.bytes).ok(),
        Err(Unreadable::Missing | Unreadable::NotRegular(_) | Unreadable::System(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_has_the_directory_and_the_next_finds_the_identity() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("run");
        let id = SessionId(*b"0123456789abcdef");
        let held = |pairs: &[(&str, &str)]| -> Held {
            pairs
                .iter()
                .map(|(name, file)| ((*name).to_owned(), file.into()))
                .collect()
        };
        let names = held(&[("a", "/run/a"), ("b", "/run/b")]);
        let first = RunDir::take(&path).expect("taken");
        assert!(RunDir::take(&path).expect_err("locked").contains("another rcrond"));
        assert_eq!(first.kept(b"boot", "n1", &names), None);
        write(&first.identity(), b"boot", "n1", id, &names).expect("kept");
        drop(first);
        let second = RunDir::take(&path).expect("taken");
        assert_eq!(second.kept(b"boot", "n1", &names), Some(id));
        assert_eq!(
            second.kept(b"boot", "n1", &held(&[("a", "/run/a")])),
            None,
            "it may hold b"
        );
        let swapped = held(&[("a", "/run/b"), ("b", "/run/a")]);
        assert_eq!(
            second.kept(b"boot", "n1", &swapped),
            None,
            "a file does not say whose it is"
        );
        assert_eq!(second.kept(b"another", "n1", &names), None);
        assert_eq!(second.kept(b"boot", "n2", &names), None);
    }
}
