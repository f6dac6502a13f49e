use super::super::tests::{OK, directory, own_path, read_all, record, record_of, told};
use super::super::{Query, Source, read, users};
use super::*;
use crate::format::{Entry, Process};
use policy::event::Ending;
use policy::moment::{BootTime, WallTime};
use policy::run_id::RunId;
use policy::tick::{Attempt, TickTime};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

fn export(directory: &Path, query: &Query) -> String {
    let mut runs = read(&[Source::Own(directory.to_owned())], query);
    let mut text = Vec::new();
    let seen = |run: &Run| run.id.ends_with('f');
    runs.export(seen, |record| {
        text.extend_from_slice(record);
        Ok(())
    })
    .expect("written");
    String::from_utf8(text).expect("text")
}

/// Files of this content, each as the export of a server of this name.
fn exported(files: &[(&str, &str)]) -> (TempDir, Vec<Source>) {
    let directory = directory(files);
    let source = |(host, _): &(&str, &str)| Source::Exported {
        host: (*host).to_owned(),
        file: directory.path().join(host),
    };
    let sources = files.iter().map(source).collect();
    (directory, sources)
}

fn named(text: &str) -> (TempDir, [Source; 1]) {
    let directory = directory(&[("export", text)]);
    let file: PathBuf = directory.path().join("export");
    (directory, [Source::Named(file)])
}

/// A record of a run without an end, of this fate.
fn unfinished(number: u32, fate: &str) -> String {
    record(number, 9, None).replace("}\n", &format!(",\"fate\":\"{fate}\",\"lasted\":7.5}}\n"))
}

#[test]
fn every_run_is_one_record() {
    let text = [
        record(1, 1, None),
        record(1, 2, OK),
        record(2, 3, None),
        record(0xf, 4, None),
        record(4, 7, Some("\"signal\":\"SIGTERM\",\"demoted\":true")),
    ]
    .concat();
    let directory = directory(&[("0-0.jsonl", &text)]);
    let text = export(directory.path(), &Query::default());
    assert!(text.lines().all(|line| is_record(line.as_bytes())), "{text}");
    assert_eq!(text.lines().count(), 4);
    let (_directory, sources) = exported(&[("db1", &text)]);
    let found = read_all(&sources, &Query::default());
    let expected = [(4, "fail"), (0xf, "interrupted"), (2, "interrupted"), (1, "ok")];
    assert_eq!(told(&found), expected);
    assert!(found.runs.iter().all(|run| run.server() == "db1"));
    let seen: Vec<bool> = found.runs.iter().map(|run| run.is_seen).collect();
    assert_eq!(seen, [false, true, false, false]);
    // The same file with --journal.
    let (_directory, sources) = named(&text);
    let found = read_all(&sources, &Query::default());
    assert_eq!(told(&found), expected);
    assert!(found.runs.iter().all(|run| run.host.is_none() && !run.is_seen));
}

#[test]
fn record_of_an_end_is_the_one_that_rcron_wrote() {
    let uid = sys::environment::effective_user();
    let user = users::name(uid, Some("x")).expect("a name");
    let started = WallTime(Duration::new(1_795_480_203, 123_456_789));
    let process = |pid| Process { pid, born: Some(7) };
    let entry = Entry {
        run: RunId::new(started, [0; 10]),
        node: b"server1",
        cluster: b"web",
        job: Some(b"n\xc3\xa4chtlich \"x\" \\ \x1b[2J \xe2\x80\xae"),
        command: b"backup \xff\\",
        user: Some(user.as_bytes()),
        uid,
        wrapper: process(4711),
        leader: Some(process(4712)),
        boot: Some(b"b007"),
        pid_namespace: Some(4_026_531_836),
        by_default: true,
        epoch: Some(u64::MAX),
        attempt: Some(Attempt {
            tick: TickTime(1_795_480_200),
            number: 2,
        }),
        started,
        began: BootTime(Duration::from_micros(83_125_402_001)),
    };
    for (outcome, demoted) in [
        (policy::exit::Outcome::Exited(3), false),
        (policy::exit::Outcome::Killed(15), true),
    ] {
        let ending = Ending {
            outcome,
            signal: "SIGTERM",
            lasted: Duration::from_millis(60_007),
            demoted,
        };
        let end = entry.end(&ending, WallTime(started.0 + ending.lasted));
        let directory = directory(&[]);
        fs::write(own_path(&directory), [entry.start(), end.clone()].concat()).expect("written");
        assert_eq!(
            export(directory.path(), &Query::default()),
            String::from_utf8(end).expect("text")
        );
    }
}

