//! What must survive a reboot: the highest epoch that this node has seen or reserved, and which clusters are drained.

use super::WriteError;
use control::DrainOrigin;
use lease::ClusterName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use sys::file::{self, Unreadable};
use sys::replace;

/// The name of the file in `state_dir`.
pub(crate) const FILE_NAME: &str = "clusters.json";

/// The version of the file's format. From this one on, later versions of rcrond read the file, and ignore fields that they do
/// not know.
const FORMAT: u32 = 1;

/// In bytes. A thousand clusters with long names fit.
const MAX_SIZE: usize = 16 << 20;
const MODE: u32 = 0o644;

/// The content of [`FILE_NAME`]. A cluster stays in it when it is removed from the configuration, because it may be added again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PersistentState {
    format: u32,
    clusters: BTreeMap<String, Entry>,
}

/// The state of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The highest epoch that was seen or reserved; 0 if there was none.
    #[serde(default)]
    pub(crate) epoch: u64,
    /// Present from `drain` until `undrain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) drained: Option<Drained>,
}

/// How the cluster was drained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drained {
    /// For how many milliseconds to wait for running jobs; absent once the wait is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wait_ms: Option<u64>,
    /// Absent if an earlier version of rcrond has drained the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<DrainOrigin>,
}

const LOSS: &str = "epochs then continue from those in the store, and drained clusters must be drained again";

/// Why the file cannot be used.
#[derive(Debug)]
pub(crate) enum ReadError {
    Unreadable(Unreadable),
    Invalid(serde_json::Error),
    /// A later version of rcrond has written it.
    Format(u32),
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(out),
            Self::Invalid(error) => write!(out, "{error}; if the file cannot be repaired, move it away: {LOSS}"),
            Self::Format(format) => write!(
                out,
                "this version of rcrond does not know format {format}: install the later version again, or move it away: {LOSS}"
            ),
        }
    }
}

impl Default for PersistentState {
    fn default() -> Self {
        Self {
            format: FORMAT,
            clusters: BTreeMap::new(),
        }
    }
}

impl PersistentState {
    /// Reads the file. A missing file is the same as an empty one.
    ///
    /// # Errors
    /// [`ReadError`]. A file that cannot be read must not be taken as empty, because epochs would go back.
    pub(crate) fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = match file::read_beginning(path.as_os_str(), MAX_SIZE) {
            Ok(contents) => contents.bytes,
            Err(Unreadable::Missing) => return Ok(Self::default()),
            Err(error) => return Err(ReadError::Unreadable(error)),
        };
        let state: Self = serde_json::from_slice(&bytes).map_err(ReadError::Invalid)?;
        if state.format > FORMAT {
            return Err(ReadError::Format(state.format));
        }
        Ok(state)
    }

    /// Replaces the file, synced to disk.
    ///
    /// # Errors
    /// [`WriteError::System`].
    pub(crate) fn write(&self, path: &Path) -> Result<(), WriteError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(io::Error::from)?;
        text.push(b'\n');
        Ok(replace::replace(path, &text, MODE)?)
    }

    /// A cluster's state; that of a cluster which is not in the file if it has none.
    pub(crate) fn entry(&self, name: &ClusterName) -> Entry {
        self.clusters.get(name.as_str()).cloned().unwrap_or_default()
    }

    /// Records an epoch. A lower one than before changes nothing.
    pub(crate) fn raise_epoch(&mut self, name: &ClusterName, epoch: u64) {
        let entry = self.entry_mut(name);
        entry.epoch = entry.epoch.max(epoch);
    }

    /// Records that the cluster is drained. If it was drained before, the origin stays.
    pub(crate) fn drain(&mut self, name: &ClusterName, wait_ms: Option<u64>, origin: DrainOrigin) {
        let drained = &mut self.entry_mut(name).drained;
        let origin = drained.take().map_or(Some(origin), |drained| drained.origin);
        *drained = Some(Drained { wait_ms, origin });
    }

    /// Records that running jobs are not waited for any longer.
    pub(crate) fn end_drain_wait(&mut self, name: &ClusterName) {
        if let Some(drained) = &mut self.entry_mut(name).drained {
            drained.wait_ms = None;
        }
    }

    /// Records that the cluster is no longer drained. Returns whether it was.
    pub(crate) fn undrain(&mut self, name: &ClusterName) -> bool {
        self.entry_mut(name).drained.take().is_some()
    }

    /// Where the cluster's drain comes from, if it is drained and that is known.
    pub(crate) fn drain_origin(&self, name: &ClusterName) -> Option<&DrainOrigin> {
        self.clusters.get(name.as_str())?.drained.as_ref()?.origin.as_ref()
    }

    fn entry_mut(&mut self, name: &ClusterName) -> &mut Entry {
        self.clusters.entry(name.as_str().to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn origin(by: &str) -> DrainOrigin {
        DrainOrigin {
            since: "2026-12-01T03:12:00Z".to_owned(),
            by: by.to_owned(),
        }
    }

    #[test]
    fn the_first_drain_counts_until_undrain() {
        let web = ClusterName::new("web");
        let mut state = PersistentState::default();
        state.end_drain_wait(&web);
        assert_eq!(state.entry(&web).drained, None);
        state.drain(&web, Some(5), origin("anna"));
        state.drain(&web, None, origin("otto"));
        state.end_drain_wait(&web);
        assert_eq!(state.drain_origin(&web), Some(&origin("anna")));
        assert!(state.undrain(&web) && !state.undrain(&web));
        state.drain(&web, None, origin("otto"));
        assert_eq!(state.drain_origin(&web), Some(&origin("otto")));
    }

    #[test]
    fn what_is_written_is_read_and_epochs_never_go_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lib/clusters.json");
        let (web, odd) = (ClusterName::new("web"), ClusterName::new("a \"b\"\n\u{fc}"));
        let mut state = PersistentState::read(&path).expect("missing is empty");
        state.raise_epoch(&web, 7);
        state.raise_epoch(&web, 5);
        state.drain(&odd, Some(5), origin("anna"));
        state.write(&path).expect("written");
        let read = PersistentState::read(&path).expect("read");
        assert_eq!(read, state);
        assert_eq!(read.entry(&web).epoch, 7);
        let drained = Drained {
            wait_ms: Some(5),
            origin: Some(origin("anna")),
        };
        assert_eq!(read.entry(&odd).drained, Some(drained));
        assert_eq!(read.entry(&ClusterName::new("other")), Entry::default());
    }

    #[test]
    fn a_broken_file_is_not_taken_as_empty() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("clusters.json");
        for junk in [
            "",
            "{",
            "{\"format\":1,\"clusters\":{\"web\":{\"epoch\":-1}}}",
            "{\"clusters\":{}}",
            "{\"format\":2,\"clusters\":{}}",
        ] {
            fs::write(&path, junk).expect("written");
            let error = PersistentState::read(&path).expect_err(junk).to_string();
            assert!(error.contains("move it away"), "{error}");
        }
        assert!(PersistentState::read(directory.path()).is_err());
    }

    #[test]
    fn fields_of_a_later_version_are_ignored() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("clusters.json");
        let text = "{\"format\":1,\"more\":1,\"clusters\":{\"web\":{\"epoch\":7,\"drained\":{\"more\":1},\"more\":1}}}";
        fs::write(&path, text).expect("written");
        let entry = PersistentState::read(&path)
            .expect("read")
            .entry(&ClusterName::new("web"));
        let drained = Drained {
            wait_ms: None,
            origin: None,
        };
        assert_eq!((entry.epoch, entry.drained), (7, Some(drained)));
    }
}
