//! The jobs that are running now.

use super::cluster::ClusterState;
use crate::output::warn;
use crate::runs;
use journal::{Query, Runs, Source, States};
use std::collections::BTreeMap;

/// The runs whose processes exist, as far as this user may see them.
pub(super) struct RunningJobs {
    pub(super) runs: Runs,
    /// By the name of the cluster.
    counts: BTreeMap<String, usize>,
}

impl RunningJobs {
    pub(super) fn find(clusters: &[ClusterState]) -> Self {
        let directories = runs::directories(clusters.iter().map(ClusterState::config));
        let sources: Vec<Source> = directories
            .into_iter()
            .filter(|directory| directory.exists())
            .map(Source::Own)
            .collect();
        let query = Query {
            states: States::Running,
            ..Query::default()
        };
        let mut runs = journal::read(&sources, &query);
        let mut counts: BTreeMap<String, usize> = clusters.iter().map(|cluster| (cluster.name(), 0)).collect();
        for run in runs.iter() {
            // A cluster that is not configured here is not shown, and users can invent any number of names.
            if let Some(count) = counts.get_mut(&run.cluster) {
                *count += 1;
            }
        }
        Self { runs, counts }
    }

    /// How many jobs of a cluster are running; `None` if there seems to be none, but not every journal could be read.
    pub(super) fn count(&self, cluster: &str) -> Option<usize> {
        let count = self.counts.get(cluster).copied().unwrap_or_default();
        (count > 0 || self.runs.is_complete()).then_some(count)
    }

    /// Warns of what could not be seen.
    pub(super) fn warn(&self) {
        self.runs.unseen().iter().for_each(warn);
    }
}
