//! The programs that switch the clusters of this server, by their configuration files.

use super::configuration::Cluster;
use super::root::Root;
use inputs::diagnostic::shown;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const RCROND: &str = "/etc/rcron/rcrond.toml";
const KEEPALIVED: &str = "/etc/keepalived/keepalived.conf";
/// The longest rcrond.toml that is searched, in bytes; a real one is a page.
const LARGEST: usize = 1 << 20;

/// Read once, with the rights of this process: both files may contain passwords.
#[derive(Debug)]
pub(crate) struct Switch {
    /// For messages.
    pub(crate) rcrond_toml: String,
    /// For messages.
    pub(crate) keepalived_conf: String,
    pub(crate) has_keepalived: bool,
    rcrond: Vec<u8>,
}

impl Switch {
    pub(crate) fn read(root: &Root) -> Self {
        let name = |file: &str| shown(root.outside(Path::new(file)).as_os_str());
        let located = |file: &str| root.locate(Path::new(file)).ok();
        let rcrond = located(RCROND).and_then(|located| located.read(LARGEST).ok());
        Self {
            rcrond_toml: name(RCROND),
            keepalived_conf: name(KEEPALIVED),
            has_keepalived: located(KEEPALIVED).is_some_and(|located| located.exists()),
            rcrond: rcrond.map(|contents| contents.bytes).unwrap_or_default(),
        }
    }

    /// Whether rcrond.toml contains the cluster's configuration, name or state file, in quotes. Parsing the file is rcrond's task.
    pub(crate) fn is_in_rcrond_toml(&self, cluster: &Cluster) -> bool {
        let (file, config) = (cluster.inside.as_os_str().as_bytes(), &cluster.config);
        [file, &config.cluster_name, &config.state_file]
            .into_iter()
            .any(|text| {
                [b"\"", b"'"].into_iter().any(|quote| {
                    let quoted = [quote, text, quote].concat();
                    self.rcrond.windows(quoted.len()).any(|part| part == quoted)
                })
            })
    }
}
