//! `rcronctl history`.

use crate::fixture::{Fixture, rows};
use std::process::Command;
use testing::program::program;
use testing::run;

#[test]
fn shows_the_newest_run_first() {
    let fixture = Fixture::new(Some("active"));
    assert_eq!(fixture.output(0, ["history"]), "no such runs\n");
    fixture.run(&["--job", "first", "true"]);
    fixture.run(&["--job", "second", "sh", "-c", "exit 3"]);
    fixture.run(&["sh", "-c", "kill -TERM $$"]);
    let table = rows(&fixture.output(0, ["history"]));
    assert_eq!(table.len(), 4);
    assert_eq!(table[0], "STARTED AGE LASTED RESULT JOB");
    assert!(table[1].ends_with(" s SIGTERM sh -c kill -TERM $$"), "{table:?}");
    assert!(table[2].ends_with(" s exit 3 second"), "{table:?}");
    assert!(table[3].ends_with(" s ok first"), "{table:?}");
    let json = fixture.json(0, ["history"]);
    assert_eq!(json["more"], false);
    let [third, second, first] = [0, 1, 2].map(|index| &json["runs"][index]);
    assert_eq!((&first["status"], &first["exit"]), (&"ok".into(), &0.into()));
    assert_eq!((&second["status"], &second["exit"]), (&"fail".into(), &3.into()));
    assert_eq!(
        (&third["signal"], &third["job"]),
        (&"SIGTERM".into(), &serde_json::Value::Null)
    );
    assert!(first["run"].is_string() && first["duration"].is_number() && first["ended"].is_string());
}

#[test]
fn options_select_runs() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "good", "true"]);
    fixture.run(&["--job", "bad", "false"]);
    fixture.run(&["echo", "a b"]);
    let count = |options: &[&str]| {
        let json = fixture.json(0, [&["history"], options].concat());
        json["runs"].as_array().map_or(0, Vec::len)
    };
    for (options, expected) in [
        (&[][..], 3),
        (&["--failed"], 1),
        (&["--job", "good"], 1),
        (&["--job", "echo a b"], 1),
        (&["--job", "goo"], 0),
        (&["--cluster", "web"], 3),
        (&["--cluster", "mail"], 0),
        (&["--since", "1h"], 3),
        (&["--since", "today"], 3),
        (&["--since", "2999-01-01"], 0),
        (&["-n", "2"], 2),
        (&["-n", "0"], 3),
    ] {
        assert_eq!(count(options), expected, "{options:?}");
    }
    assert!(
        fixture
            .output(0, ["history", "-n", "2"])
            .ends_with("(older runs are not shown; -n 0 shows all)\n")
    );
}

#[test]
fn merges_the_journals_of_several_servers() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "tick", "true"]);
    let copy = fixture.path("copied-from-server2");
    let text = fixture.read(&format!("journal/{}-0.jsonl", nix::unistd::geteuid()));
    let node = format!(
        "\"node\":\"{}\"",
        nix::unistd::gethostname().expect("a name").to_string_lossy()
    );
    assert!(text.contains(&node), "{text}");
    let run = text
        .split("\"run\":\"")
        .nth(1)
        .and_then(|rest| rest.get(..36))
        .expect("a run");
    let other = text
        .replace(&node, "\"node\":\"server2\"")
        .replace(run, "01a20b14-4d03-7bdd-b2ac-4f96a7d9e743");
    std::fs::write(&copy, other).expect("written");
    let journal = fixture.path("journal");
    let done = run_history(&fixture, &[&journal, &copy]);
    let table = rows(&done);
    assert_eq!(
        (table.len(), table[0].as_str()),
        (3, "STARTED AGE LASTED RESULT SERVER JOB")
    );
    assert!(done.contains(" server2  tick\n"), "{done}");
}

fn run_history(fixture: &Fixture, journals: &[&std::path::Path]) -> String {
    let mut command = fixture.command();
    command.arg("history");
    for journal in journals {
        command.arg("--journal").arg(journal);
    }
    let done = run(&mut command);
    assert_eq!(done.code(), Some(0), "{done:?}");
    done.stdout()
}

#[test]
fn escapes_control_characters() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["true", "\u{1b}[2J"]);
    assert!(fixture.output(0, ["history"]).contains("true \\x1b[2J"));
}

#[test]
fn names_what_cannot_be_read() {
    let fixture = Fixture::new(Some("active"));
    let done = fixture.rcronctl(["history", "--journal", "/no/such/directory"]);
    assert_eq!(done.code(), Some(2));
    assert!(
        done.stderr()
            .contains("cannot read /no/such/directory: No such file or directory"),
        "{done:?}"
    );
    let done = fixture.rcronctl(["history", "--since", "soon"]);
    assert_eq!(done.code(), Some(2));
    assert!(
        done.stderr()
            .contains("'soon' for '--since <TIME>': not a time: write a duration"),
        "{done:?}"
    );
    fixture.configure("journal = none\n");
    let done = fixture.rcronctl(["history"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("journaling is off"),
        "{done:?}"
    );
}

/// A FIFO in its place would hold rcronctl for ever.
#[test]
fn opens_no_file_but_a_zone_for_the_time_zone() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["true"]);
    let fifo = fixture.path("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("made");
    let directory = fixture.path("").display().to_string();
    for (zone, zones) in [
        (fifo.display().to_string(), None),
        (format!(":{}", fifo.display()), None),
        ("fifo".to_owned(), Some(&directory)),
    ] {
        let mut command = fixture.command();
        command
            .arg("history")
            .env("TZ", &zone)
            .envs(zones.map(|zones| ("TZDIR", zones)));
        let done = run(&mut command);
        assert_eq!(
            (done.code(), rows(&done.stdout()).len()),
            (Some(0), 2),
            "{zone}: {done:?}"
        );
    }
}

