//! What the machine starts with: the configuration, and what is on disk.

use super::cluster::Cluster;
use crate::config::{ClusterSettings, Config};
use crate::disk::ledger::Ledger;
use crate::disk::state_file::{self, PreviousState};
use lease::{ClusterConfig, ClusterName, ClusterStart, Machine, SessionId, Start};
use policy::moment::BootTime;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A file system that takes longer than that hangs.
const READ_LIMIT: Duration = Duration::from_secs(2);

/// All clusters, by name.
pub(crate) type Clusters = BTreeMap<ClusterName, Cluster>;

/// What the state files say, one for each cluster. A directory at a time, side by side: one that hangs counts as unreadable, and holds up
/// no other.
pub(super) async fn inherited(clusters: &[ClusterSettings], boot: &[u8]) -> Vec<PreviousState> {
    let mut directories: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
    for cluster in clusters {
        let directory = cluster.state_file.parent().unwrap_or(Path::new("/"));
        directories
            .entry(directory)
            .or_default()
            .push(cluster.state_file.clone());
    }
    let read = |files: Vec<PathBuf>| {
        let boot = boot.to_vec();
        tokio::task::spawn_blocking(move || {
            let pair = |file: PathBuf| {
                let found = state_file::inherited(&file, &boot);
                (file, found)
            };
            files.into_iter().map(pair).collect::<Vec<_>>()
        })
    };
    let reading: Vec<_> = directories.into_values().map(read).collect();
    let deadline = Instant::now() + READ_LIMIT;
    let mut found = BTreeMap::new();
    for directory in reading {
        if let Ok(Ok(files)) = timeout_at(deadline, directory).await {
            found.extend(files);
        }
    }
    let take = |cluster: &ClusterSettings| {
        found
            .get(&cluster.state_file)
            .cloned()
            .unwrap_or_else(PreviousState::unknown)
    };
    clusters.iter().map(take).collect()
}

/// As the machine wants to know it. One whose jobs are still waited for is not out yet.
pub(crate) fn cluster_start(settings: &ClusterSettings, ledger: &Ledger, inherited: &PreviousState) -> ClusterStart {
    let entry = ledger.entry(&settings.name);
    ClusterStart {
        config: ClusterConfig {
            name: settings.name.clone(),
            timing: settings.timing,
            priority: settings.priority,
        },
        drained: entry.drained.is_some_and(|drained| drained.wait_ms.is_none()),
        epoch: entry.epoch,
        file: inherited.active,
    }
}

/// The machine.
///
/// # Errors
/// The kernel has no randomness to give.
pub(crate) fn machine(
    config: &Config,
    kept: Option<SessionId>,
    clusters: Vec<ClusterStart>,
    now: BootTime,
) -> std::io::Result<Machine> {
    let random = sys::random::sixteen_bytes()?;
    let (first, second) = random.split_at(8);
    let number = |half: &[u8]| half.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let start = Start {
        node: config.node.clone(),
        kept,
        seed: [number(first), number(second)],
        clusters,
    };
    Ok(Machine::new(start, now))
}
