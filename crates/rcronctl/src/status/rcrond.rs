//! What this server's rcrond reports.

use super::cluster::ClusterState;
use crate::cli::Socket;
use crate::daemon::{self, SURVEY};
use control::{ClusterDrift, ClusterReport, DriftReport, Report};
use policy::state::State;

/// If nothing shows that rcrond is used on this server, there is neither a report nor an error.
#[derive(Default)]
pub(super) struct Rcrond {
    pub(super) report: Option<Report>,
    /// Why there is no report, or none about the other nodes.
    pub(super) error: Option<String>,
    /// How the servers differ, or why that is not known. `None` if the store does not answer.
    pub(super) drift: Option<Result<DriftReport, String>>,
}

/// Whether nothing shows that rcrond is used here, so that a missing socket is not worth a line.
fn may_be_absent<'a>(socket: &Socket, mut states: impl Iterator<Item = &'a State>) -> bool {
    socket.socket.is_none() && !states.any(|state| state.epoch.is_some())
}

impl Rcrond {
    /// Whoever names a socket wants to know if it does not exist.
    pub(super) fn ask(socket: &Socket, clusters: &[ClusterState]) -> Self {
        let may_be_absent = may_be_absent(socket, clusters.iter().filter_map(ClusterState::state));
        match daemon::fetch_report(socket.path(), true) {
            // rcrond reads the other nodes from the store only if the store has answered before.
            Ok(report) => {
                let is_useful = report.store.answers && report.store.session;
                let drift = || daemon::fetch_drift(socket.path(), SURVEY).map_err(|no_report| no_report.to_string());
                Self {
                    error: report.store.failure.clone().filter(|_| report.store.answers),
                    drift: is_useful.then(drift),
                    report: Some(report),
                }
            }
            Err(no_report) if may_be_absent && no_report.is_without_socket() => Self::default(),
            Err(no_report) => Self {
                error: Some(no_report.to_string()),
                ..Self::default()
            },
        }
    }

    /// How many differences the cluster's servers have, and which servers were compared.
    pub(super) fn drift_of(&self, cluster: &ClusterReport) -> Option<(&ClusterDrift, &DriftReport)> {
        let drift = self.drift.as_ref()?.as_ref().ok()?;
        let found = drift.clusters.iter().find(|found| found.name == cluster.name)?;
        Some((found, drift))
    }

    pub(super) fn report_of(&self, cluster: &ClusterState) -> Option<&ClusterReport> {
        daemon::cluster(self.report.as_ref()?, cluster.config())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_missed_without_a_sign_of_it() {
        let state = |line: &str| State::parse(line.as_bytes()).expect("a state");
        let (by_hand, by_rcrond) = (state("passive by=alice@n1"), state("passive epoch=3"));
        let default = Socket { socket: None };
        assert!(may_be_absent(&default, [&by_hand].into_iter()));
        assert!(!may_be_absent(&default, [&by_hand, &by_rcrond].into_iter()));
        let named = Socket {
            socket: Some("/nope".into()),
        };
        assert!(!may_be_absent(&named, [&by_hand].into_iter()));
    }
}
