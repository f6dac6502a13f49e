//! What this server's rcrond reports.

use super::cluster::ClusterState;
use crate::daemon;
use control::{ClusterReport, Report};
use std::path::Path;

/// If nothing shows that rcrond is used on this server, there is neither a report nor an error.
#[derive(Default)]
pub(super) struct Rcrond {
    pub(super) report: Option<Report>,
    /// Why there is no report, or none about the other nodes.
    pub(super) error: Option<String>,
}

impl Rcrond {
    pub(super) fn ask(socket: &Path, clusters: &[ClusterState]) -> Self {
        let has_epoch = |cluster: &ClusterState| cluster.state().is_some_and(|state| state.epoch.is_some());
        match daemon::fetch_report(socket, true) {
            // rcrond reads the other nodes from the store only if the store has answered before.
            Ok(report) => Self {
                error: report.store.failure.clone().filter(|_| report.store.answers),
                report: Some(report),
            },
            Err(no_report) if no_report.is_without_socket() && !clusters.iter().any(has_epoch) => Self::default(),
            Err(no_report) => Self {
                report: None,
                error: Some(no_report.to_string()),
            },
        }
    }

    pub(super) fn report_of(&self, cluster: &ClusterState) -> Option<&ClusterReport> {
        daemon::cluster(self.report.as_ref()?, cluster.config())
    }
}
