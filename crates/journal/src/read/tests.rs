use super::*;
use crate::run::{Fate, Run};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A record of the run of this number, at this second; `end` has the fields of an end.
pub(super) fn record(number: u32, second: u32, end: Option<&str>) -> String {
    record_of(number, second, end, "tick", "other-boot")
}

pub(super) fn record_of(number: u32, second: u32, end: Option<&str>, job: &str, boot: &str) -> String {
    let time = |second: u32| format!("2026-11-24T03:{:02}:{:02}.000000Z", second / 60, second % 60);
    let (event, tail) = match end {
        None => ("start", String::new()),
        Some(fields) => (
            "end",
            format!(",\"started\":\"{}\",\"duration\":1.5,{fields}", time(second - 1)),
        ),
    };
    format!(
        "{{\"time\":\"{}\",\"event\":\"{event}\",\"run\":\"019ab000-0000-7000-8000-{number:012x}\",\"node\":\"{}\",\
         \"cluster\":\"web\",\"job\":\"{job}\",\"command\":\"a b\",\"user\":\"root\",\"uid\":{},\"pid\":1,\"born\":1,\
         \"boot\":\"{boot}\",\"pidns\":1,\"clock\":5.0,\"state\":\"active\"{tail}}}\n",
        time(second),
        node(),
        sys::environment::effective_user()
    )
}

fn node() -> String {
    String::from_utf8(sys::environment::node_name()).expect("text")
}

pub(super) const OK: Option<&str> = Some("\"exit\":0");

pub(super) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        // A file counts only if it belongs to the user in its name.
        let own = format!("{}-", sys::environment::effective_user());
        let name = name.strip_prefix("0-").map_or((*name).to_owned(), |rest| own + rest);
        fs::write(directory.path().join(name), text).expect("written");
    }
    directory
}

pub(super) fn own_path(directory: &TempDir) -> std::path::PathBuf {
    crate::names::path(directory.path(), sys::environment::effective_user(), 0)
}

fn read_own(directory: &Path, query: &Query) -> Read {
    read_all(&[Source::Own(directory.to_owned())], query)
}

pub(super) fn read_all(sources: &[Source], query: &Query) -> Read {
    let mut runs = read(sources, query);
    Read {
        runs: runs.iter().collect(),
        more: runs.more,
        unseen: runs.unseen(),
    }
}

#[derive(Debug)]
pub(super) struct Read {
    pub(super) runs: Vec<Run>,
    more: bool,
    pub(super) unseen: Vec<Unseen>,
}

/// Runs as number and fate.
pub(super) fn told(read: &Read) -> Vec<(u32, &'static str)> {
    let number = |run: &Run| u32::from_str_radix(&run.id[24..], 16).expect("a number");
    read.runs.iter().map(|run| (number(run), run.fate.word())).collect()
}

#[test]
fn starts_and_ends_are_put_together() {
    let text = [
        record(1, 1, None),
        record(1, 2, OK),
        record(2, 3, None),
        record(3, 4, None),
        record(3, 5, Some("\"exit\":3")),
        record(4, 7, Some("\"signal\":\"SIGTERM\",\"demoted\":true")),
    ]
    .concat();
    let directory = directory(&[("0-0.jsonl", &text)]);
    let runs = read_own(directory.path(), &Query::default());
    assert_eq!(told(&runs), [(4, "fail"), (3, "fail"), (2, "interrupted"), (1, "ok")]);
    assert!(runs.unseen.is_empty() && !runs.more);
    assert_eq!(runs.runs[1].started.to_string(), "2026-11-24T03:00:04Z");
    let Fate::Ended(end) = &runs.runs[0].fate else {
        panic!("{runs:?}");
    };
    assert!(end.demoted && end.lasted == Duration::from_millis(1500));
}

#[test]
fn torn_blank_and_foreign_lines_are_ignored() {
    let torn = &record(2, 3, None)[..60];
    let text = [
        "\n",
        &record(1, 1, None),
        torn,
        "\n",
        &record(1, 2, OK),
        "hello\n{\"time\":1}\n\u{0}\n",
        &record(3, 3, None),
        &record(3, 4, OK)[..200],
    ]
    .concat();
    let directory = directory(&[("0-0.jsonl", &text), ("notes", "x"), ("7-x.jsonl", "y")]);
    assert_eq!(
        told(&read_own(directory.path(), &Query::default())),
        [(3, "interrupted"), (1, "ok")]
    );
}

#[test]
fn rotated_files_and_several_names_are_one_journal() {
    let directory = directory(&[
        ("0-0.jsonl.2", &record(1, 1, None)),
        ("0-0.jsonl.1", &record(1, 2, OK)),
        ("0-0.jsonl", &record(2, 3, None)),
        ("0-1.jsonl", &record(2, 4, OK)),
        ("7-0.jsonl", &record(3, 5, OK)),
        ("8-0.jsonl.3", &record(4, 6, OK)),
    ]);
    let runs = read_all(&[Source::Named(directory.path().to_owned())], &Query::default());
    assert_eq!(told(&runs), [(4, "ok"), (3, "ok"), (2, "ok"), (1, "ok")]);
}

#[test]
fn an_end_that_is_read_before_its_start_counts() {
    let directory = directory(&[("0-0.jsonl", &record(1, 2, OK)), ("0-1.jsonl", &record(1, 1, None))]);
    assert_eq!(told(&read_own(directory.path(), &Query::default())), [(1, "ok")]);
}

