//! A wall clock of their own for dynamic programs that ask libc, and for all their processes: libfaketime. The other clocks stay
//! what they are.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A clock that can be set at any moment.
pub(crate) struct FakeTime {
    file: PathBuf,
    library: PathBuf,
}

impl FakeTime {
    /// Right at first. It stands in a file here.
    pub(crate) fn new(directory: &Path, name: &str) -> Self {
        let clock = Self {
            file: directory.join(format!("{name}.clock")),
            library: library(),
        };
        clock.set(0);
        clock
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