#[test]
fn owner_of_the_file_is_exported_and_not_the_user_in_the_record() {
    let text = record(1, 2, OK).replace("\"uid\":", "\"uid\":4242,\"was\":").replace(
        "\"user\":\"root\"",
        "\"user\":\"mallory\",\"fate\":\"running\",\"seen\":true",
    );
    let directory = directory(&[("0-0.jsonl", &text)]);
    let text = export(directory.path(), &Query::default());
    let uid = format!("\"uid\":{},", sys::environment::effective_user());
    assert!(
        text.contains(&uid) && !text.contains("4242") && !text.contains("mallory"),
        "{text}"
    );
    assert!(!text.contains("fate") && !text.contains("seen"), "{text}");
}

#[test]
fn other_server_has_found_out_what_became_of_a_run() {
    let words = [
        "running",
        "unwatched",
        "interrupted",
        "hidden",
        "unknown",
        "of a later version",
    ];
    let text: String = (0..)
        .zip(words)
        .map(|(number, word)| unfinished(number, word))
        .collect();
    let (_directory, sources) = exported(&[("db1", &text)]);
    let found = read_all(&sources, &Query::default());
    let mut fates = told(&found);
    fates.sort_unstable();
    let expected = ["running", "unwatched", "interrupted", "unknown", "unknown", "unknown"];
    assert_eq!(fates, (0..).zip(expected).collect::<Vec<_>>());
    let lasted = Duration::from_millis(7500);
    assert!(found.runs.iter().any(|run| run.fate == Fate::Running(lasted)));
    assert!(found.runs.iter().any(|run| run.fate == Fate::Unwatched(lasted)));
    let mut runs = read(&sources, &Query::default());
    runs.keep_interrupted();
    assert_eq!(runs.len(), 2, "hidden runs may be interrupted");
}

/// A file may be old: what was running then may have ended since. What was interrupted stays so.
#[test]
fn file_says_only_which_runs_were_interrupted() {
    let text: String = (0..)
        .zip(["running", "interrupted"])
        .map(|(number, word)| unfinished(number, word).replace("\"node\":\"", "\"node\":\"not-"))
        .collect();
    let (_directory, sources) = named(&text);
    let mut fates = told(&read_all(&sources, &Query::default()));
    fates.sort_unstable();
    assert_eq!(fates, [(0, "unknown"), (1, "interrupted")]);
}

#[test]
fn own_journal_cannot_claim_a_fate() {
    let text = unfinished(1, "running");
    let directory = directory(&[("0-0.jsonl", &text)]);
    let found = read_all(&[Source::Own(directory.path().to_owned())], &Query::default());
    assert_eq!(told(&found), [(1, "interrupted")]);
}

/// Whoever can read ids of runs in a log can write records with them.
#[test]
fn no_server_hides_a_run_of_another() {
    let own = directory(&[("0-0.jsonl", &record(1, 1, None))]);
    let forged = [record(1, 2, OK), record(2, 2, OK), record(3, 1, None)].concat();
    let honest = [unfinished(2, "running"), record(3, 2, OK)].concat();
    let (_directory, mut sources) = exported(&[("db1", &forged), ("db2", &honest)]);
    sources.push(Source::Own(own.path().to_owned()));
    for _ in 0..sources.len() {
        sources.rotate_left(1);
        let mut runs = read(&sources, &Query::default());
        runs.name_own_host("here");
        let mut of: Vec<(String, &str)> = runs
            .iter()
            .map(|run| (format!("{} {}", run.server(), &run.id[35..]), run.fate.word()))
            .collect();
        of.sort_unstable();
        let expected = [
            ("db1 1", "ok"),
            ("db1 2", "ok"),
            ("db1 3", "unknown"),
            ("db2 2", "running"),
            ("db2 3", "ok"),
            ("here 1", "interrupted"),
        ];
        assert_eq!(of, expected.map(|(run, fate)| (run.to_owned(), fate)));
    }
}

#[test]
fn several_exports_in_one_file_give_each_run_once() {
    let text = [unfinished(1, "interrupted"), record(2, 2, OK)].concat();
    let (_directory, sources) = named(&text.repeat(2));
    assert_eq!(
        told(&read_all(&sources, &Query::default())),
        [(1, "interrupted"), (2, "ok")]
    );
}

