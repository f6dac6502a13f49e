//! What the lease machine starts with: the configuration, and what an earlier process has left on disk.

use crate::config::{ClusterSettings, Config};
use crate::files::identity::SavedSession;
use crate::files::persistent_state::PersistentState;
use crate::files::state_file::{self, PreviousState};
use lease::{ClusterConfig, ClusterStart, Machine, SessionId, Start};
use policy::moment::BootTime;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A file system that takes longer than this is considered hung.
const READ_LIMIT: Duration = Duration::from_secs(2);

/// What the state files say, in the order of the clusters. Each directory is read by a thread of its own: if it hangs, its
/// files count as unreadable, and the others are not delayed.
pub(super) async fn previous_states(clusters: &[ClusterSettings], boot: &[u8]) -> Vec<PreviousState> {
    let mut directories: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
    for cluster in clusters {
        let directory = cluster.state_file.parent().unwrap_or(Path::new("/"));
        let files = directories.entry(directory).or_default();
        files.push(cluster.state_file.clone());
    }
    let read_all = |files: Vec<PathBuf>| {
        let boot = boot.to_vec();
        let read = move |file: PathBuf| {
            let state = state_file::read_previous(&file, &boot);
            (file, state)
        };
        tokio::task::spawn_blocking(move || files.into_iter().map(read).collect::<Vec<_>>())
    };
    let threads: Vec<_> = directories.into_values().map(read_all).collect();
    let deadline = Instant::now() + READ_LIMIT;
    let mut states = BTreeMap::new();
    for thread in threads {
        if let Ok(Ok(files)) = timeout_at(deadline, thread).await {
            states.extend(files);
        }
    }
    let state = |cluster: &ClusterSettings| states.get(&cluster.state_file).cloned();
    clusters
        .iter()
        .map(|cluster| state(cluster).unwrap_or_else(PreviousState::unknown))
        .collect()
}

/// A cluster as the machine needs it. While its jobs are still waited for, it is not drained yet.
pub(super) fn cluster_start(
    settings: &ClusterSettings,
    persistent_state: &PersistentState,
    previous: &PreviousState,
    saved: Option<&SavedSession>,
) -> ClusterStart {
    let entry = persistent_state.entry(&settings.name);
    ClusterStart {
        config: ClusterConfig {
            name: settings.name.clone(),
            timing: settings.timing,
            priority: settings.priority,
            run_on: settings.run_on,
        },
        drained: entry.drained.is_some_and(|drained| drained.wait_ms.is_none()),
        epoch: entry.epoch,
        file: previous.content,
        shared: saved.is_some_and(|saved| saved.has_shared(settings.name.as_str())),
    }
}

/// The machine, which resumes this session if there is one.
///
/// # Errors
/// The kernel gives no random numbers.
pub(super) fn new(
    config: &Config,
    session: Option<SessionId>,
    clusters: Vec<ClusterStart>,
    now: BootTime,
) -> io::Result<Machine> {
    let start = Start {
        node: config.node.clone(),
        kept: session,
        seed: random_seed()?,
        clusters,
    };
    Ok(Machine::new(start, now))
}

/// Randomness for a machine.
///
/// # Errors
/// The kernel gives no random numbers.
pub(super) fn random_seed() -> io::Result<[u64; 2]> {
    let random = sys::random::sixteen_bytes()?;
    let (first, second) = random.split_at(8);
    let number = |half: &[u8]| half.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Ok([number(first), number(second)])
}