#[test]
fn a_journal_and_an_older_copy_give_each_run_once() {
    let old = directory(&[("0-0.jsonl", &record(1, 1, None))]);
    let new = directory(&[("0-0.jsonl", &[record(1, 1, None), record(1, 2, OK)].concat())]);
    let named = |directory: &TempDir| Source::Named(directory.path().to_owned());
    for sources in [[named(&old), named(&new)], [named(&new), named(&old)]] {
        assert_eq!(told(&read_all(&sources, &Query::default())), [(1, "ok")]);
    }
}

#[test]
fn a_query_chooses() {
    let text = [
        record_of(1, 1, None, "tick", "b"),
        record_of(1, 2, OK, "tick", "b"),
        record_of(2, 60, None, "tock", "b"),
        record_of(2, 90, Some("\"exit\":1"), "tock", "b"),
        record_of(3, 91, None, "tick", "b"),
    ]
    .concat();
    let directory = directory(&[("0-0.jsonl", &text)]);
    let ask = |query: Query| told(&read_own(directory.path(), &query));
    let since = "2026-11-24T03:01:30Z".parse().ok();
    assert_eq!(
        ask(Query {
            since,
            ..Query::default()
        }),
        [(3, "interrupted"), (2, "fail")]
    );
    let job = Some("tick".to_owned());
    assert_eq!(
        ask(Query {
            job,
            ..Query::default()
        }),
        [(3, "interrupted"), (1, "ok")]
    );
    let cluster = Some("we".to_owned());
    assert_eq!(
        ask(Query {
            cluster,
            ..Query::default()
        }),
        []
    );
    assert_eq!(
        ask(Query {
            failed: true,
            ..Query::default()
        }),
        [(3, "interrupted"), (2, "fail")]
    );
    assert_eq!(
        ask(Query {
            states: States::Unfinished,
            ..Query::default()
        }),
        [(3, "interrupted")]
    );
    let limited = read_own(
        directory.path(),
        &Query {
            limit: Some(2),
            ..Query::default()
        },
    );
    assert_eq!(
        (told(&limited), limited.more),
        (vec![(3, "interrupted"), (2, "fail")], true)
    );
}

#[test]
fn a_job_without_a_name_is_known_by_its_command() {
    let text = record(1, 2, OK).replace("\"job\":\"tick\",", "");
    let directory = directory(&[("0-0.jsonl", &text)]);
    let job = Some("a b".to_owned());
    assert_eq!(
        told(&read_own(
            directory.path(),
            &Query {
                job,
                ..Query::default()
            }
        )),
        [(1, "ok")]
    );
}

/// This very process is the run's, so it is alive.
#[test]
fn a_live_run_is_running() {
    let pid = std::process::id();
    let process = sys::process_tree::Process::of(i32::try_from(pid).expect("small")).expect("alive");
    let here = Here::now();
    let text = record_of(1, 1, None, "tick", &here.boot.expect("a boot"))
        .replace(
            "\"pid\":1,\"born\":1,",
            &format!("\"pid\":{pid},\"born\":{},", process.born),
        )
        .replace(
            "\"pidns\":1",
            &format!("\"pidns\":{}", here.namespace.expect("a namespace")),
        );
    let directory = directory(&[("0-0.jsonl", &text)]);
    assert_eq!(told(&read_own(directory.path(), &Query::default())), [(1, "running")]);
}

#[test]
fn unreadable_files_are_reported() {
    let directory = directory(&[]);
    fs::create_dir(own_path(&directory)).expect("made");
    let runs = read_own(directory.path(), &Query::default());
    assert_eq!(runs.unseen.len(), 1, "{runs:?}");
    let missing = directory.path().join("none");
    let runs = read_own(&missing, &Query::default());
    assert_eq!(
        runs.unseen,
        [Unseen::Unreadable(missing, "No such file or directory".to_owned())]
    );
}

#[test]
fn the_owner_of_the_file_counts_not_the_user_in_the_record() {
    let text = record(1, 2, OK)
        .replace("\"uid\":", "\"uid\":4242,\"was\":")
        .replace("\"user\":\"root\"", "\"user\":\"mallory\"");
    let directory = directory(&[("0-0.jsonl", &text)]);
    let runs = read_own(directory.path(), &Query::default());
    assert_eq!(runs.runs[0].uid, sys::environment::effective_user());
    assert_ne!(runs.runs[0].user.as_deref(), Some("mallory"));
}

#[test]
fn fields_may_stand_in_another_order() {
    let sorted = |line: String| -> String {
        let object: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_str(&line).expect("JSON");
        serde_json::to_string(&object).expect("JSON") + "\n"
    };
    let text = [
        sorted(record(1, 1, None)),
        sorted(record(1, 2, OK)),
        sorted(record(2, 3, None)),
    ]
    .concat();
    let directory = directory(&[("0-0.jsonl", &text)]);
    assert_eq!(
        told(&read_own(directory.path(), &Query::default())),
        [(2, "interrupted"), (1, "ok")]
    );
}

proptest::proptest! {
    /// Whatever stands in a journal, reading it ends, and what is whole is found.
    #[test]
    fn junk_between_records_hides_none(junk: Vec<u8>, more: Vec<u8>) {
        let junk: Vec<u8> = junk.into_iter().filter(|byte| *byte != b'\n').collect();
        let directory = directory(&[]);
        let text = [&junk, &b"\n"[..], record(1, 1, None).as_bytes(), &junk, b"\n", record(1, 2, OK).as_bytes(), &more].concat();
        fs::write(own_path(&directory), text).expect("written");
        proptest::prop_assert_eq!(told(&read_own(directory.path(), &Query::default())), [(1, "ok")]);
    }
}