/// An export has the records of several users in one file.
#[test]
fn no_user_hides_an_interrupted_run_of_another_in_a_file() {
    let theirs = record(1, 10, OK).replace("\"uid\":", "\"uid\":4242,\"was\":");
    for text in [
        [unfinished(1, "interrupted"), theirs.clone()].concat(),
        [theirs, unfinished(1, "interrupted")].concat(),
    ] {
        let (_directory, sources) = named(&text);
        let mut fates = told(&read_all(&sources, &Query::default()));
        fates.sort_unstable();
        assert_eq!(fates, [(1, "interrupted"), (1, "ok")]);
    }
}

#[test]
fn query_chooses_in_an_export_too() {
    let text = [
        record_of(1, 2, OK, "tick", "b"),
        record_of(2, 90, Some("\"exit\":1"), "tock", "b"),
        unfinished(3, "interrupted"),
        unfinished(4, "running"),
        unfinished(5, "running").replace("web", "db"),
    ]
    .concat();
    let (_directory, sources) = exported(&[("db1", &text)]);
    let ask = |query: &Query| {
        let mut numbers: Vec<u32> = told(&read_all(&sources, query))
            .iter()
            .map(|(number, _)| *number)
            .collect();
        numbers.sort_unstable();
        numbers
    };
    let all = Query::default;
    let failed = true;
    let since = "2026-11-24T03:01:00Z".parse().ok();
    assert_eq!(ask(&Query { failed, ..all() }), [2, 3]);
    assert_eq!(
        ask(&Query { since, ..all() }),
        [2, 4, 5],
        "a running job is running now"
    );
    let job = Some("tick".to_owned());
    assert_eq!(ask(&Query { job, ..all() }), [1, 3, 4, 5]);
    let cluster = Some("web".to_owned());
    assert_eq!(ask(&Query { cluster, ..all() }), [1, 2, 3, 4]);
    let limit = Some(2);
    assert_eq!(ask(&Query { limit, ..all() }).len(), 2);
    let states = super::super::States::Unfinished;
    assert_eq!(ask(&Query { states, ..all() }), [3, 4, 5]);
}

#[test]
fn message_names_the_server_and_not_the_file() {
    let source = Source::Exported {
        host: "db1".to_owned(),
        file: PathBuf::from("/proc/self/fd/1000000"),
    };
    let found = read_all(&[source], &Query::default());
    assert_eq!(found.unseen[0].to_string(), "cannot read db1: no such file");
}

/// Fate, id, user and texts of each run.
fn content(runs: &mut Runs) -> Vec<(&'static str, String, u32, Option<String>, String)> {
    let content = runs
        .iter()
        .map(|run| (run.fate.word(), run.id, run.uid, run.job, run.command));
    content.collect()
}

proptest::proptest! {
    /// Whatever another server sends, an export of what was read in it says the same.
    #[test]
    fn export_of_an_export_says_the_same(job: String, command: String, at: proptest::sample::Index, byte: u8, copy: bool) {
        let text = |text: &str| serde_json::to_string(text).expect("JSON");
        let named = |line: String| {
            line.replace("\"job\":\"tick\"", &format!("\"job\":{}", text(&job)))
                .replace("\"command\":\"a b\"", &format!("\"command\":{}", text(&command)))
        };
        let lines = [record(1, 2, OK), unfinished(2, "running"), unfinished(3, "interrupted"), record(4, 7, Some("\"signal\":\"x\""))];
        let mut bytes = lines.map(named).concat().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if copy {
            bytes.extend_from_within(at..);
        }
        let directory = directory(&[]);
        let file = directory.path().join("export");
        let read_again = |bytes: &[u8]| {
            fs::write(&file, bytes).expect("written");
            read(&[Source::Exported { host: "db1".to_owned(), file: file.clone() }], &Query::default())
        };
        let mut runs = read_again(&bytes);
        let first = content(&mut runs);
        let mut exported = Vec::new();
        runs.export(|_| false, |record| {
            exported.extend_from_slice(record);
            Ok(())
        })?;
        proptest::prop_assert!(first.len() >= 2, "one byte spoils at most two records");
        proptest::prop_assert_eq!(content(&mut read_again(&exported)), first);
    }
}
