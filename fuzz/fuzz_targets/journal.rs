//! Any bytes are a journal, and the export of another server. No record in them makes the reader panic, and none becomes two runs.
#![no_main]

use journal::run::Run;
use journal::{Query, Source, names, read};
use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::LazyLock;

/// The file that is read, on a file system in memory.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| PathBuf::from(format!("/dev/shm/rcron-fuzz-{}", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    fs::write(&*FILE, bytes).expect("written");
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let runs = check(&Source::Named(FILE.clone()), lines);
    let ids: HashSet<_> = runs.iter().map(|run| (&run.id, run.uid)).collect();
    assert_eq!(ids.len(), runs.len());
    let host = "db1".to_owned();
    check(
        &Source::Exported {
            host,
            file: FILE.clone(),
        },
        lines,
    );
    if let Some((user, number, age)) = names::parse(OsStr::from_bytes(bytes)) {
        let path = names::rotated(&names::path("/".as_ref(), user, number), age);
        assert_eq!(path.file_name().map(OsStr::as_bytes), Some(bytes));
    }
});

/// The runs in a file with so many lines. In an export, each record is a run of its own.
fn check(source: &Source, lines: usize) -> Vec<Run> {
    let mut runs = read(std::slice::from_ref(source), &Query::default());
    let read: Vec<Run> = runs.iter().collect();
    assert!(read.len() <= lines);
    for run in &read {
        let has_failed = matches!(run.fate.word(), "fail" | "interrupted");
        assert_eq!(run.has_failed(), has_failed);
        assert!(run.job.as_deref().unwrap_or(&run.command) == run.name());
    }
    read
}
