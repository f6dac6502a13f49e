//! Any bytes are a journal. No record in them makes the reader panic, and none becomes two runs.
#![no_main]

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
    let mut runs = read(&[Source::Named(FILE.clone())], &Query::default());
    let read: Vec<_> = runs.iter().collect();
    assert!(read.len() <= lines);
    let ids: HashSet<_> = read.iter().map(|run| (&run.id, run.uid)).collect();
    assert_eq!(ids.len(), read.len());
    for run in &read {
        let has_failed = matches!(run.fate.word(), "fail" | "interrupted");
        assert_eq!(run.has_failed(), has_failed);
        assert!(run.job.as_deref().unwrap_or(&run.command) == run.name());
    }
    if let Some((user, number, age)) = names::parse(OsStr::from_bytes(bytes)) {
        let path = names::rotated(&names::path("/".as_ref(), user, number), age);
        assert_eq!(path.file_name().map(OsStr::as_bytes), Some(bytes));
    }
});
