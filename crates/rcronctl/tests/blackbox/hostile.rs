//! What other users put into the journal's directory. They can write anything into files of their own, under any name.

use crate::fixture::Fixture;
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;
use testing::{Done, run};

/// The user `nobody`.
const USER: u32 = 65_534;
/// In bytes: what `status`, `history` and `interrupted` may use.
const MOST_MEMORY: u32 = 50_000_000;

/// A server whose journal is a directory as the package makes it.
fn server() -> Fixture {
    let fixture = Fixture::new(Some("active"));
    fs::set_permissions(fixture.path("journal"), Permissions::from_mode(0o1733)).expect("chmod");
    fixture
}

/// The record of a start or an end.
struct Record {
    run: u64,
    event: &'static str,
    user: &'static str,
    job: String,
    pid: u32,
    born: u64,
    boot: String,
}

impl Record {
    fn start(run: u64) -> Self {
        Self {
            run,
            event: "start",
            user: "root",
            job: format!("job{run}"),
            pid: 4_000_000,
            born: run,
            boot: "11111111-2222-3333-4444-555555555555".to_owned(),
        }
    }

    /// Of this boot, and with this process.
    fn with_process(run: u64, pid: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
        let mut fields = stat.rsplit(')').next().expect("fields").split_whitespace();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("there");
        Self {
            pid,
            born: fields.nth(19).and_then(|born| born.parse().ok()).expect("a number"),
            boot: boot.trim().to_owned(),
            ..Self::start(run)
        }
    }

    fn line(&self) -> String {
        let Self {
            run,
            event,
            user,
            job,
            pid,
            born,
            boot,
        } = self;
        let time = format!(
            "2026-11-24T{:02}:{:02}:{:02}.000000Z",
            run / 3600 % 24,
            run / 60 % 60,
            run % 60
        );
        let namespace = std::os::unix::fs::MetadataExt::ino(&fs::metadata("/proc/self/ns/pid").expect("there"));
        let end = match *event {
            "end" => format!(",\"started\":\"{time}\",\"duration\":1.5,\"exit\":0"),
            _ => String::new(),
        };
        format!(
            "{{\"time\":\"{time}\",\"event\":\"{event}\",\"run\":\"019ab000-0000-7000-8000-{run:012x}\",\"node\":\"{}\",\
             \"cluster\":\"web\",\"job\":\"{job}\",\"command\":\"a b\",\"user\":\"{user}\",\"uid\":0,\"pid\":{pid},\
             \"born\":{born},\"boot\":\"{boot}\",\"pidns\":{namespace},\"clock\":5.0,\"state\":\"active\"{end}}}\n",
            nix::unistd::gethostname().expect("a name").to_string_lossy()
        )
    }
}

fn put(fixture: &Fixture, name: &str, owner: u32, text: &str) {
    let path = fixture.path("journal").join(name);
    fs::write(&path, text).expect("written");
    chown(&path, Some(owner), Some(owner)).expect("chown");
}

fn starts(runs: impl Iterator<Item = u64>) -> String {
    runs.fold(String::new(), |mut text, run| {
        let _ = text.write_str(&Record::start(run).line());
        text
    })
}

fn messages(fixture: &Fixture) -> Vec<String> {
    fixture.log.set_nonblocking(true).expect("set");
    let mut buffer = [0; 8192];
    let receive = || match fixture.log.recv(&mut buffer) {
        Ok(length) => Some(String::from_utf8_lossy(&buffer[..length]).into_owned()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            None
        }
    };
    std::iter::from_fn(receive).collect()
}

