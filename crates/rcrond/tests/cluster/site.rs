//! Where a story takes place: the lab, a folder, three nodes.

use crate::node::Node;
use inputs::clock::wall_time;
use std::path::PathBuf;
use testing::lab::Lab;

/// Where a story takes place.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    folder: tempfile::TempDir,
}

/// The right time.
pub(crate) fn seconds_since_1970() -> i64 {
    i64::try_from(wall_time().0.as_secs()).expect("now")
}

impl Site {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // PostgreSQL is not root.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).expect("its own folder");
        // Stores keep their data in memory: the machine's disk is not what is tested.
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder");
        let boot = format!("mount -t tmpfs none {}", data.display());
        Self {
            lab: Lab::new(&boot),
            folder,
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Three nodes that are not started yet.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let host = |number| self.lab.host(&format!("node{number}"), &format!("10.9.0.{number}"));
        (1..=3)
            .map(|number| Node::new(host(number), self.folder.path()))
            .collect()
    }
}

impl Drop for Site {
    /// After a failure the logs stay.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            println!("--- all logs: {}", self.folder.path().display());
        }
    }
}
