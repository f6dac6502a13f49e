//! `rcronctl metrics`.

use crate::fixture::Fixture;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};
use testing::{Done, run, until};

/// The user `nobody`.
const USER: u32 = 65_534;
const MOST_SHOWN: usize = 500;

/// The value of a metric of a job of this user.
fn value(text: &str, name: &str, job: &str) -> Option<f64> {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("passwd");
    let user = user.expect("there").name;
    find(
        text,
        &format!("rcron_job_{name}{{cluster=\"web\",user=\"{user}\",job_name=\"{job}\"}}"),
    )
}

fn find(text: &str, metric: &str) -> Option<f64> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    value.map(|value| value.parse().expect("a number"))
}

/// Both records of a run that was started at this second of an hour of today.
fn records(run: usize, job: &str) -> String {
    let time = |second: usize| {
        let now = jiff::Timestamp::now().as_second();
        let time = jiff::Timestamp::from_second(now - 7200 + i64::try_from(second).expect("small"));
        format!("{:.6}", time.expect("a time"))
    };
    let record = |event: &str, at: usize, end: &str| {
        format!(
            "{{\"time\":\"{}\",\"event\":\"{event}\",\"run\":\"019ab000-0000-7000-8000-{run:012x}\",\"node\":\"n\",\"cluster\":\"web\",\
             \"job\":\"{job}\",\"command\":\"x\",\"user\":\"root\",\"uid\":0,\"pid\":4000000,\"clock\":5.0{end}}}\n",
            time(at)
        )
    };
    record("start", run, "") + &record("end", run + 1, ",\"duration\":1.0,\"exit\":0")
}

fn put(fixture: &Fixture, name: &str, owner: u32, text: &str) {
    let path = fixture.path("journal").join(name);
    fs::write(&path, text).expect("written");
    chown(&path, Some(owner), Some(owner)).expect("chown");
}

/// What Prometheus says about the text.
fn check_format(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of the package prometheus");
    promtool
        .stdin
        .take()
        .expect("piped")
        .write_all(text.as_bytes())
        .expect("written");
    let done = promtool.wait_with_output().expect("ended");
    assert!(
        done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(),
        "{done:?}"
    );
}

#[test]
fn show_what_became_of_each_job() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["-j", "good", "true"]);
    fixture.run(&["-j", "good", "sh", "-c", "exit 3"]);
    fixture.run(&["-j", "killed", "sh", "-c", "kill -TERM $$"]);
    fixture.run(&["true"]);
    let mut running = fixture.start(&["-j", "long", "sleep", "1000"]);
    let text = fixture.output(0, ["metrics"]);
    for (metric, job, expected) in [
        ("last_exit_code", "good", Some(3.0)),
        ("last_exit_code", "killed", Some(143.0)),
        ("last_exit_code", "long", None),
        ("running", "good", Some(0.0)),
        ("running", "long", Some(1.0)),
        ("interrupted_runs", "long", Some(0.0)),
        ("last_success_timestamp_seconds", "killed", None),
        ("last_end_timestamp_seconds", "long", None),
        ("period_seconds", "good", None),
    ] {
        assert_eq!(value(&text, metric, job), expected, "{metric} {job}\n{text}");
    }
    let time = |metric: &str| value(&text, &format!("last_{metric}_timestamp_seconds"), "good").expect(metric);
    assert!(
        time("success") < time("start") && time("start") <= time("end"),
        "{text}"
    );
    assert!(value(&text, "last_duration_seconds", "good").is_some());
    assert_eq!(find(&text, "rcron_jobs_omitted{reason=\"limit\"}"), Some(0.0));
    assert_eq!(find(&text, "rcron_journal_unreadable_files"), Some(0.0));
    let job = running.job("sleep");
    running.signal(9);
    running.wait();
    testing::process::send(job, 9);
    until("an interrupted run", || {
        let text = fixture.output(0, ["metrics"]);
        (value(&text, "interrupted_runs", "long") == Some(1.0) && value(&text, "running", "long") == Some(0.0))
            .then_some(())
    });
    assert_eq!(fixture.rcronctl(["interrupted", "--ack"]).code(), Some(0));
    assert_eq!(
        value(&fixture.output(0, ["metrics"]), "interrupted_runs", "long"),
        Some(0.0)
    );
}

#[test]
fn are_written_to_a_file_as_a_whole() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["-j", "good", "true"]);
    let (file, link) = (fixture.path("rcron.prom"), fixture.path("link.prom"));
    fs::write(&file, "old").expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("chmod");
    symlink(&file, &link).expect("linked");
    let names = || {
        let entries = fs::read_dir(fixture.path("")).expect("listed");
        entries
            .map(|entry| entry.expect("listed").file_name())
            .collect::<Vec<_>>()
    };
    let before = names();
    let text = fixture.output(0, ["metrics"]);
    assert_eq!(
        fixture.output(0, ["metrics".as_ref(), "--output".as_ref(), link.as_os_str()]),
        ""
    );
    assert_eq!(fixture.read("rcron.prom"), text);
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o644);
    assert_eq!(names(), before, "nothing else, and the link stays");
    for bad in [fixture.path("missing/rcron.prom"), fixture.path("journal")] {
        let done = fixture.rcronctl(["metrics".as_ref(), "--output".as_ref(), bad.as_os_str()]);
        assert_eq!(done.code(), Some(2), "{done:?}");
        assert!(
            done.stderr().contains(&format!("cannot write {}: ", bad.display())),
            "{done:?}"
        );
    }
    assert!(!fixture.path("missing").exists());
    let done = fixture.rcronctl(["metrics", "--output", "\u{1b}[2J/rcron.prom"]);
    assert!(done.stderr().contains("cannot write \\x1b[2J/rcron.prom: "), "{done:?}");
}

