//! Runs the program on a test's journals.

use crate::journal::Journal;
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use testing::process::output;
use testing::program::program;

/// A page on disk; deleted when dropped.
pub(crate) struct Page {
    pub(crate) file: PathBuf,
    _directory: tempfile::TempDir,
}

/// Five hours ago at a full minute, within the six hours that are shown.
pub(crate) fn evening() -> Timestamp {
    let origin = Timestamp::now() - SignedDuration::from_hours(5);
    Timestamp::from_second(origin.as_second() / 60 * 60).expect("a time")
}

/// Writes the page of the last six hours of these journals.
pub(crate) fn page(journals: &[&Journal]) -> Page {
    page_since("6h", journals)
}

pub(crate) fn page_since(since: &str, journals: &[&Journal]) -> Page {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("timeline.html");
    let options = ["--since", since, "--html", file.to_str().expect("UTF-8")];
    let output = run(&directory, journals, &options);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Page {
        file,
        _directory: directory,
    }
}

fn run(directory: &tempfile::TempDir, journals: &[&Journal], options: &[&str]) -> Output {
    let mut command = Command::new(program("rcronctl"));
    command.arg("timeline").args(options);
    for (index, journal) in journals.iter().enumerate() {
        let file = directory.path().join(format!("server{index}.jsonl"));
        fs::write(&file, journal.text()).expect("written");
        command.arg("--journal").arg(file);
    }
    output(&mut command)
}
