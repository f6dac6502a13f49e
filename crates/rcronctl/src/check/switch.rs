//! The programs that switch the clusters of this server, by their configuration files.

use super::configuration::Cluster;
use control::DEFAULT_SOCKET;
use inputs::diagnostic::shown;
use jobs::root::Root;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

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
    /// Whether rcrond is configured.
    pub(crate) has_rcrond: bool,
    /// Where rcrond listens, as a path of the examined system.
    pub(crate) socket: PathBuf,
    rcrond: Vec<u8>,
}

impl Switch {
    pub(crate) fn read(root: &Root) -> Self {
        let name = |file: &str| shown(root.outside(Path::new(file)).as_os_str());
        let located = |file: &str| root.locate(Path::new(file)).ok();
        let rcrond = located(RCROND).and_then(|located| located.read(LARGEST).ok());
        let rcrond = rcrond.map(|contents| contents.bytes).unwrap_or_default();
        Self {
            rcrond_toml: name(RCROND),
            keepalived_conf: name(KEEPALIVED),
            has_keepalived: located(KEEPALIVED).is_some_and(|located| located.exists()),
            has_rcrond: located(RCROND).is_some_and(|located| located.exists()),
            socket: Path::new(OsStr::from_bytes(socket(&rcrond).unwrap_or(DEFAULT_SOCKET.as_bytes()))).to_owned(),
            rcrond,
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

/// `socket = "…"` in the table `[control]`.
fn socket(toml: &[u8]) -> Option<&[u8]> {
    let mut table: &[u8] = b"";
    toml.split(|byte| *byte == b'\n').find_map(|line| {
        let line = line.trim_ascii();
        if line.starts_with(b"[") {
            table = line;
        }
        let value = line
            .strip_prefix(b"socket")
            .filter(|_| table.starts_with(b"[control]"))?;
        let value = value.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let (quote, inside) = value.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
        inside.split(|byte| byte == quote).next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_is_that_of_the_table_control() {
        for (toml, expected) in [
            ("[control]\nsocket = \"/run/x\" # here\n", Some("/run/x")),
            (
                "[ store ]\nsocket = \"/run/y\"\n[control]\n  socket='/run/x'",
                Some("/run/x"),
            ),
            ("[control]\nsocket = 1\n", None),
            ("[store]\nsocket = \"/run/y\"\n", None),
            ("[control]\n# socket = \"/run/y\"\n", None),
        ] {
            assert_eq!(socket(toml.as_bytes()), expected.map(str::as_bytes), "{toml}");
        }
    }
}