/// A run that was killed has left its new file.
#[test]
fn leave_no_files_of_runs_that_were_killed() {
    let fixture = Fixture::new(Some("active"));
    let (old, new) = (
        left(&fixture, "aaaaaaaaaaaaaaaaaaaa"),
        left(&fixture, "bbbbbbbbbbbbbbbbbbbb"),
    );
    make_old(&old);
    let file = fixture.path("rcron.prom");
    fixture.output(0, ["metrics".as_ref(), "--output".as_ref(), file.as_os_str()]);
    assert!(!old.exists(), "it was left");
    assert!(new.exists(), "another run may write it now");
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn leave_files_of_others() {
    let fixture = Fixture::new(Some("active"));
    let foreign = left(&fixture, "aaaaaaaaaaaaaaaaaaaa");
    chown(&foreign, Some(USER), None).expect("chown");
    make_old(&foreign);
    let file = fixture.path("rcron.prom");
    fixture.output(0, ["metrics".as_ref(), "--output".as_ref(), file.as_os_str()]);
    assert!(foreign.exists());
}

fn left(fixture: &Fixture, digits: &str) -> PathBuf {
    let name = format!(".rcron.prom.new.{digits}");
    fixture.write(&name, "half");
    fixture.path(&name)
}

fn make_old(file: &Path) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let file = fs::File::options().write(true).open(file).expect("there");
    file.set_modified(hour_ago).expect("its own");
}

#[test]
fn say_what_to_do_about_a_link_of_somebody_else() {
    let fixture = Fixture::new(Some("active"));
    let shared = fixture.path("shared");
    fs::create_dir(&shared).expect("made");
    fs::set_permissions(&shared, Permissions::from_mode(0o1777)).expect("chmod");
    let link = shared.join("rcron.prom");
    symlink(fixture.path("rcron.prom"), &link).expect("linked");
    let done = fixture.rcronctl(["metrics".as_ref(), "--output".as_ref(), link.as_os_str()]);
    let link = link.display();
    let expected = format!(
        "rcronctl: cannot write {link}: {link} is a symbolic link that another user could have created; name the file itself, or \
         one in a directory that only you can write to\n"
    );
    assert_eq!((done.code(), done.stderr()), (Some(2), expected));
}

#[test]
fn say_that_a_configuration_is_rejected() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["-j", "good", "true"]);
    fixture.write("bad", "cluster = web\n");
    let done = fixture.rcronctl(["--conf".as_ref(), fixture.path("bad").as_os_str(), "metrics".as_ref()]);
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert!(value(&done.stdout(), "last_exit_code", "good").is_some(), "{done:?}");
    assert!(
        done.stderr().contains("bad:1:1: unknown key `cluster` (")
            && done.stderr().ends_with("; its jobs are not known\n"),
        "{done:?}"
    );
    fixture.configure("journal = none\n");
    let done = fixture.rcronctl(["metrics"]);
    assert_eq!((done.code(), done.stdout().as_str()), (Some(2), ""), "{done:?}");
}

/// A full disk leaves the old file, and no other.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn are_not_cut_by_a_full_disk() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["-j", "good", "true"]);
    fs::create_dir(fixture.path("full")).expect("made");
    let script = "mount -t tmpfs -o size=16k,nr_inodes=8 none \"$0\"; echo old >\"$0/rcron.prom\"
        head -c 12k /dev/zero >\"$0/filler\"; \"$@\"; echo \"status $?\"; cat \"$0/rcron.prom\"; ls -A \"$0\"";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script])
        .arg(fixture.path("full"))
        .arg(testing::program::program("rcronctl"))
        .arg("--conf")
        .arg(fixture.path("conf"))
        .arg("metrics")
        .arg("--output")
        .arg(fixture.path("full/rcron.prom"));
    let done = run(&mut command);
    assert_eq!(done.stdout(), "status 2\nold\nfiller\nrcron.prom\n", "{done:?}");
    assert!(done.stderr().contains("No space left on device"), "{done:?}");
}

