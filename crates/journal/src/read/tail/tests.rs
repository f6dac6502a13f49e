use super::*;
use crate::names;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use sys::environment::effective_user;
use tempfile::TempDir;

/// A journal of this user, and what follows it.
struct Fixture {
    directory: TempDir,
    tail: Tail,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let tail = Tail::new(vec![Source::Own(directory.path().to_owned())]);
        Self { directory, tail }
    }

    fn path(&self, number: u32) -> PathBuf {
        names::path(self.directory.path(), effective_user(), number)
    }

    fn append(&self, number: u32, text: &str) {
        let file = OpenOptions::new().create(true).append(true).open(self.path(number));
        file.expect("opened").write_all(text.as_bytes()).expect("written");
    }

    /// The jobs of the new records: of an end in capitals. `skipped` for skipped ones.
    fn read(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        let missed = self.tail.read(|news| {
            found.push(match news {
                News::Skipped(owner) => {
                    assert_eq!(owner, effective_user());
                    "skipped".to_owned()
                }
                News::Record(record) => {
                    assert_eq!((record.owner, record.cluster), (effective_user(), "web"));
                    match record.step {
                        Step::Start(_) => record.job.to_owned(),
                        Step::End(_) => record.job.to_uppercase(),
                    }
                }
            });
        });
        assert_eq!(missed.unseen, []);
        found
    }
}

fn record(job: &str, event: &str, time: u32) -> String {
    let end = if event == "end" { ",\"exit\":0" } else { "" };
    format!(
        "{{\"time\":\"2026-11-24T03:00:{time:02}.000000Z\",\"event\":\"{event}\",\"run\":\"019ab000-0000-7000-8000-0000000000{time:02}\",\
         \"node\":\"n1\",\"cluster\":\"web\",\"job\":\"{job}\",\"command\":\"x\",\"uid\":0,\"pid\":4,\"clock\":5.0{end}}}\n"
    )
}

fn start(job: &str) -> String {
    record(job, "start", 0)
}

#[test]
fn each_record_is_read_once() {
    let mut journal = Fixture::new();
    assert_eq!(journal.read(), [""; 0]);
    journal.append(0, &start("a"));
    journal.append(0, &record("a", "end", 1));
    assert_eq!(journal.read(), ["a", "A"]);
    assert_eq!(journal.read(), [""; 0]);
    let whole = start("b");
    let (torn, rest) = whole.split_at(40);
    journal.append(0, torn);
    assert_eq!(journal.read(), [""; 0]);
    journal.append(0, rest);
    journal.append(0, "junk\n{\"job\":1}\n");
    journal.append(0, &start("x").replace("\"job\":\"x\",", ""));
    journal.append(0, &start("c"));
    assert_eq!(journal.read(), ["b", "c"], "without junk and runs that have no name");
}

#[test]
fn rotated_files_are_read_from_the_oldest_and_only_once() {
    let mut journal = Fixture::new();
    let rotate = |journal: &Fixture, age| {
        let path = journal.path(0);
        fs::rename(names::rotated(&path, age), names::rotated(&path, age + 1)).expect("renamed");
    };
    journal.append(0, &start("a"));
    rotate(&journal, 0);
    journal.append(0, &start("b"));
    journal.append(1, &start("other"));
    assert_eq!(journal.read(), ["a", "b", "other"]);
    journal.append(0, &start("c"));
    rotate(&journal, 1);
    rotate(&journal, 0);
    journal.append(0, &start("d"));
    assert_eq!(journal.read(), ["c", "d"]);
    let files = journal.tail.files();
    assert_eq!(files.len(), 4);
    fs::remove_file(names::rotated(&journal.path(0), 2)).expect("removed");
    assert_eq!(journal.read(), [""; 0]);
    assert!(journal.tail.files().is_subset(&files) && journal.tail.files().len() == 3);
}

#[test]
fn a_file_that_was_cut_or_replaced_in_place_is_read_again() {
    let mut journal = Fixture::new();
    journal.append(0, &(start("a") + &start("b")));
    assert_eq!(journal.read(), ["a", "b"]);
    fs::write(journal.path(0), start("c")).expect("written");
    assert_eq!(journal.read(), ["c"], "it is shorter");
    fs::write(journal.path(0), record("d", "start", 7) + &start("e")).expect("written");
    assert_eq!(journal.read(), ["d", "e"], "it begins with another record");
}

#[test]
fn of_too_much_only_the_end_is_read() {
    let mut journal = Fixture::new();
    journal.append(0, &start("a"));
    assert_eq!(journal.read(), ["a"]);
    let file = OpenOptions::new().write(true).open(journal.path(0)).expect("opened");
    // A hole, which is one long line.
    file.set_len(MOST_BYTES + 4096).expect("set");
    journal.append(0, &format!("\n{}", start("b")));
    assert_eq!(journal.read(), ["skipped", "b"]);
}

#[test]
fn a_run_without_an_end_is_judged_once_for_each_process() {
    let process = sys::process_tree::Process::of(i32::try_from(std::process::id()).expect("a pid")).expect("alive");
    let here = Here::now();
    let mut journal = Fixture::new();
    let own = format!(
        "\"pid\":{},\"born\":{},\"boot\":\"{}\",\"pidns\":{},\"clock\":5.0",
        process.pid,
        process.born,
        here.boot.expect("Linux"),
        here.namespace.expect("Linux")
    );
    for second in [1, 2] {
        journal.append(
            0,
            &record("a", "start", second).replace("\"pid\":4,\"clock\":5.0", &own),
        );
    }
    let gone = own.replace(&format!("\"born\":{}", process.born), "\"born\":1");
    journal.append(0, &record("b", "start", 3).replace("\"pid\":4,\"clock\":5.0", &gone));
    let mut origins = Vec::new();
    journal.tail.read(|news| match news {
        News::Record(NewRecord {
            step: Step::Start(origin),
            ..
        }) => origins.push(origin),
        _ => panic!("no start: {news:?}"),
    });
    let mut judge = Judge::new();
    let fates = origins
        .iter()
        .rev()
        .map(|origin| judge.fate(origin, effective_user()).word());
    assert_eq!(fates.collect::<Vec<_>>(), ["interrupted", "running", "unknown"]);
    assert!(origins.iter().all(Origin::is_this_boot));
}
