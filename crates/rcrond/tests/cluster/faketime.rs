//! A wall clock for dynamic programs that use libc, and for their children: libfaketime. The other clocks do not change.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A clock that can be set at any moment.
pub(crate) struct FakeTime {
    file: PathBuf,
    library: PathBuf,
}

impl FakeTime {
    /// It is right at first. A file in this directory contains its offset.
    pub(crate) fn new(directory: &Path, name: &str) -> Self {
        let clock = Self {
            file: directory.join(format!("{name}.clock")),
            library: library(),
        };
        clock.set(0);
        clock
    }

    /// The environment variables for the program. They must be set after a change of the user.
    pub(crate) fn variables(&self) -> [(&'static str, &OsStr); 4] {
        [
            ("LD_PRELOAD", self.library.as_os_str()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.as_os_str()),
            // Read the file each time that the clock is read.
            ("FAKETIME_NO_CACHE", OsStr::new("1")),
            ("DONT_FAKE_MONOTONIC", OsStr::new("1")),
        ]
    }

    /// How far it is from the right time, in seconds.
    pub(crate) fn set(&self, offset: i64) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{offset:+}")).expect("written");
        fs::rename(new, &self.file).expect("renamed");
    }
}

fn library() -> PathBuf {
    let directories = fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let mut found = directories.map(|directory| directory.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.exists()).expect("package libfaketime")
}
