//! SIGHUP: the configuration read again. No lease is lost: what cannot be taken over while running is refused.

use super::Daemon;
use super::start;
use crate::config::{self, Config, StoreConfig};
use crate::disk::state_file::Inherited;
use crate::outside::systemd;
use crate::store_side::asker::Request;
use policy::lease::Input;
use std::sync::Arc;

impl Daemon {
    pub(super) fn reload(&mut self) {
        if self.stop.is_some() {
            return;
        }
        systemd::reloading();
        let loaded = config::load(&self.config_file).map_err(|problem| problem.to_string());
        match loaded.and_then(|new| self.adopt(new)) {
            Ok(()) => log::info!("the configuration has been read again"),
            Err(problem) => log::error!("the configuration stays as it was: {problem}"),
        }
        systemd::ready();
    }

    fn adopt(&mut self, new: Config) -> Result<(), String> {
        if let Some(what) = unmovable(&self.config, &new) {
            return Err(format!("{what} cannot be changed without a restart"));
        }
        if new.store != self.config.store {
            self.store = Arc::from(config::store::open(&new.store)?);
            let _ = self.outlets.requests.send(Request::Use(Arc::clone(&self.store)));
        }
        self.config = new;
        let mut starts = Vec::new();
        for settings in &self.config.clusters {
            match self.clusters.get_mut(&settings.name) {
                Some(cluster) => {
                    cluster.settings = settings.clone();
                    starts.push(start::cluster_start(settings, &self.ledger, &Inherited::default()));
                }
                None => {
                    let (cluster, start) = start::meet(settings, &self.ledger, &self.boot);
                    self.clusters.insert(settings.name.clone(), cluster);
                    starts.push(start);
                }
            }
        }
        self.step(Input::Configure(starts));
        Ok(())
    }
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
    let plain = [
        ("node", old.node != new.node),
        ("run_dir", old.run_dir != new.run_dir),
        ("state_dir", old.state_dir != new.state_dir),
        ("[control] socket", old.socket != new.socket),
        ("[metrics] listen", old.metrics != new.metrics),
        (
            "which store it is, its prefix, database or table",
            place(&old.store) != place(&new.store),
        ),
    ];
    plain
        .iter()
        .find(|(_, differs)| *differs)
        .map(|(what, _)| (*what).to_owned())
}

/// Where the records are, whatever the servers' addresses and the credentials.
fn place(store: &StoreConfig) -> (&'static str, &str, String) {
    match store {
        StoreConfig::Etcd(settings) => ("etcd", &settings.prefix, String::new()),
        StoreConfig::PostgreSql(settings) => {
            let place = format!("{}\0{}", settings.database, settings.table);
            ("postgresql", &settings.prefix, place)
        }
        StoreConfig::Redis(settings) => ("redis", &settings.prefix, settings.database.to_string()),
    }
}