/// A user writes records of 2,000 jobs, in root's name too, and makes his other files unusable.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn of_others_are_not_touched_by_a_user_who_writes_anything() {
    let fixture = Fixture::new(Some("active"));
    fs::set_permissions(fixture.path("journal"), Permissions::from_mode(0o1733)).expect("chmod");
    put(
        &fixture,
        "0-0.jsonl",
        0,
        &(0..50)
            .map(|run| records(run, &format!("root{run:02}")))
            .collect::<String>(),
    );
    let mut flood = String::new();
    for run in 0..2000 {
        let _ = flood.write_str(&records(100 + run, &format!("flood{run:04}")));
    }
    for job in [
        "root00",
        "a\\\"b\\\\c} 1",
        "{x=\\\"y\\\"}",
        "two\\nlines",
        "\u{202e}turned",
        &"x".repeat(500),
    ] {
        flood.push_str(&records(5000, job));
    }
    flood.push_str(&records(6000, "other").replace("\"web\"", "\"invented\""));
    flood.push_str(&"{\"job\":".repeat(50_000));
    put(&fixture, "65534-0.jsonl", USER, &flood);
    put(&fixture, "1000-0.jsonl", 1000, &records(7000, "alice"));
    let fifo = fixture.path("journal").join("65534-1.jsonl");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    chown(&fifo, Some(USER), None).expect("chown");
    let done = fixture.rcronctl(["metrics"]);
    assert_eq!(done.code(), Some(0), "{}", done.stderr());
    let text = done.stdout();
    check_format(&text);
    let jobs = |label: &str| {
        let runs = text.lines().filter(|line| line.starts_with("rcron_job_running{"));
        runs.filter(|line| line.contains(label)).count()
    };
    assert_eq!(jobs(""), MOST_SHOWN);
    assert_eq!((jobs("user=\"root\""), jobs("job_name=\"alice\"")), (50, 1));
    assert!((0..50).all(|run| value(&text, "last_exit_code", &format!("root{run:02}")) == Some(0.0)));
    assert_eq!(jobs("invented"), 0);
    assert!(
        text.contains("user=\"nobody\",job_name=\"root00\"}"),
        "his own job of this name"
    );
    assert!(text.len() < 600_000, "{}", text.len());
    let omitted = find(&text, "rcron_jobs_omitted{reason=\"limit\"}");
    assert!(omitted.is_some_and(|jobs| jobs >= 400.0), "{omitted:?}");
    assert_eq!(
        find(&text, "rcron_journal_unreadable_files"),
        Some(0.0),
        "his FIFO is not a fault of the server"
    );
    assert!(
        done.stderr().contains("65534-1.jsonl is not a journal file"),
        "{}",
        done.stderr()
    );
    // The user himself sees his own.
    let own = run_as_user(&fixture, "metrics");
    assert!(
        own.code() == Some(0) && !own.stdout().contains("user=\"root\""),
        "{own:?}"
    );
    assert!(own.stdout().contains("user=\"nobody\""), "{own:?}");
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn say_which_files_cannot_be_read() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["-j", "good", "true"]);
    fs::create_dir(fixture.path("journal/0-1.jsonl")).expect("made");
    let done = fixture.rcronctl(["metrics"]);
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert_eq!(find(&done.stdout(), "rcron_journal_unreadable_files"), Some(1.0));
    assert!(value(&done.stdout(), "last_exit_code", "good").is_some(), "{done:?}");
    assert!(done.stderr().contains("0-1.jsonl is not a journal file"), "{done:?}");
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn have_the_periods_of_the_crontabs() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["-j", "nightly", "true"]);
    let conf = fixture.path("conf");
    let rcron = format!("rcron -c {}", conf.display());
    fs::create_dir(fixture.path("cron.d")).expect("made");
    fixture.write(
        "cron.d/jobs",
        &format!("0 3 * * * root {rcron} -j nightly true\n*/5 * * * * root {rcron} -j new true\n0 4 * * * root {rcron} true\n"),
    );
    let mut command = Command::new("unshare");
    let done = run(command
        .args(["--mount", "sh", "-ec", "mount --bind \"$0\" /etc/cron.d; exec \"$@\""])
        .arg(fixture.path("cron.d"))
        .arg(testing::program::program("rcronctl"))
        .arg("--conf")
        .arg(&conf)
        .arg("metrics"));
    let text = done.stdout();
    assert_eq!(value(&text, "period_seconds", "nightly"), Some(86_400.0), "{done:?}");
    assert_eq!(value(&text, "last_exit_code", "nightly"), Some(0.0));
    assert_eq!(value(&text, "period_seconds", "new"), Some(300.0));
    assert_eq!(value(&text, "last_exit_code", "new"), None);
    assert_eq!(value(&text, "running", "new"), Some(0.0));
    assert_eq!(find(&text, "rcron_jobs_omitted{reason=\"unnamed\"}"), Some(1.0));
    check_format(&text);
}

/// `rcronctl COMMAND` as the user, who can read neither the build nor the fixture.
fn run_as_user(fixture: &Fixture, command: &str) -> Done {
    let program = fixture.path("program");
    fs::copy(testing::program::program("rcronctl"), &program).expect("copied");
    fs::set_permissions(fixture.path(""), Permissions::from_mode(0o755)).expect("chmod");
    let conf = fixture.path("conf");
    run(Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args([Path::new(&program), Path::new("--conf"), &conf])
        .arg(command))
}
