//! The configuration: rcrond.toml(5), read.

use policy::lease::{ClusterName, NodeName, Timing};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What rcrond.toml says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// This node's name.
    pub node: NodeName,
    /// The store.
    pub store: StoreConfig,
    /// The clusters; names and state files are unique.
    pub clusters: Vec<ClusterSettings>,
    /// Where to show metrics.
    pub metrics: Option<SocketAddr>,
    /// Where to listen for rcronctl.
    pub socket: PathBuf,
    /// For this boot: the session's identity and its lock.
    pub run_dir: PathBuf,
    /// For ever: epochs and what was drained.
    pub state_dir: PathBuf,
}

/// The store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreConfig {
    /// `[etcd]`
    Etcd(::store::etcd::Settings),
    /// `[postgresql]`
    PostgreSql(::store::postgresql::Settings),
    /// `[redis]`
    Redis(::store::redis::Settings),
}

/// A `[[cluster]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// As in rcron.conf's `cluster_name`.
    pub name: ClusterName,
    /// As in rcron.conf.
    pub state_file: PathBuf,
    /// As in rcron.conf; `None`: `drain --wait` cannot see what runs.
    pub journal: Option<PathBuf>,
    /// Who has more may ask for the cluster.
    pub priority: u32,
    /// Its spans.
    pub timing: Timing,
}
pub(crate) fn load(_p: &std::path::Path) -> Result<Config, String> {
    Err(String::new())
}
pub(crate) mod store {
    pub(crate) fn open(settings: &super::StoreConfig) -> Result<Box<dyn ::store::Store>, String> {
        let failed = |failure: ::store::Failure| failure.to_string();
        Ok(match settings {
            super::StoreConfig::Etcd(settings) => Box::new(::store::etcd::Etcd::new(settings.clone()).map_err(failed)?),
            super::StoreConfig::PostgreSql(settings) => {
                Box::new(::store::postgresql::PostgreSql::new(settings.clone()).map_err(failed)?)
            }
            super::StoreConfig::Redis(settings) => {
                Box::new(::store::redis::Redis::new(settings.clone()).map_err(failed)?)
            }
        })
    }
}
