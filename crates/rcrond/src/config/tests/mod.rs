//! Valid files, and the exact message for each mistake.

mod accepted;
mod files;
mod rejected;

use super::document::read;
use super::{Loaded, Surroundings};
use inputs::diagnostic::Diagnostic;
use std::path::PathBuf;

const NODE: &str = "node = \"n\"\n";
const ETCD: &str = "[etcd]\nservers = [\"a\"]\n";
const CLUSTER: &str = "[[cluster]]\nname = \"c\"\n";

/// The text before the tables; if it is a table itself, after them.
fn at_top(text: &str) -> String {
    if text.starts_with('[') {
        format!("{NODE}{ETCD}{CLUSTER}{text}")
    } else {
        format!("{text}{ETCD}{CLUSTER}")
    }
}

fn in_cluster(text: &str) -> String {
    format!("{NODE}{ETCD}{CLUSTER}{text}")
}

fn in_etcd(text: &str) -> String {
    format!("{NODE}{ETCD}{text}{CLUSTER}")
}

fn in_mariadb(text: &str) -> String {
    format!("{NODE}[mariadb]\nservers = [\"a\"]\n{text}{CLUSTER}")
}

fn in_postgresql(text: &str) -> String {
    format!("{NODE}[postgresql]\nservers = [\"a\"]\n{text}{CLUSTER}")
}

fn in_redis(text: &str) -> String {
    format!("{NODE}[redis]\nservers = [\"a\"]\n{text}{CLUSTER}")
}

fn web1() -> Surroundings {
    Surroundings {
        host: "web1".into(),
        ..Surroundings::default()
    }
}

fn load_from(text: &[u8], surroundings: &Surroundings) -> Result<Loaded, Diagnostic> {
    read(text, b"rcrond.toml", surroundings).map(|found| found.loaded)
}

fn load_valid(text: &str) -> Loaded {
    let loaded = load_from(text.as_bytes(), &web1());
    loaded.unwrap_or_else(|diagnostic| panic!("rejected: {}", diagnostic.full))
}

/// `LINE:COLUMN: MESSAGE (HELP)` of each problem.
fn problems(text: &str) -> Vec<String> {
    problems_with(text, &web1())
}

fn problems_with(text: &str, surroundings: &Surroundings) -> Vec<String> {
    let Err(diagnostic) = load_from(text.as_bytes(), surroundings) else {
        panic!("accepted: {text}");
    };
    let lines: Vec<&str> = diagnostic.full.lines().collect();
    lines.chunks(3).map(problem).collect()
}

/// Of the three lines of a diagnostic: message, excerpt, caret with help.
fn problem(report: &[&str]) -> String {
    let message = report[0].strip_prefix("rcrond.toml:").expect("its place");
    let (_, caret) = report[2].split_once('^').expect("a caret");
    match caret.trim_start_matches('~').trim() {
        "" => message.to_owned(),
        help => format!("{message} ({help})"),
    }
}

/// Writes a file into the directory of the test.
fn file(directory: &tempfile::TempDir, name: &str, content: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, content).expect("written");
    path
}
