//! What must outlive everything: the highest epoch that this node has seen or reserved, and what was drained.

use lease::ClusterName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use sys::file::{self, Unreadable};
use sys::output::error_text;
use sys::replace;

/// The file, in `state_dir`.
pub(crate) const LEDGER: &str = "clusters.json";

/// A thousand clusters with long names fit.
const LARGEST: usize = 16 << 20;
const MODE: u32 = 0o644;

/// [`LEDGER`]. Clusters that the configuration no longer names stay in it: they may come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    clusters: BTreeMap<String, Entry>,
}

/// One cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The highest epoch seen or reserved.
    #[serde(default)]
    pub(crate) epoch: u64,
    /// `drain` was said, and not taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) drained: Option<Drained>,
}

/// How it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drained {
    /// Milliseconds to wait for running jobs; gone once they have been waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wait_ms: Option<u64>,
}

impl Ledger {
    /// Reads it; a missing one is empty.
    ///
    /// # Errors
    /// A message: one that cannot be read must not be taken for an empty one, or epochs would go back.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let bytes = match file::read_beginning(path.as_os_str(), LARGEST) {
            Ok(contents) => contents.bytes,
            Err(Unreadable::Missing) => return Ok(Self::default()),
            Err(error) => return Err(format!("cannot read the epochs from {shown}: {error}")),
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            format!(
                "cannot read the epochs from {shown}: {error}; if it is broken beyond repair, move it away: epochs then go on from \
                 those in the store, and what was drained must be drained anew"
            )
        })
    }

    /// Replaces it, synced.
    ///
    /// # Errors
    /// The system's, for people.
    pub(crate) fn write(&self, path: &Path) -> Result<(), String> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        text.push(b'\n');
        replace::replace(path, &text, MODE).map_err(|error| error_text(&error))
    }

    /// What is known of a cluster.
    pub(crate) fn entry(&self, name: &ClusterName) -> Entry {
        self.clusters.get(name.as_str()).cloned().unwrap_or_default()
    }

    /// Keeps an epoch. It never goes back.
    pub(crate) fn keep_epoch(&mut self, name: &ClusterName, epoch: u64) {
        let entry = self.entry_mut(name);
        entry.epoch = entry.epoch.max(epoch);
    }

    /// Keeps what was said of a cluster.
    pub(crate) fn set_drained(&mut self, name: &ClusterName, drained: Option<Drained>) {
        self.entry_mut(name).drained = drained;
    }

    fn entry_mut(&mut self, name: &ClusterName) -> &mut Entry {
        self.clusters.entry(name.as_str().to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_written_is_read_and_epochs_never_go_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lib/clusters.json");
        let (web, odd) = (ClusterName::new("web"), ClusterName::new("a \"b\"\n\u{fc}"));
        let mut ledger = Ledger::read(&path).expect("missing is empty");
        ledger.keep_epoch(&web, 7);
        ledger.keep_epoch(&web, 5);
        ledger.set_drained(&odd, Some(Drained { wait_ms: Some(5) }));
        ledger.write(&path).expect("written");
        let read = Ledger::read(&path).expect("read");
        assert_eq!(read, ledger);
        assert_eq!(read.entry(&web).epoch, 7);
        assert_eq!(read.entry(&odd).drained, Some(Drained { wait_ms: Some(5) }));
        assert_eq!(read.entry(&ClusterName::new("other")), Entry::default());
    }

    #[test]
    fn a_broken_one_is_not_an_empty_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("clusters.json");
        for junk in [
            "",
            "{",
            "{\"clusters\":{\"web\":{\"epoch\":-1}}}",
            "{\"clusters\":{},\"more\":1}",
        ] {
            fs::write(&path, junk).expect("written");
            let error = Ledger::read(&path).expect_err(junk);
            assert!(error.contains("move it away"), "{error}");
        }
        assert!(Ledger::read(directory.path()).is_err());
    }
}
