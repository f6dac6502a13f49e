//! The programs under test.

use std::env;
use std::path::{Path, PathBuf};

/// A program of this workspace: the one that `RCRON_TEST_BINARY` or its like names, else as cargo has built it, beside the test.
///
/// # Panics
/// If it is not there: cargo builds a package's own programs only.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let variable = format!("{}_TEST_BINARY", name.to_ascii_uppercase().replace('-', "_"));
    if let Some(named) = env::var_os(variable) {
        return named.into();
    }
    let test = env::current_exe().expect("a test's own path");
    let directory = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let built = directory.join(name);
    assert!(
        built.exists(),
        "no {}: run `cargo build -p {name}`, or `make test`",
        built.display()
    );
    built
}
