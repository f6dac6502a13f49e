//! SIGHUP: the configuration is read again. No lease is lost by it: a change that would need a restart is refused.

use super::{ClusterState, Daemon, machine};
use crate::api::systemd;
use crate::config::{ClusterSettings, Config};
use crate::event::Event;
use crate::new_config::{self, NewConfig, NewConfigError};
use crate::store_tasks::client::StoreRequest;
use lease::{ClusterName, Input};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

const NEEDS_RESTART: &str = "cannot be changed without a restart";

/// Why a new configuration is not applied.
enum ReloadError {
    Unusable(NewConfigError),
    Stopping,
    // These cannot be changed while rcrond runs: other nodes would not know of the change, or an old file would stay active.
    KeyChanged(&'static str),
    StateFileChanged(ClusterName),
    NameChanged(PathBuf),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(error) => error.fmt(out),
            Self::Stopping => out.write_str("rcrond is stopping"),
            Self::KeyChanged(key) => write!(out, "{key} {NEEDS_RESTART}"),
            Self::StateFileChanged(cluster) => {
                write!(out, "the state_file of cluster {} {NEEDS_RESTART}", cluster.as_str())
            }
            Self::NameChanged(file) => {
                write!(out, "the name of the cluster with {} {NEEDS_RESTART}", file.display())
            }
        }
    }
}

impl Daemon {
    /// Starts reading; [`Event::ConfigRead`] has the result.
    pub(super) fn begin_reload(&self) {
        systemd::notify_reloading();
        let (file, boot, events) = (self.config_file.clone(), self.boot.clone(), self.events.clone());
        tokio::task::spawn_blocking(move || {
            events.send(Event::ConfigRead(new_config::read(&file, &boot).map(Box::new)));
        });
    }

    pub(super) fn finish_reload(&mut self, result: Result<Box<NewConfig>, NewConfigError>) {
        let result = result.map_err(ReloadError::Unusable);
        match result.and_then(|new| self.apply(*new)) {
            Ok(()) => log::info!("the configuration was reloaded"),
            Err(error) => log::error!("the configuration was not reloaded: {error}"),
        }
        systemd::notify_ready();
    }

    fn apply(&mut self, new: NewConfig) -> Result<(), ReloadError> {
        if self.exit_by.is_some() {
            return Err(ReloadError::Stopping);
        }
        must_be_reloadable(&self.config, &new.config)?;
        for warning in &new.warnings {
            log::warn!("{}", warning.summary);
        }
        if new.config.store != self.config.store {
            self.store = new.store;
            self.send_to_store(StoreRequest::UseStore(Arc::clone(&self.store)));
        }
        self.config = new.config;
        let mut starts = Vec::new();
        for (settings, previous) in self.config.clusters.iter().zip(&new.previous_states) {
            let name = settings.name.clone();
            let new_cluster = || ClusterState::new(settings.clone(), previous);
            let cluster = self.clusters.entry(name).or_insert_with(new_cluster);
            cluster.settings = settings.clone();
            starts.push(machine::cluster_start(settings, &self.persistent_state, previous));
        }
        self.step(Input::Configure(starts));
        Ok(())
    }
}

fn must_be_reloadable(old: &Config, new: &Config) -> Result<(), ReloadError> {
    let has_moved = |cluster: &&ClusterSettings| {
        let mut same_name = new.clusters.iter().filter(|other| other.name == cluster.name);
        same_name.any(|other| other.state_file != cluster.state_file)
    };
    if let Some(cluster) = old.clusters.iter().find(has_moved) {
        return Err(ReloadError::StateFileChanged(cluster.name.clone()));
    }
    // The file would belong to both names for a while, and other nodes know only one of them.
    let is_renamed = |cluster: &&ClusterSettings| {
        let mut same_file = old
            .clusters
            .iter()
            .filter(|other| other.state_file == cluster.state_file);
        same_file.any(|other| other.name != cluster.name)
    };
    if let Some(cluster) = new.clusters.iter().find(is_renamed) {
        return Err(ReloadError::NameChanged(cluster.state_file.clone()));
    }
    let keys = [
        ("node", old.node != new.node),
        ("run_dir", old.run_dir != new.run_dir),
        ("state_dir", old.state_dir != new.state_dir),
        ("[control] socket", old.socket != new.socket),
        ("[metrics] listen", old.metrics != new.metrics),
        (
            "which store it is, its prefix, database or table",
            !old.store.has_same_records(&new.store),
        ),
    ];
    match keys.into_iter().find(|(_, differs)| *differs) {
        Some((key, _)) => Err(ReloadError::KeyChanged(key)),
        None => Ok(()),
    }
}
