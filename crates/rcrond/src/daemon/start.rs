//! What the machine starts with: the configuration, and what is on disk.

use super::cluster::Cluster;
use crate::config::{ClusterSettings, Config};
use crate::disk::ledger::Ledger;
use crate::disk::state_file::{self, Inherited};
use policy::lease::{ClusterConfig, ClusterName, ClusterStart, Machine, SessionId, Start};
use policy::moment::BootTime;
use std::collections::BTreeMap;

/// All clusters, by name.
pub(crate) type Clusters = BTreeMap<ClusterName, Cluster>;

/// A cluster that the daemon has not known before.
pub(crate) fn meet(settings: &ClusterSettings, ledger: &Ledger, boot: &[u8]) -> (Cluster, ClusterStart) {
    let inherited = state_file::inherited(&settings.state_file, boot);
    let start = cluster_start(settings, ledger, &inherited);
    (Cluster::new(settings.clone(), &inherited), start)
}

/// As the machine wants to know it. One whose jobs are still waited for is not out yet.
pub(crate) fn cluster_start(settings: &ClusterSettings, ledger: &Ledger, inherited: &Inherited) -> ClusterStart {
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
    let random = platform::random::sixteen_bytes()?;
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
