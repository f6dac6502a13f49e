//! Stopping: everything is released within a time limit.

use super::Daemon;
use crate::api::systemd;
use inputs::clock;
use lease::Input;
use std::time::Duration;

/// For the two calls to the store that a stop takes, in addition to the clusters' `grace`. A store that does not answer is not
/// waited for any longer.
const RELEASE_LIMIT: Duration = Duration::from_secs(5);
/// How much later than the daemon's own limit systemd's is.
const SYSTEMD_MARGIN: Duration = Duration::from_secs(5);

impl Daemon {
    pub(super) fn begin_stop(&mut self) {
        let limit = self.longest_grace() + RELEASE_LIMIT;
        if self.exit_by.is_none() {
            systemd::notify_stopping();
            systemd::extend_timeout(limit + SYSTEMD_MARGIN);
            log::info!("stopping: state files become passive, then the clusters are released");
            self.exit_by = Some(clock::boot_time().after(limit));
            self.stop_claims();
        }
        self.step(Input::Stop);
    }

    /// For how long jobs of a released cluster may still run.
    pub(super) fn longest_grace(&self) -> Duration {
        let clusters = self.config.clusters.iter();
        clusters.map(|cluster| cluster.timing.grace()).max().unwrap_or_default()
    }

    pub(super) fn must_exit(&self) -> bool {
        let is_late = self.exit_by.is_some_and(|limit| limit <= clock::boot_time());
        if is_late {
            log::warn!(
                "exiting before everything is released, because the time for the stop is over: the leases expire"
            );
        }
        is_late || self.machine.is_finished()
    }
}