#[test]
fn ends_well_if_the_reader_closes_the_pipe() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["true"]);
    let program = testing::program::program("rcronctl");
    let line = format!(
        "{{ trap '' PIPE; {} --conf {} history; echo $? >{}; }} | :",
        program.display(),
        fixture.path("conf").display(),
        fixture.path("status").display()
    );
    run(Command::new("sh").args(["-c", &line]));
    assert_eq!(fixture.read("status"), "0\n");
}

#[test]
fn suggests_the_name_that_was_meant() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "backup", "true"]);
    for (options, told) in [
        (
            ["--job", "bakcup"],
            "rcronctl: warning: no run of the job bakcup is known; did you mean backup?\n",
        ),
        (
            ["--cluster", "wbe"],
            "rcronctl: warning: no run of the cluster wbe is known; did you mean web?\n",
        ),
        (
            ["--job", "something"],
            "rcronctl: warning: no run of the job something is known\n",
        ),
    ] {
        let done = fixture.rcronctl([&["history"][..], &options].concat());
        let output = (done.code(), done.stdout(), done.stderr());
        assert_eq!(output, (Some(0), "no such runs\n".to_owned(), told.to_owned()));
    }
    assert_eq!(
        fixture.output(0, ["history", "--job", "backup", "--failed"]),
        "no such runs\n"
    );
}

/// The clocks are set back in this night.
#[test]
fn names_the_zone_of_a_local_time_that_occurs_twice() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "tick", "true"]);
    let text = fixture.read(&format!("journal/{}-0.jsonl", nix::unistd::geteuid()));
    let time = text
        .split("\"time\":\"")
        .nth(1)
        .and_then(|rest| rest.get(..27))
        .expect("a time");
    let day = |hour: u32, run: u32| {
        let run_id = text
            .split("\"run\":\"")
            .nth(1)
            .and_then(|rest| rest.get(..36))
            .expect("a run");
        let end = text.lines().last().expect("an end").to_owned() + "\n";
        let started = end
            .split("\"started\":\"")
            .nth(1)
            .and_then(|rest| rest.get(..27))
            .expect("a start");
        end.replace(started, &format!("2026-10-25T0{hour}:00:00.000000Z"))
            .replace(time, &format!("2026-10-25T0{hour}:00:00.000000Z"))
            .replace(run_id, &format!("019ab000-0000-7000-8000-{run:012x}"))
    };
    fixture.write("copy", &[day(0, 1), day(1, 2), day(2, 3)].concat());
    let mut command = fixture.command();
    command
        .env("TZ", "Europe/Berlin")
        .args(["history", "--journal"])
        .arg(fixture.path("copy"));
    let table = rows(&run(&mut command).stdout());
    let started: Vec<&str> = table[1..].iter().filter_map(|row| row.split(" ago ").next()).collect();
    assert!(
        started[0].starts_with("2026-10-25 03:00:00 ") && !started[0].contains("CET"),
        "{table:?}"
    );
    assert!(started[1].starts_with("2026-10-25 02:00:00 CET "), "{table:?}");
    assert!(started[2].starts_with("2026-10-25 02:00:00 CEST "), "{table:?}");
}

/// Journaling is not off then, and nothing can be said about runs.
#[test]
fn configuration_that_cannot_be_read_is_named() {
    let fixture = Fixture::new(Some("active"));
    let missing = fixture.path("missing").display().to_string();
    let directory = fixture.path("journal").display().to_string();
    let bad = fixture.path("bad").display().to_string();
    fixture.write("bad", "cluster = web\n");
    for (file, reason) in [
        (&missing, format!("cannot read the configuration from {missing}: ")),
        (&directory, format!("cannot read the configuration from {directory}: ")),
        (&bad, format!("{bad}:1:1: unknown key `cluster` (")),
    ] {
        for command in ["history", "export", "interrupted", "metrics", "timeline"] {
            let done = run(Command::new(program("rcronctl")).args(["--conf", file, command]));
            let begin = format!("rcronctl: no journal is known: {reason}");
            assert!(
                done.code() == Some(2) && done.out.is_empty() && done.stderr().starts_with(&begin),
                "{command}: {done:?}"
            );
        }
        fixture.run(&["true"]);
        let done = fixture.rcronctl(["--conf", file, "history"]);
        assert!(done.code() == Some(0) && done.stdout().lines().count() > 1, "{done:?}");
        assert!(
            done.stderr().contains(&reason) && done.stderr().ends_with("; its journal is not known\n"),
            "{done:?}"
        );
    }
    let done = run(fixture.command().args(["--conf", &missing, "metrics"]));
    assert!(
        done.code() == Some(1) && done.stderr().contains("missing: no such file; its jobs are not known"),
        "{done:?}"
    );
}
