//! The configuration: rcrond.toml(5) is parsed and checked, and problems are reported.
//!
//! `document` reads the file. Each table has a module of its own, which also contains its error messages.

mod cluster;
mod conf;
mod diagnostics;
mod document;
mod durations;
mod file;
mod keys;
mod login;
mod node;
mod redact;
mod stores;
mod table;
#[cfg(test)]
mod tests;
mod tls;
mod value;

pub(crate) use cluster::resolve_links;
pub(crate) use conf::in_directories;
pub(crate) use document::find_socket;
pub(crate) use keys::STORE_NAMES;
pub(crate) use store::open;

use inputs::clusters;
use inputs::diagnostic::Diagnostic;
use lease::{ClusterName, NodeName, RunOn, Timing};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default of `--conf`.
pub(crate) const DEFAULT_FILE: &str = "/etc/rcron/rcrond.toml";

/// A valid configuration.
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// Problems in spite of which the configuration is used.
    pub(crate) warnings: Vec<Diagnostic>,
    /// The rcron.conf files that the clusters name, in the order of the clusters.
    pub(crate) confs: Vec<Option<PathBuf>>,
}

/// What a configuration depends on in addition to files.
#[derive(Clone, Debug, Default)]
struct Surroundings {
    /// The host's name.
    host: String,
    /// The directory in which systemd has put the credentials of the unit.
    credentials: Option<PathBuf>,
    /// Where the rcron.conf of a cluster may be that does not name it.
    conf_directories: Vec<PathBuf>,
}

/// Reads the file and all files that it names: passwords, certificates, configurations of rcron. This can block on a file
/// system, so it must not run in the daemon's loop.
///
/// # Errors
/// All problems, in one diagnostic.
pub(crate) fn load(path: &Path) -> Result<Loaded, Diagnostic> {
    let host = nix::unistd::gethostname().unwrap_or_default();
    let surroundings = Surroundings {
        host: host.to_string_lossy().into_owned(),
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        conf_directories: conf_directories(path),
    };
    document::read_file(path, &surroundings)
}

/// The directory of rcrond.toml, and that of rcron's configuration.
pub(crate) fn conf_directories(file: &Path) -> Vec<PathBuf> {
    let own = file.parent().filter(|own| !own.as_os_str().is_empty());
    let own = own.unwrap_or(Path::new("."));
    // Absolute, as `conf` names a file: otherwise one file would be two.
    let own = std::path::absolute(own).unwrap_or_else(|_| own.to_owned());
    vec![own, clusters::DIRECTORY.into()]
}

/// The checked content of rcrond.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// The name of this node. No other node of the site may have it.
    pub(crate) node: NodeName,
    /// How to reach the store.
    pub(crate) store: store::Settings,
    /// In the order of the file. Names and state files are unique.
    pub(crate) clusters: Vec<ClusterSettings>,
    /// By how much the wall clocks of the servers may differ: up to an hour.
    pub(crate) max_skew: Duration,
    /// The address of the metrics; `None` if they are not served.
    pub(crate) metrics: Option<SocketAddr>,
    /// Whether they include those of jobs.
    pub(crate) job_metrics: bool,
    /// The path of the socket for rcronctl.
    pub(crate) socket: PathBuf,
    /// The path of the socket for the claims of rcron.
    pub(crate) claims_socket: PathBuf,
    /// Contains the session's identity and the lock; cleared by a reboot.
    pub(crate) run_dir: PathBuf,
    /// Contains epochs and the list of drained clusters; survives a reboot.
    pub(crate) state_dir: PathBuf,
}

/// A `[[cluster]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterSettings {
    /// The `cluster_name` of rcron.conf.
    pub(crate) name: ClusterName,
    /// The `state_file` of rcron.conf.
    pub(crate) state_file: PathBuf,
    /// The `journal` of rcron.conf. Without it, `drain --wait` cannot see which jobs run.
    pub(crate) journal: Option<PathBuf>,
    /// A node with a higher priority takes the cluster over from one with a lower priority.
    pub(crate) priority: u32,
    /// `lease`, `settle`, `grace` and `preempt_delay`.
    pub(crate) timing: Timing,
    /// Which servers may run the jobs that have `once_per_tick`.
    pub(crate) run_on: RunOn,
}
