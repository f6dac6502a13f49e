//! What `--version` prints: what an administrator compares between servers.

use std::env::consts::{ARCH, OS};
use std::fmt::Write;

/// The lines after the program's name. `version` and `commit` are `env!("CARGO_PKG_VERSION")` and `option_env!("RCRON_COMMIT")` of the
/// program, so that another commit compiles nothing but the programs. `make` sets the latter; cargo alone does not.
/// `more` has lines of a program's own, each a word and its value.
#[must_use]
pub fn text(version: &str, commit: Option<&str>, more: &[(&str, &str)]) -> String {
    let commit = commit.filter(|commit| !commit.is_empty()).unwrap_or("unknown");
    let library = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    let linked = if cfg!(target_feature = "crt-static") {
        "static"
    } else {
        "dynamic"
    };
    let mut text = format!("{version}\ncommit {commit}\ntarget {ARCH}-{OS}-{library}, {linked}");
    for (word, value) in more {
        let _ = write!(text, "\n{word} {value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_git_says_that_the_commit_is_unknown() {
        for commit in [None, Some("")] {
            let text = text("1.2.3", commit, &[]);
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines[..2], ["1.2.3", "commit unknown"]);
            assert_eq!(lines.len(), 3, "{text}");
        }
    }

    #[test]
    fn a_program_adds_lines_of_its_own() {
        let text = text(
            "1.2.3",
            Some("0123456789ab-dirty"),
            &[("stores", "a, b"), ("records", "c1")],
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "commit 0123456789ab-dirty");
        assert_eq!(lines[3..], ["stores a, b", "records c1"]);
    }
}
