//! The journal: what is recorded, and what happens if it cannot be written.

use crate::support::fixture::{Fixture, binary, set_mode};
use crate::support::process::{Running, children, is_gone, run, send};
use crate::support::until;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A fixture with a journal directory as the package makes it.
fn recorded(more: &str) -> Fixture {
    let fixture = Fixture::active();
    fs::create_dir(fixture.path("journal")).expect("made");
    set_mode(&fixture.path("journal"), 0o1733);
    fixture.configure(&format!("journal = \"{}\"\n{more}", fixture.path("journal").display()));
    fixture
}

fn own_file(fixture: &Fixture) -> PathBuf {
    fixture
        .path("journal")
        .join(format!("{}-0.jsonl", nix::unistd::geteuid()))
}

/// Every complete record.
fn records(path: &Path) -> Vec<Value> {
    let text = fs::read(path).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn until_recorded(path: &Path, count: usize) -> Vec<Value> {
    until(&format!("{count} records in {}", path.display()), || {
        Some(records(path)).filter(|records| records.len() >= count)
    })
}

/// A job that runs until the test has seen a warning, and rcron has reaped the process that wrote it.
const JOB: &str = "echo done
    until test -e $GO && [ \"$(cat /proc/$PPID/task/$PPID/children)\" = \"$$ \" ]; do sleep 0.01; done";

/// Runs a command that runs `rcron … sh -c JOB`, which must succeed. Returns the warnings in the log.
fn warnings(fixture: &Fixture, command: &mut Command) -> Vec<String> {
    let command = command.env("GO", fixture.path("go")).stdin(Stdio::null());
    let rcron = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let told = || -> Vec<String> {
        let texts = fixture.log.now_texts().into_iter();
        texts.filter(|text| text.starts_with("warning: ")).collect()
    };
    until("a warning", || (!told().is_empty()).then_some(()));
    fixture.write("go", "");
    let done = rcron.finish();
    let seen = (done.code(), done.stdout(), done.stderr());
    assert_eq!(seen, (Some(0), "done\n".to_owned(), String::new()));
    fixture.log.wait_for(" status=ok ");
    told()
}

/// The same with rcron itself.
fn warning(fixture: &Fixture) -> String {
    let mut warnings = warnings(fixture, fixture.rcron().args(["sh", "-c", JOB]));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings.remove(0)
}

#[test]
fn a_run_leaves_a_start_and_an_end() {
    let fixture = recorded("");
    fixture.set_state("active epoch=7\n");
    let done = fixture.run(["--job", "night", "sh", "-c", "echo $RCRON_RUN; exit 3"]);
    assert_eq!(done.code(), Some(3));
    let mut records = until_recorded(&own_file(&fixture), 2);
    // Those of a short run may stand in either order.
    records.sort_by_key(|record| record["event"] == "end");
    let [start, end] = records.as_slice() else {
        panic!("{records:?}");
    };
    for record in &records {
        assert_eq!(record["run"], done.stdout().trim());
        assert_eq!(record["cluster"], "test");
        assert_eq!(record["job"], "night");
        assert_eq!(record["command"], "sh -c echo $RCRON_RUN; exit 3");
        assert_eq!(record["uid"], nix::unistd::geteuid().as_raw());
        assert_eq!(record["epoch"], 7);
        assert_eq!(record["state"], "active");
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("there");
        assert_eq!(record["boot"], boot.trim());
        let namespace = fs::metadata("/proc/self/ns/pid").expect("there").ino();
        assert_eq!(record["pidns"], namespace);
    }
    assert_eq!((&start["event"], &end["event"]), (&"start".into(), &"end".into()));
    assert_eq!((&end["exit"], &end["started"]), (&3.into(), &start["time"]));
    assert!(end["duration"].is_number() && end["clock"].as_f64() >= start["clock"].as_f64());
    let mode = fs::metadata(own_file(&fixture)).expect("there").mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn a_passive_server_records_nothing() {
    let fixture = recorded("");
    fixture.set_state("passive\n");
    assert_eq!(fixture.run(["true"]).code(), Some(0));
    assert!(!own_file(&fixture).exists());
}

#[test]
fn a_job_that_cannot_be_started_is_recorded_too() {
    let fixture = recorded("");
    // With an unsearchable directory in PATH the error would be "permission denied" instead of "not found".
    let done = run(fixture
        .rcron()
        .args(["no-such-program", "x"])
        .env("PATH", "/usr/bin:/bin"));
    assert_eq!(done.code(), Some(127));
    let records = until_recorded(&own_file(&fixture), 2);
    let end = records.iter().find(|record| record["event"] == "end").expect("an end");
    assert_eq!(end["exit"], 127);
    assert!(end["job_pid"].is_null());
}

#[test]
fn a_job_that_was_killed_is_recorded_with_the_signal() {
    let fixture = recorded("");
    fixture.run(["sh", "-c", "kill -TERM $$"]);
    let records = until_recorded(&own_file(&fixture), 2);
    let end = records.iter().find(|record| record["event"] == "end").expect("an end");
    assert_eq!(end["signal"], "SIGTERM");
}

#[test]
fn the_start_names_processes_that_can_be_told_from_later_ones() {
    let fixture = recorded("");
    let rcron = Running::start(fixture.rcron().args(["sleep", "1000"]));
    let job = rcron.job("sleep");
    let record = until_recorded(&own_file(&fixture), 1).remove(0);
    assert_eq!((&record["pid"], &record["job_pid"]), (&rcron.pid().into(), &job.into()));
    for (pid, born) in [(rcron.pid(), &record["born"]), (job, &record["job_born"])] {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("alive");
        let born_now = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(19));
        assert_eq!(born.to_string(), born_now.expect("starttime"));
    }
    // The writer has gone, and left no zombie.
    until("the job to be the only child", || {
        (children(rcron.pid()) == [job]).then_some(())
    });
}

#[test]
fn a_command_that_is_not_utf8_is_recorded_without_loss() {
    let fixture = recorded("");
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9 \\ \"\n");
    run(fixture.rcron().arg("true").arg(odd));
    let record = until_recorded(&own_file(&fixture), 1).remove(0);
    assert_eq!(record["command"], "true caf\\xe9 \\\\ \"\n");
    assert_eq!(record["escaped"], true);
}

/// The writer in the background must keep neither a lock of the caller (flock(1)) nor the end of a pipe open.
///
/// A program with one thread starts rcron: a child that a parallel test is just creating would hold a pipe of this process, too.
#[test]
fn when_rcron_has_ended_its_descriptors_are_closed() {
    let fixture = recorded("");
    let script = "use Fcntl;
        for (1..100) {
            pipe(my $reader, my $writer) or die;
            my $rcron = fork // die;
            if (!$rcron) { open(STDOUT, '>&', $writer) && exec @ARGV; die }
            close $writer;
            waitpid($rcron, 0) == $rcron && $? == 0 or die $?;
            fcntl($reader, F_SETFL, O_NONBLOCK) or die;
            defined sysread($reader, my $byte, 1) or die qq(a reader would have to wait: $!);
        }";
    let mut perl = Command::new("perl");
    perl.args(["-e", script]).arg(binary()).arg("--conf");
    let done = run(perl.arg(fixture.path("conf")).arg("true").stdin(Stdio::null()));
    assert_eq!((done.code(), done.stderr()), (Some(0), String::new()));
}

/// For rcron and its job, SIGKILL is like a power cut.
#[test]
fn a_torn_record_leaves_every_earlier_one_readable() {
    let fixture = recorded("");
    fixture.run(["--job", "first", "true"]);
    until_recorded(&own_file(&fixture), 2);
    let rcron = Running::start(fixture.rcron().args(["--job", "second", "sleep", "1000"]));
    let job = rcron.job("sleep");
    until_recorded(&own_file(&fixture), 3);
    send(rcron.pid(), 9);
    send(job, 9);
    until("both gone", || (is_gone(rcron.pid()) && is_gone(job)).then_some(()));
    // Half of a record was written.
    let mut torn = fs::read(own_file(&fixture)).expect("readable");
    torn.extend_from_slice(b"{\"time\":\"2026-11-24T03:0");
    fs::write(own_file(&fixture), torn).expect("written");
    fixture.run(["--job", "third", "true"]);
    let records = until_recorded(&own_file(&fixture), 5);
    let jobs: Vec<_> = records
        .iter()
        .map(|record| record["job"].as_str().expect("a name"))
        .collect();
    assert_eq!(jobs, ["first", "first", "second", "third", "third"]);
}

#[test]
fn if_it_cannot_be_written_the_job_runs_and_one_warning_is_logged() {
    type Obstacle = fn(&Fixture);
    let link: Obstacle = |fixture| symlink(fixture.path("precious"), own_file(fixture)).expect("linked");
    let hard_link: Obstacle = |fixture| fs::hard_link(fixture.path("precious"), own_file(fixture)).expect("linked");
    let fifo: Obstacle = |fixture| {
        nix::unistd::mkfifo(&own_file(fixture), nix::sys::stat::Mode::S_IRWXU).expect("made");
    };
    let no_directory: Obstacle = |fixture| fs::remove_dir(fixture.path("journal")).expect("removed");
    let no_directory_but_a_file: Obstacle = |fixture| {
        fs::remove_dir(fixture.path("journal")).expect("removed");
        fixture.write("journal", "");
    };
    for (obstacle, told) in [
        (link, "0.jsonl: Too many levels of symbolic links"),
        (
            hard_link,
            "0.jsonl: it belongs to another user, or is not a regular file with one link",
        ),
        (
            fifo,
            "0.jsonl: it belongs to another user, or is not a regular file with one link",
        ),
        (no_directory, "journal: No such file or directory"),
        (no_directory_but_a_file, "journal: Not a directory"),
    ] {
        let fixture = recorded("");
        fixture.write("precious", "precious");
        obstacle(&fixture);
        let warning = warning(&fixture);
        assert!(warning.contains(told), "{told}: {warning}");
        assert!(
            warning.ends_with("; the job runs anyway; see rcronctl check"),
            "{warning}"
        );
        assert_eq!(fs::read_to_string(fixture.path("precious")).expect("there"), "precious");
    }
}

#[test]
fn a_writer_that_is_killed_is_reported() {
    let fixture = recorded("");
    // The job kills its only sibling. Within a tenth of a second the writer may have ended by itself.
    let line = "for try in $(seq 1000); do for pid in $(cat /proc/$PPID/task/$PPID/children); do
        test $pid = $$ || { kill -KILL $pid; exit; }; done; done";
    until("a killed writer", || {
        fixture.run(["sh", "-c", line]);
        fixture.log.texts().into_iter().find(|text| {
            text == "warning: the process that writes the journal has failed: signal: 9 (SIGKILL); \
                records of this run may be missing"
        })
    });
}

#[test]
fn if_a_name_is_taken_the_next_one_is_used() {
    let fixture = recorded("");
    symlink("nowhere", own_file(&fixture)).expect("linked");
    fixture.run(["true"]);
    let next = fixture
        .path("journal")
        .join(format!("{}-1.jsonl", nix::unistd::geteuid()));
    until_recorded(&next, 2);
}

#[test]
fn a_file_size_limit_affects_the_journal_only() {
    let fixture = recorded("");
    fs::write(own_file(&fixture), format!("{}\n", "x".repeat(4095))).expect("written");
    let mut command = Command::new("prlimit");
    command
        .args(["--fsize=4096", "--"])
        .arg(binary())
        .arg("--conf")
        .arg(fixture.path("conf"));
    // The signal that goes with it is rcron's own affair.
    command.args(["sh", "-c", &format!("trap 'echo hit' XFSZ; {JOB}")]);
    let warnings = warnings(&fixture, &mut command);
    assert!(
        warnings.len() == 1 && warnings[0].contains("File too large"),
        "{warnings:?}"
    );
}

#[test]
fn rotation_under_load_loses_nothing() {
    let fixture = recorded("");
    // Almost full, so that it becomes full while many processes write. Its lines are not records.
    let line = format!("{{\"filler\":\"{}\"}}\n", "x".repeat(1000));
    let count = (16 << 20) / line.len() - 20;
    fs::write(own_file(&fixture), line.repeat(count)).expect("written");
    set_mode(&own_file(&fixture), 0o600);
    let mut workload: Vec<Running> = (0..100).map(|_| Running::start(fixture.rcron().arg("true"))).collect();
    for rcron in &mut workload {
        assert!(rcron.wait().success());
    }
    let rotated = own_file(&fixture).with_extension("jsonl.1");
    let all = until("all records in two files", || {
        let all = [records(&rotated), records(&own_file(&fixture))].concat();
        (all.len() >= count + 200).then_some(all)
    });
    assert!(rotated.exists() && !records(&own_file(&fixture)).is_empty());
    assert_eq!(all.len(), count + 200);
    assert_pairs(&all, 100);
}

/// One start and one end of each run.
fn assert_pairs(records: &[Value], runs: usize) {
    let mut events: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in records.iter().filter(|record| record["filler"].is_null()) {
        let text = |name: &str| record[name].as_str().expect("a text");
        events.entry(text("run")).or_default().push(text("event"));
    }
    assert_eq!(events.len(), runs);
    for (run, mut events) in events {
        events.sort_unstable();
        assert_eq!(events, ["end", "start"], "{run}");
    }
}

/// Runs commands as root in a mount namespace of their own. `$1` is the fixture's directory, `$2` rcron.
fn in_namespace(fixture: &Fixture, script: &str) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-euc", script, "sh"])
        .arg(fixture.path(""))
        .arg(binary());
    command.stdin(Stdio::null());
    command
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn five_hundred_runs_of_several_users_at_once_lose_and_mix_nothing() {
    let fixture = recorded("");
    set_mode(&fixture.path(""), 0o755);
    set_mode(&fixture.path("log"), 0o666);
    let program = fixture.copy_binary();
    let users = ["0", "65530", "65531", "65532", "65533"];
    let mut workload = Vec::new();
    for number in 0..500 {
        let user = users[number % users.len()];
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", user, "--regid", user, "--clear-groups"])
            .arg(&program);
        command
            .arg("--conf")
            .arg(fixture.path("conf"))
            .args(["true", &"x".repeat(number * 8)]);
        workload.push(Running::start(command.stdin(Stdio::null())));
    }
    for rcron in &mut workload {
        assert!(rcron.wait().success());
    }
    for user in users {
        let file = fixture.path("journal").join(format!("{user}-0.jsonl"));
        // A blank line appears if a writer saw the last record while it was being written.
        let lines = until("200 lines", || {
            let text = fs::read_to_string(&file).ok()?;
            Some(text.lines().filter(|line| !line.is_empty()).count()).filter(|count| *count >= 200)
        });
        let records = records(&file);
        assert_eq!((lines, records.len()), (200, 200), "user {user}");
        assert_pairs(&records, 100);
        let metadata = fs::metadata(&file).expect("there");
        assert_eq!(
            (metadata.mode() & 0o7777, metadata.uid().to_string()),
            (0o600, user.to_owned())
        );
    }
}

/// A journal in which an ordinary user has created root's file.
fn with_foreign_file() -> Fixture {
    let fixture = recorded("");
    fs::write(own_file(&fixture), "theirs\n").expect("written");
    std::os::unix::fs::chown(own_file(&fixture), Some(65534), Some(65534)).expect("chown");
    fixture
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_file_of_another_user_is_set_aside_and_not_changed() {
    let fixture = with_foreign_file();
    let warning = warning(&fixture);
    let start = format!(
        "warning: {} belonged to another user and was renamed to ",
        own_file(&fixture).display()
    );
    let aside = warning
        .strip_prefix(&start)
        .and_then(|rest| rest.strip_suffix("; see rcronctl check"));
    let aside = aside.unwrap_or_else(|| panic!("{warning}"));
    assert_eq!(fs::read_to_string(aside).expect("readable"), "theirs\n");
    until_recorded(&own_file(&fixture), 2);
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_file_of_another_user_is_skipped_in_a_directory_that_is_not_roots() {
    let fixture = with_foreign_file();
    std::os::unix::fs::chown(fixture.path("journal"), Some(65534), Some(65534)).expect("chown");
    assert!(warning(&fixture).contains("it belongs to another user"));
    assert_eq!(fs::read_to_string(own_file(&fixture)).expect("readable"), "theirs\n");
    until_recorded(&fixture.path("journal").join("0-1.jsonl"), 2);
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_full_or_read_only_disk_affects_the_journal_only() {
    for (mount, told) in [
        (
            "mount -t tmpfs -o size=4k none $1/journal; head -c 4096 /dev/zero >$1/journal/fill",
            "No space left on device",
        ),
        ("mount -t tmpfs -o ro none $1/journal", "Read-only file system"),
    ] {
        let fixture = recorded("");
        let script = format!("{mount}; exec \"$2\" --conf $1/conf sh -c \"$JOB\"");
        let warnings = warnings(&fixture, in_namespace(&fixture, &script).env("JOB", JOB));
        assert!(
            warnings.len() == 1 && warnings[0].contains(told),
            "{told}: {warnings:?}"
        );
    }
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn it_is_kept_without_dev_null() {
    let fixture = recorded("");
    let script = "mount -t tmpfs none /dev; exec \"$2\" --conf $1/conf true";
    assert_eq!(run(&mut in_namespace(&fixture, script)).code(), Some(0));
    until_recorded(&own_file(&fixture), 2);
    assert!(!fixture.log.texts().iter().any(|text| text.starts_with("warning: ")));
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn without_the_default_directory_there_is_no_journal_and_no_warning() {
    let fixture = Fixture::active();
    let configuration = fs::read_to_string(fixture.path("conf")).expect("readable");
    assert!(configuration.contains("journal = none\n"));
    fixture.write("conf", configuration.replace("journal = none\n", ""));
    let script = "mount -t tmpfs none /var/lib; exec strace -q -f -e trace=none -o $1/trace \"$2\" --conf $1/conf true";
    assert_eq!(run(&mut in_namespace(&fixture, script)).code(), Some(0));
    // strace waits for all processes.
    let ends = fs::read_to_string(fixture.path("trace")).expect("a trace");
    assert_eq!(ends.matches("+++ exited with 0 +++").count(), 3, "{ends}");
    assert!(!fixture.log.texts().iter().any(|text| text.starts_with("warning: ")));
}

/// A frozen file system is like a disk that hangs: a process that writes to it cannot be killed.
#[test]
#[ignore = "needs root, a loop device and fsfreeze: `make test` runs it"]
fn a_disk_that_stands_still_delays_neither_job_nor_signal_nor_end() {
    let fixture = recorded("");
    let script = "trap 'fsfreeze -u $1/journal' EXIT
        truncate -s 8M $1/disk; mkfs.ext4 -q $1/disk; mount -o loop $1/disk $1/journal; fsfreeze -f $1/journal
        \"$2\" --conf $1/conf sh -c 'echo done; exit 3' || echo $?
        \"$2\" --conf $1/conf sleep 1000 & rcron=$!
        until job=$(pgrep -P $rcron sleep); do :; done
        kill -TERM $rcron; wait $rcron || echo $?
        ! test -e $1/journal/0-0.jsonl; echo frozen
        fsfreeze -u $1/journal; trap - EXIT
        while [ $(cat $1/journal/0-*.jsonl | wc -l) -lt 4 ]; do sleep 0.01; done
        cat $1/journal/0-*.jsonl >$1/records
        until umount $1/journal; do sleep 0.01; done";
    let done = run(&mut in_namespace(&fixture, script));
    assert_eq!(
        (done.code(), done.stdout().as_str()),
        (Some(0), "done\n3\n143\nfrozen\n"),
        "{done:?}"
    );
    assert_pairs(&records(&fixture.path("records")), 2);
}
