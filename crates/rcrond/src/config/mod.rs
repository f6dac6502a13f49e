//! The configuration: rcrond.toml(5), read, checked, explained.
//!
//! `load` reads the file, `document` takes it apart; each table has a module, with the words for what can be wrong in it.

mod cluster;
mod conf;
mod document;
mod file;
mod keys;
mod login;
mod mask;
mod node;
mod sheet;
mod spans;
mod stores;
mod table;
#[cfg(test)]
mod tests;
mod tls;
mod value;

pub(crate) use cluster::location;
pub(crate) use store::open;

use inputs::diagnostic::Diagnostic;
use lease::{ClusterName, NodeName, Timing};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where the configuration is if `--conf` does not say.
pub(crate) const DEFAULT_FILE: &str = "/etc/rcron/rcrond.toml";

/// A configuration that may be used.
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// What is wrong but no reason not to use it.
    pub(crate) warnings: Vec<Diagnostic>,
    /// For each cluster the rcron.conf that it was read from, if there is one.
    pub(crate) confs: Vec<Option<PathBuf>>,
}

/// What a configuration rests on besides files.
#[derive(Clone, Debug, Default)]
struct Surroundings {
    /// What this machine is called.
    host: String,
    /// Where systemd has put the unit's credentials.
    credentials: Option<PathBuf>,
}

/// Reads the file and all that it names: passwords, certificates, configurations of rcron. Each time anew, so that SIGHUP
/// takes up a new password, too.
///
/// Reads files wherever they are, and so may wait for a file system: not for a loop that must go on.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn load(path: &Path) -> Result<Loaded, Diagnostic> {
    let host = nix::unistd::gethostname().unwrap_or_default();
    let surroundings = Surroundings {
        host: host.to_string_lossy().into_owned(),
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
    };
    document::read_file(path, &surroundings)
}

/// What rcrond.toml says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// This node's name.
    pub(crate) node: NodeName,
    /// The store.
    pub(crate) store: store::Settings,
    /// The clusters; names and state files are unique.
    pub(crate) clusters: Vec<ClusterSettings>,
    /// Where to show metrics.
    pub(crate) metrics: Option<SocketAddr>,
    /// Where to listen for rcronctl.
    pub(crate) socket: PathBuf,
    /// For this boot: the session's identity and its lock.
    pub(crate) run_dir: PathBuf,
    /// For ever: epochs and what was drained.
    pub(crate) state_dir: PathBuf,
}

/// A `[[cluster]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterSettings {
    /// As in rcron.conf's `cluster_name`.
    pub(crate) name: ClusterName,
    /// As in rcron.conf.
    pub(crate) state_file: PathBuf,
    /// As in rcron.conf; `None`: `drain --wait` cannot see what runs.
    pub(crate) journal: Option<PathBuf>,
    /// Who has more may ask for the cluster.
    pub(crate) priority: u32,
    /// Its spans.
    pub(crate) timing: Timing,
}
