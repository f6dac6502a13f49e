//! SIGHUP: the configuration read again. No lease is lost: what cannot be taken over while running is refused.

use super::cluster::Cluster;
use super::{Daemon, start};
use crate::config::{self, ClusterSettings, Config};
use crate::disk::state_file::{self, PreviousState};
use crate::news::News;
use crate::outside::systemd;
use crate::store_side::asker::Request;
use lease::Input;
use std::path::Path;
use std::sync::Arc;
use store::Store;

/// What was read, away from the loop: the files may be on a file system that hangs.
pub(crate) struct Renewal {
    config: Config,
    warnings: Vec<String>,
    store: Box<dyn Store>,
    /// What the state files say.
    inherited: Vec<PreviousState>,
}

impl Daemon {
    /// Has it read; [`News::Renewal`] brings it.
    pub(super) fn reload(&self) {
        systemd::reloading();
        let (file, boot, newsroom) = (self.config_file.clone(), self.boot.clone(), self.newsroom.clone());
        tokio::task::spawn_blocking(move || newsroom.tell(News::Renewal(read(&file, &boot).map(Box::new))));
    }

    pub(super) fn renew(&mut self, renewal: Result<Box<Renewal>, String>) {
        match renewal.and_then(|renewal| self.adopt(*renewal)) {
            Ok(()) => log::info!("the configuration has been read again"),
            Err(problem) => log::error!("the configuration stays as it was: {problem}"),
        }
        systemd::ready();
    }

    fn adopt(&mut self, new: Renewal) -> Result<(), String> {
        if self.stop.is_some() {
            return Err("rcrond is stopping".to_owned());
        }
        if let Some(what) = unmovable(&self.config, &new.config) {
            return Err(format!("{what} cannot be changed without a restart"));
        }
        new.warnings.iter().for_each(|warning| log::warn!("{warning}"));
        if new.config.store != self.config.store {
            self.store = Arc::from(new.store);
            self.ask_store(Request::Use(Arc::clone(&self.store)));
        }
        self.config = new.config;
        let mut starts = Vec::new();
        for (settings, inherited) in self.config.clusters.iter().zip(&new.inherited) {
            match self.clusters.get_mut(&settings.name) {
                Some(cluster) => cluster.settings = settings.clone(),
                None => {
                    let cluster = Cluster::new(settings.clone(), inherited);
                    self.clusters.insert(settings.name.clone(), cluster);
                }
            }
            starts.push(start::cluster_start(settings, &self.ledger, inherited));
        }
        self.step(Input::Configure(starts));
        Ok(())
    }
}

fn read(file: &Path, boot: &[u8]) -> Result<Renewal, String> {
    let loaded = config::load(file).map_err(|diagnostic| diagnostic.full)?;
    let store = config::open(&loaded.config.store).map_err(|failure| failure.to_string())?;
    let clusters = loaded.config.clusters.iter();
    Ok(Renewal {
        inherited: clusters
            .map(|cluster| state_file::inherited(&cluster.state_file, boot))
            .collect(),
        warnings: loaded.warnings.into_iter().map(|warning| warning.summary).collect(),
        config: loaded.config,
        store,
    })
}

/// What differs and must not: others would not know of it, or the old one would be left behind.
fn unmovable(old: &Config, new: &Config) -> Option<String> {
    let file_of = |config: &Config, name| {
        let mut clusters = config.clusters.iter();
        clusters
            .find(|cluster| cluster.name == name)
            .map(|cluster| cluster.state_file.clone())
    };
    let moved = old
        .clusters
        .iter()
        .find(|cluster| file_of(new, cluster.name.clone()).is_some_and(|file| file != cluster.state_file));
    if let Some(cluster) = moved {
        return Some(format!("the state_file of cluster {}", cluster.name.as_str()));
    }
    // Both names would have the file for a while, and other nodes only one of them.
    let taken = |cluster: &&ClusterSettings| {
        let mut before = old.clusters.iter();
        before.any(|other| other.state_file == cluster.state_file && other.name != cluster.name)
    };
    if let Some(cluster) = new.clusters.iter().find(taken) {
        return Some(format!("the name of the cluster with {}", cluster.state_file.display()));
    }
    let plain = [
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
    plain
        .iter()
        .find(|(_, differs)| *differs)
        .map(|(what, _)| (*what).to_owned())
}
