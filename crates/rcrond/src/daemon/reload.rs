//! SIGHUP: the configuration is read again. No lease is lost by it: a change that would need a restart is refused.

use super::requests::send_answer;
use super::{ClusterState, Daemon, machine};
use crate::api::systemd;
use crate::config::{ClusterSettings, Config};
use crate::event::Event;
use crate::new_config::{self, NewConfig, NewConfigError};
use crate::store_tasks::client::StoreRequest;
use crate::threads;
use control::Response;
use lease::{ClusterName, Input};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;

const NEEDS_RESTART: &str = "cannot be changed without a restart";

/// Why a new configuration is not applied.
enum ReloadError {
    Unusable(NewConfigError),
    Stopping,
    /// A later reload has ended before this one.
    Overtaken,
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
            Self::Overtaken => out.write_str("a later reload has ended before this one could read the files"),
            Self::KeyChanged(key) => write!(out, "{key} {NEEDS_RESTART}"),
            Self::StateFileChanged(cluster) => {
                write!(out, "the state_file of cluster {} {NEEDS_RESTART}", cluster.as_str())
            }
            Self::NameChanged(file) => {
                write!(
                    out,
                    "the name of the cluster that {} configures {NEEDS_RESTART}",
                    file.display()
                )
            }
        }
    }
}

/// What the daemon knows about its reloads.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    /// The number of the one that was begun last.
    last: u64,
    /// The number of the newest one that has ended.
    newest_ended: u64,
    /// Whether the last one has failed, so that the configuration on disk is not the one that is used.
    pub(super) has_failed: bool,
}

/// A reload that was begun.
pub(crate) struct Reload {
    number: u64,
    /// Waits for the result.
    client: Option<Sender<Response>>,
}

impl Daemon {
    /// Starts reading; [`Event::ConfigRead`] has the result. Each reload has a thread of its own: one that hangs, because the
    /// file system does, must not delay the next.
    pub(super) fn begin_reload(&mut self, client: Option<Sender<Response>>) {
        // Before the first READY=1, the service is still starting.
        if self.is_ready {
            systemd::notify_reloading();
        }
        self.reloads.last += 1;
        let number = self.reloads.last;
        let (file, boot, events) = (self.config_file.clone(), self.boot.clone(), self.events.clone());
        let (sender, own) = (client.clone(), events.clone());
        let started = threads::start("reload", move || {
            let result = new_config::read(&file, &boot).map(Box::new);
            events.send(Event::ConfigRead(Reload { number, client }, result));
        });
        if let Err(error) = started {
            let reload = Reload { number, client: sender };
            own.send(Event::ConfigRead(reload, Err(NewConfigError::NoThread(error))));
        }
    }

    pub(super) fn finish_reload(&mut self, reload: Reload, result: Result<Box<NewConfig>, NewConfigError>) {
        let result = if reload.number < self.reloads.newest_ended {
            Err(ReloadError::Overtaken)
        } else {
            self.reloads.newest_ended = reload.number;
            let result = result.map_err(ReloadError::Unusable).and_then(|new| self.apply(*new));
            self.reloads.has_failed = result.is_err();
            result
        };
        let answer = match &result {
            Ok(()) => {
                let done = "the configuration was reloaded";
                log::info!("{done}");
                Response::Done {
                    lines: vec![done.to_owned()],
                }
            }
            Err(error) => {
                let message = format!("the configuration was not reloaded: {error}");
                log::error!("{message}");
                Response::Error { message }
            }
        };
        // The status line is there when `systemctl reload` returns.
        self.publish_status_line();
        if self.is_ready {
            systemd::notify_ready();
        }
        if let Some(client) = reload.client {
            send_answer(&client, answer);
        }
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
        let is_new_store = new.config.store != self.config.store;
        self.config = new.config;
        let mut starts = Vec::new();
        for (settings, previous) in self.config.clusters.iter().zip(&new.previous_states) {
            let name = settings.name.clone();
            let new_cluster = || ClusterState::new(settings.clone(), previous);
            let cluster = self.clusters.entry(name).or_insert_with(new_cluster);
            cluster.settings = settings.clone();
            starts.push(machine::cluster_start(settings, &self.persistent_state, previous, None));
        }
        self.step(Input::Configure(starts));
        self.claims_configured(is_new_store);
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
        ("[claims] socket", old.claims_socket != new.claims_socket),
        ("[metrics] listen", old.metrics != new.metrics),
        ("[metrics] jobs", old.job_metrics != new.job_metrics),
        (
            "the store's kind, prefix, database or table",
            !old.store.has_same_records(&new.store),
        ),
    ];
    match keys.into_iter().find(|(_, differs)| *differs) {
        Some((key, _)) => Err(ReloadError::KeyChanged(key)),
        None => Ok(()),
    }
}