/// Runs the program, which fails if it wants more memory than it may use.
fn small(fixture: &Fixture, arguments: &[&str]) -> Done {
    let mut command = Command::new("prlimit");
    command
        .arg(format!("--data={MOST_MEMORY}"))
        .arg("--")
        .arg(testing::program::program("rcronctl"))
        .arg("--conf")
        .arg(fixture.path("conf"));
    let done = run(command.args(arguments));
    assert!(
        done.code().is_some_and(|code| code <= 2),
        "{arguments:?}: {:?} {}",
        done.status,
        done.stderr()
    );
    done
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_name_that_is_not_of_a_uid_is_nobodys_journal() {
    let fixture = server();
    for name in [
        "4294967296-0.jsonl",
        "00-0.jsonl",
        "0-00.jsonl",
        "0-9.jsonl",
        "0-0.jsonl.5",
        "0-0.jsonl",
    ] {
        put(&fixture, name, USER, &Record::start(1).line());
    }
    assert_eq!(fixture.output(0, ["history"]), "no such runs\n");
    assert_eq!(fixture.output(0, ["interrupted"]), "no interrupted runs\n");
    put(&fixture, "65534-0.jsonl", USER, &Record::start(1).line());
    let run = &fixture.json(0, ["history"])["runs"][0];
    assert_eq!((&run["uid"], &run["user"]), (&USER.into(), &"nobody".into()));
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_mark_hides_the_run_of_its_owner_only() {
    let fixture = server();
    put(&fixture, "65534-0.jsonl", USER, &Record::start(1).line());
    assert_eq!(fixture.output(0, ["interrupted", "--ack"]), "1 run marked as seen\n");
    put(&fixture, "0-0.jsonl", 0, &Record::start(1).line());
    let runs = fixture.json(1, ["interrupted"])["runs"].clone();
    assert_eq!((runs.as_array().map(Vec::len), &runs[0]["uid"]), (Some(1), &0.into()));
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_record_that_names_process_1_is_of_no_running_job() {
    let fixture = server();
    put(&fixture, "65534-0.jsonl", USER, &Record::with_process(1, 1).line());
    let status = fixture.json(0, ["status"]);
    assert_eq!(status["running"].as_array().map(Vec::len), Some(0), "{status}");
    put(&fixture, "0-0.jsonl", 0, &Record::with_process(1, 1).line());
    let status = fixture.json(0, ["status"]);
    assert_eq!(
        (status["running"].as_array().map(Vec::len), &status["running"][0]["uid"]),
        (Some(1), &0.into())
    );
}

/// Root's runs, too, are of one process each.
#[test]
fn many_records_of_one_process_are_one_running_job() {
    let fixture = Fixture::new(Some("active"));
    let text: String = (0..50)
        .map(|run| Record::with_process(run, std::process::id()).line())
        .collect();
    fs::write(fixture.journal(), text).expect("written");
    let running = &fixture.json(0, ["status"])["running"];
    assert_eq!(
        (running.as_array().map(Vec::len), &running[0]["job"]),
        (Some(1), &"job49".into())
    );
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn roots_names_that_a_user_took_are_taken_back() {
    let fixture = server();
    for number in 0..9 {
        put(&fixture, &format!("0-{number}.jsonl"), USER, "");
    }
    fixture.run(&["--job", "night", "true"]);
    assert!(fixture.output(0, ["history"]).contains("night"));
    let told = messages(&fixture);
    let told: Vec<_> = told
        .iter()
        .filter(|line| line.contains("belonged to another user and was renamed to"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn names_of_another_user_that_are_all_taken_are_not_concealed() {
    let fixture = server();
    for number in 0..9 {
        put(&fixture, &format!("1-{number}.jsonl"), USER, "");
    }
    for command in ["history", "interrupted", "status"] {
        let done = fixture.rcronctl([command]);
        let told = "other users have taken all names for the journal of user daemon";
        assert!(
            done.code() == Some(2) && done.stderr().contains(told),
            "{command}: {done:?}"
        );
        assert!(!done.stdout().contains("no "), "{command}: {done:?}");
    }
}

/// Where the kernel lets users link the files of others, the link must not become the other user's journal.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_link_to_another_file_is_no_journal() {
    let fixture = server();
    fs::write(fixture.path("precious"), Record::start(1).line()).expect("written");
    fs::hard_link(fixture.path("precious"), fixture.journal()).expect("linked");
    let done = fixture.rcronctl(["history"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("it has 2 hard links"),
        "{done:?}"
    );
}

#[test]
fn a_file_of_gigabytes_is_read_only_at_its_end() {
    let fixture = Fixture::new(Some("active"));
    fs::write(fixture.journal(), Record::start(1).line()).expect("written");
    let file = fs::OpenOptions::new()
        .append(true)
        .open(fixture.journal())
        .expect("opened");
    file.set_len(4 << 30).expect("a sparse file");
    let done = small(&fixture, &["interrupted"]);
    let told = "is larger than rcron lets a file grow: only its last 17 MiB were read";
    assert!(done.code() == Some(2) && done.stderr().contains(told), "{done:?}");
    // Records that rcron has appended since are found.
    std::io::Write::write_all(&mut &file, format!("\n{}", Record::start(2).line()).as_bytes()).expect("written");
    let done = small(&fixture, &["interrupted"]);
    assert!(done.code() == Some(1) && done.stdout().contains("job2"), "{done:?}");
}

/// Together, the records are larger than the memory that a reader may use.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_flood_of_starts_costs_little_memory_and_hides_no_run_of_another_user() {
    let fixture = server();
    let flood = starts(0..45_000);
    for number in 0..4 {
        // The id of a run has the same length everywhere.
        let other = format!("-8000-{number:x}0000");
        put(
            &fixture,
            &format!("65534-{number}.jsonl"),
            USER,
            &flood.replace("-8000-00000", &other),
        );
    }
    let early = |job: &str| Record {
        job: job.to_owned(),
        ..Record::start(7)
    };
    put(&fixture, "0-0.jsonl", 0, &early("roots").line());
    put(&fixture, "1-0.jsonl", 1, &early("daemons").line());
    assert_eq!(small(&fixture, &["status"]).code(), Some(0));
    let done = small(&fixture, &["interrupted", "--json"]);
    assert_eq!(done.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&done.out).expect("JSON");
    let jobs: Vec<_> = found["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| &run["job"])
        .collect();
    assert!(jobs.contains(&&"roots".into()) && jobs.contains(&&"daemons".into()));
    let told = "the journal of user nobody has more starts without an end than can be compared: up to ";
    assert!(done.stderr().contains(told), "{}", done.stderr());
    let dropped = found["unseen"][0]
        .as_str()
        .and_then(|text| text.split("up to ").nth(1)?.split(' ').next()?.parse().ok());
    assert_eq!(dropped.map(|dropped: usize| dropped + jobs.len()), Some(180_002));
}

#[test]
fn a_long_text_does_not_lengthen_every_line() {
    let fixture = Fixture::new(Some("active"));
    let long = |run| Record {
        event: "end",
        job: "x".repeat(60_000),
        ..Record::start(run)
    };
    let mut text: String = (0..2000)
        .map(|run| {
            Record {
                event: "end",
                ..Record::start(run)
            }
            .line()
        })
        .collect();
    text.push_str(
        &long(2000)
            .line()
            .replace("\"cluster\":\"web\"", &format!("\"cluster\":\"{}\"", "y".repeat(3000))),
    );
    fs::write(fixture.journal(), text).expect("written");
    let done = small(&fixture, &["history", "-n", "0"]);
    assert_eq!(done.stdout().lines().count(), 2002);
    assert!(done.out.len() < 2002 * 400, "{}", done.out.len());
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn the_report_at_boot_names_roots_runs_first_and_so_many_of_each_user() {
    let fixture = server();
    put(&fixture, "1-0.jsonl", 1, &starts(0..150));
    put(&fixture, "0-0.jsonl", 0, &starts(0..2));
    let logged = log_while_reading(&fixture);
    assert_eq!(logged.len(), 2 + 100 + 1);
    assert!(
        logged[0].contains(" user=root job=job0 ") && logged[1].contains(" user=root job=job1 "),
        "{logged:?}"
    );
    assert!(
        logged[2].contains(" user=daemon job=job50 ") && logged[101].contains(" user=daemon job=job149 "),
        "{logged:?}"
    );
    assert!(
        logged[102].contains("state=active status=interrupted user=daemon more=50: "),
        "{logged:?}"
    );
    assert_eq!(log_while_reading(&fixture), [""; 0], "all are marked");
}

/// A cluster's name can have blanks, and looks like the fields of root's run.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn the_report_at_boot_has_no_line_that_looks_like_that_of_another_user() {
    let fixture = server();
    let forged = "x state=active status=interrupted started=2026-11-24T00:00:01Z user=root";
    let text = Record::start(1)
        .line()
        .replace("\"cluster\":\"web\"", &format!("\"cluster\":\"{forged}\""));
    put(&fixture, "65534-0.jsonl", USER, &text);
    let logged = log_while_reading(&fixture);
    assert_eq!(logged.len(), 1);
    assert!(
        !logged[0].contains(" user=root") && logged[0].contains(" user=nobody "),
        "{logged:?}"
    );
}

/// Reads the lines while they are written: the queue of the socket is short.
fn log_while_reading(fixture: &Fixture) -> Vec<String> {
    let mut logging = testing::process::Running::start(fixture.command().args(["interrupted", "--log"]));
    let mut lines = Vec::new();
    testing::until("the end of the report", || {
        lines.extend(messages(fixture));
        logging.has_ended().then_some(())
    });
    lines.extend(messages(fixture));
    lines
}

/// What has been logged is not logged again, although the report could not be finished.
#[test]
fn a_log_daemon_that_stops_reading_costs_only_the_lines_that_it_did_not_accept() {
    let fixture = Fixture::new(Some("active"));
    fs::write(fixture.journal(), starts(0..41)).expect("written");
    let done = fixture.rcronctl(["interrupted", "--log"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("--log` logs the others"),
        "{done:?}"
    );
    let before = messages(&fixture);
    assert!(!before.is_empty());
    let after = log_while_reading(&fixture);
    let mut all = [before, after].concat();
    all.sort_by_key(|line| {
        line.split(" job=job")
            .nth(1)
            .and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok())
    });
    assert_eq!(all.len(), 41, "{all:?}");
}

#[test]
fn json_has_no_raw_control_characters() {
    let fixture = Fixture::new(Some("active"));
    let hostile = Record {
        event: "end",
        job: "a\u{9b}2J\u{202e}b".to_owned(),
        ..Record::start(1)
    };
    fs::write(fixture.journal(), hostile.line()).expect("written");
    let text = fixture.output(0, ["history", "--json"]);
    assert!(text.contains(r#""job": "a\u009b2J\u202eb""#), "{text}");
}

/// The journal's directory cannot be listed by ordinary users.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn an_ordinary_user_is_told_that_only_his_own_runs_can_be_seen() {
    let fixture = server();
    fs::set_permissions(fixture.path("."), Permissions::from_mode(0o755)).expect("chmod");
    fixture.run(&["--job", "roots", "true"]);
    let as_user = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
        // The program may be in a directory that this user cannot enter.
        let program = fixture.path("rcronctl");
        fs::copy(testing::program::program("rcronctl"), &program).expect("copied");
        command.arg(program).arg("--conf").arg(fixture.path("conf"));
        run(command.args(arguments))
    };
    for (arguments, told) in [
        (
            ["history"],
            "no such runs of yours (only root sees the runs of other users)\n",
        ),
        (
            ["interrupted"],
            "no interrupted runs of yours (only root sees those of other users)\n",
        ),
    ] {
        let done = as_user(&arguments);
        assert_eq!((done.code(), done.stdout().as_str()), (Some(0), told), "{done:?}");
    }
    put(&fixture, "65534-0.jsonl", USER, &Record::start(1).line());
    let told = "(these are your own runs; only root sees those of other users)\n";
    assert!(as_user(&["history"]).stdout().ends_with(told));
    assert!(as_user(&["interrupted"]).stdout().ends_with(told));
    let status = as_user(&["status"]).stdout();
    assert!(status.contains("only root sees those of other users"), "{status}");
}
