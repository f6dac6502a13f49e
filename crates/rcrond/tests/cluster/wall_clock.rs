//! A wall clock of one's own, for dynamic programs that ask libc: libfaketime. The other clocks stay what they are.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A clock that can be set at any moment.
pub(crate) struct WallClock {
    file: PathBuf,
    library: PathBuf,
}

impl WallClock {
    /// Right at first. It stands in a file here.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let clock = Self {
            file: folder.join(format!("{name}.clock")),
            library: library(),
        };
        clock.set("+0");
        clock
    }

    /// Lets a program go by it.
    pub(crate) fn give_to(&self, command: &mut Command) {
        command.envs(self.variables());
    }

    /// The variables that let a program go by it. Whoever changes its user must have done so before it gets them.
    pub(crate) fn variables(&self) -> [(&'static str, &OsStr); 4] {
        [
            ("LD_PRELOAD", self.library.as_os_str()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.as_os_str()),
            // The file is read at each look at the clock.
            ("FAKETIME_NO_CACHE", OsStr::new("1")),
            ("DONT_FAKE_MONOTONIC", OsStr::new("1")),
        ]
    }

    /// How far it is from the right time: `+3600` (seconds), `-10d`, `+1y`.
    pub(crate) fn set(&self, offset: &str) {
        let new = self.file.with_extension("new");
        fs::write(&new, offset).expect("written");
        fs::rename(new, &self.file).expect("renamed");
    }
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.exists()).expect("package libfaketime")
}
