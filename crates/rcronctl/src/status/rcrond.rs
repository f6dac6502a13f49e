//! What this server's rcrond has to say.

use super::Known;
use crate::daemon::{self, Silence};
use control::{ClusterReport, Report};
use policy::config::Config;
use std::path::Path;

/// A report, or the reason why there is none. Where nothing shows that rcrond is in use, neither.
pub(super) struct Rcrond {
    report: Option<Report>,
    /// Why there is no report, or none of the other nodes.
    trouble: Option<String>,
}

impl Rcrond {
    /// Asks it: first what it knows itself, which it has at hand; then for the other nodes, for which it must ask the store.
    pub(super) fn look(socket: &Path, known: &[Known]) -> Self {
        let report = match daemon::report(socket, false) {
            Ok(report) => report,
            Err(silence) => return Self::silent(silence, known),
        };
        let is_ours = |known: &Known| daemon::cluster(&report, known.config()).is_some();
        // The store's silence would be waited for in vain.
        if !report.store.answers || !known.iter().any(is_ours) {
            return Self::heard(report, None);
        }
        match daemon::report(socket, true) {
            Ok(report) => Self::heard(report, None),
            Err(silence) => Self::heard(report, Some(silence.into_text())),
        }
    }

    const fn heard(report: Report, trouble: Option<String>) -> Self {
        Self {
            report: Some(report),
            trouble,
        }
    }

    fn silent(silence: Silence, known: &[Known]) -> Self {
        let is_rcronds = |known: &Known| known.state().is_some_and(|state| state.epoch.is_some());
        let trouble = match silence {
            Silence::NoSocket(_) if !known.iter().any(is_rcronds) => None,
            silence => Some(silence.into_text()),
        };
        Self { report: None, trouble }
    }

    pub(super) const fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What it says of the cluster of a configuration.
    pub(super) fn cluster(&self, config: &Config) -> Option<&ClusterReport> {
        daemon::cluster(self.report()?, config)
    }
}
