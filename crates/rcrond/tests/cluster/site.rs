//! The place of a scenario: the lab, a directory, three nodes.

use crate::node::Node;
use inputs::clock::wall_time;
use std::path::PathBuf;
use testing::lab::Lab;

/// The place of a scenario.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    directory: tempfile::TempDir,
}

/// By the right wall clock.
pub(crate) fn seconds_since_1970() -> i64 {
    i64::try_from(wall_time().0.as_secs()).expect("now")
}

impl Site {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        // PostgreSQL does not run as root.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).expect("its own directory");
        // The stores' data are on a tmpfs, because the machine's disk is not tested.
        let data = directory.path().join("data");
        std::fs::create_dir(&data).expect("a directory");
        let boot = format!("mount -t tmpfs none {}", data.display());
        Self {
            lab: Lab::new(&boot),
            directory,
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// Three nodes that are not started yet.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let host = |number| self.lab.host(&format!("node{number}"), &format!("10.9.0.{number}"));
        (1..=3)
            .map(|number| Node::new(host(number), self.directory.path()))
            .collect()
    }
}

impl Drop for Site {
    /// After a failure, the logs are kept.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.directory.disable_cleanup(true);
            println!("--- all logs: {}", self.directory.path().display());
        }
    }
}
