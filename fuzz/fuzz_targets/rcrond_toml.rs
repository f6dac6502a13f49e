//! Any bytes are an rcrond.toml, or are refused with a message that can be printed. Its paths are the fuzzer's: the files that they
//! name are read, too.
#![no_main]

#[path = "../../crates/rcrond/src/config/mod.rs"]
#[expect(dead_code, unused_imports, reason = "a part of the program uses it")]
mod config;

use libfuzzer_sys::fuzz_target;
use policy::display::is_printable;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::LazyLock;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let file = PathBuf::from(format!("/dev/shm/rcron-fuzz-{}.toml", std::process::id()));
    fs::write(&file, "").expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("chmod");
    file
});

fuzz_target!(|bytes: &[u8]| {
    fs::write(&*FILE, bytes).expect("written");
    match config::load(&FILE) {
        Ok(loaded) => assert!(!loaded.config.clusters.is_empty()),
        Err(diagnostic) => {
            assert!(diagnostic.full.chars().all(|character| character == '\n' || is_printable(character)));
            assert!(!diagnostic.summary.is_empty() && !diagnostic.summary.contains('\n'));
        }
    }
});
