//! `rcronctl interrupted`.

use crate::fixture::{Fixture, rows};
use std::io::ErrorKind;
use testing::process::{is_gone, send};
use testing::until;

/// Cuts a run off as a power failure does: SIGKILL for rcron and its job.
fn cut_off(fixture: &Fixture, job: &str) {
    let rcron = fixture.start(&["--job", job, "sleep", "1000"]);
    let leader = rcron.job("sleep");
    send(rcron.pid(), 9);
    send(leader, 9);
    until("both gone", || (is_gone(rcron.pid()) && is_gone(leader)).then_some(()));
}

fn lines(fixture: &Fixture) -> Vec<String> {
    fixture.log.set_nonblocking(true).expect("set");
    let mut buffer = [0; 8192];
    let mut lines = Vec::new();
    loop {
        match fixture.log.recv(&mut buffer) {
            Ok(length) => lines.push(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                return lines
                    .into_iter()
                    .filter(|line| line.contains("status=interrupted"))
                    .collect();
            }
        }
    }
}

#[test]
fn shows_a_run_that_was_cut_off_and_not_one_that_is_running() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "over", "true"]);
    let _living = fixture.start(&["--job", "living", "sleep", "1000"]);
    assert_eq!(fixture.output(0, ["interrupted"]), "no interrupted runs\n");
    cut_off(&fixture, "night");
    let table = rows(&fixture.output(1, ["interrupted"]));
    assert!(
        table.len() == 2 && table[1].ends_with(" ? interrupted night"),
        "{table:?}"
    );
    assert_eq!(fixture.json(1, ["interrupted"])["runs"][0]["status"], "interrupted");
    assert!(fixture.output(0, ["history", "--failed"]).contains("interrupted"));
}

/// Other processes may have its pids now.
#[test]
fn shows_a_run_from_before_a_reboot() {
    let fixture = Fixture::new(Some("active"));
    let _living = fixture.start(&["--job", "night", "sleep", "1000"]);
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("there");
    let text = std::fs::read_to_string(fixture.journal()).expect("a journal");
    std::fs::write(
        fixture.journal(),
        text.replace(boot.trim(), "11111111-2222-3333-4444-555555555555"),
    )
    .expect("written");
    assert!(fixture.output(1, ["interrupted"]).contains("night"));
}

/// Whether all processes of the machine are visible here.
fn is_initial_namespace() -> bool {
    std::fs::read_link("/proc/self/ns/pid").expect("a link") == std::path::Path::new("pid:[4026531836]")
}

/// Its processes would be visible in the initial namespace only.
#[test]
fn judges_a_run_of_another_pid_namespace_only_where_its_processes_are_visible() {
    let fixture = Fixture::new(Some("active"));
    cut_off(&fixture, "night");
    let text = std::fs::read_to_string(fixture.journal()).expect("a journal");
    std::fs::write(fixture.journal(), text.replace("\"pidns\":", "\"pidns\":1")).expect("written");
    let done = fixture.rcronctl(["interrupted"]);
    if is_initial_namespace() {
        assert_eq!(done.code(), Some(1), "{done:?}");
        assert!(done.stdout().contains("interrupted  night"), "{done:?}");
    } else {
        assert_hidden(&fixture, &done);
    }
}

fn assert_hidden(fixture: &Fixture, done: &testing::Done) {
    assert_eq!((done.code(), done.stdout().as_str()), (Some(2), ""), "{done:?}");
    let told = "1 run has no recorded end and may still be running, in another container with this host name";
    assert!(done.stderr().contains(told), "{done:?}");
    assert!(fixture.output(0, ["history"]).contains("unknown"));
}

/// `rcronctl ARGUMENTS` in a new pid namespace, as in a container that shares the journal.
fn in_a_container(fixture: &Fixture, arguments: &[&str]) -> testing::Done {
    let mut command = std::process::Command::new("unshare");
    command
        .args(["--pid", "--fork", "--mount-proc", "--"])
        .arg(testing::program::program("rcronctl"))
        .arg("--conf")
        .arg(fixture.path("conf"));
    testing::run(command.args(arguments))
}

/// Another container of this host name may run, so this must not be reported as interrupted; nor must it be concealed.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn in_a_container_does_not_say_none_if_a_run_of_another_one_has_no_end() {
    let fixture = Fixture::new(Some("active"));
    cut_off(&fixture, "night");
    let done = in_a_container(&fixture, &["interrupted"]);
    assert_eq!((done.code(), done.stdout().as_str()), (Some(2), ""), "{done:?}");
    assert!(
        done.stderr()
            .contains("1 run has no recorded end and may still be running"),
        "{done:?}"
    );
    assert!(in_a_container(&fixture, &["history"]).stdout().contains("unknown"));
    let done = in_a_container(&fixture, &["interrupted", "--ack"]);
    assert_eq!(
        (done.code(), done.stdout().as_str()),
        (Some(0), "1 run marked as seen\n"),
        "{done:?}"
    );
    let done = in_a_container(&fixture, &["interrupted"]);
    assert_eq!((done.code(), done.stderr().as_str()), (Some(0), ""), "{done:?}");
}

/// On the host, a container's processes are visible, whatever its host name.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn on_the_host_a_run_in_a_container_is_running_until_it_is_gone() {
    assert!(
        is_initial_namespace(),
        "this test must run in the initial pid namespace"
    );
    let fixture = Fixture::new(Some("active"));
    let mut command = std::process::Command::new("unshare");
    let rcron = fixture.rcron(&["--job", "night", "sleep", "1000"]);
    command
        .args([
            "--pid",
            "--fork",
            "--mount-proc",
            "--uts",
            "sh",
            "-c",
            "hostname container; exec \"$@\"",
            "-",
        ])
        .arg(rcron.get_program())
        .args(rcron.get_args());
    let container = testing::process::Running::start(&mut command);
    let text = || std::fs::read_to_string(fixture.journal()).unwrap_or_default();
    until("a record", || text().ends_with("}\n").then_some(()));
    assert!(text().contains("\"node\":\"container\""), "{}", text());
    assert!(fixture.output(0, ["status"]).contains("running  night"));
    assert_eq!(fixture.output(0, ["interrupted"]), "no interrupted runs\n");
    // The first process of the namespace: the kernel kills all others with it.
    let first = testing::process::children(container.pid())[0];
    send(first, 9);
    until("an interrupted run", || {
        (fixture.rcronctl(["interrupted"]).code() == Some(1)).then_some(())
    });
}

#[test]
fn hides_runs_marked_as_seen() {
    let fixture = Fixture::new(Some("active"));
    cut_off(&fixture, "first");
    assert_eq!(fixture.output(0, ["interrupted", "--ack"]), "1 run marked as seen\n");
    let none = "no interrupted runs (1 run marked as seen; --all shows them)\n";
    assert_eq!(fixture.output(0, ["interrupted"]), none);
    cut_off(&fixture, "second");
    let table = fixture.output(1, ["interrupted"]);
    assert!(table.contains("second") && !table.contains("first"), "{table}");
    let table = fixture.output(1, ["interrupted", "--all"]);
    assert!(table.contains("second") && table.contains("first"), "{table}");
    // Marking only the second one keeps the mark of the first one.
    fixture.output(0, ["interrupted", "--ack", "--job", "second"]);
    assert!(fixture.output(0, ["interrupted"]).contains("2 runs marked as seen"));
}

#[test]
fn logs_each_run_once() {
    let fixture = Fixture::new(Some("active"));
    cut_off(&fixture, "night");
    assert_eq!(fixture.output(1, ["interrupted", "--log"]), "");
    let told = lines(&fixture);
    assert_eq!(told.len(), 1, "{told:?}");
    // LOG_CRON and LOG_WARNING.
    assert!(
        told[0].starts_with("<76>") && told[0].contains(" rcronctl["),
        "{told:?}"
    );
    assert!(
        told[0].contains("]: cluster=web state=active status=interrupted started=20"),
        "{told:?}"
    );
    assert!(
        told[0].contains(" job=night run=") && told[0].ends_with(" cmd=sleep 1000"),
        "{told:?}"
    );
    assert_eq!(fixture.output(1, ["interrupted", "--log"]), "");
    assert_eq!(lines(&fixture), [""; 0]);
    // A logged run is not marked as seen.
    assert!(fixture.output(1, ["interrupted"]).contains("night"));
}

/// Otherwise the unit that does this at boot would fail on a server without a journal.
#[test]
fn is_not_an_error_without_a_journal() {
    let fixture = Fixture::new(Some("active"));
    fixture.configure("journal = none\n");
    assert_eq!(fixture.output(0, ["interrupted", "--log"]), "");
    let note = "journaling is off, so interrupted runs cannot be found";
    assert_eq!(fixture.output(0, ["interrupted"]), format!("{note}\n"));
    assert_eq!(fixture.json(0, ["interrupted"])["unseen"][0], note);
}

#[test]
fn logs_again_what_the_log_daemon_did_not_accept() {
    let fixture = Fixture::new(Some("active"));
    cut_off(&fixture, "night");
    let socket = fixture.path("log");
    std::fs::rename(&socket, fixture.path("aside")).expect("renamed");
    let done = fixture.rcronctl(["interrupted", "--log"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("--log` logs the others"),
        "{done:?}"
    );
    std::fs::rename(fixture.path("aside"), &socket).expect("renamed");
    lines(&fixture);
    fixture.output(1, ["interrupted", "--log"]);
    assert_eq!(lines(&fixture).len(), 1);
}

#[test]
fn marks_only_runs_of_this_server() {
    let fixture = Fixture::new(Some("active"));
    let journal = fixture.path("journal").display().to_string();
    let done = fixture.rcronctl(["interrupted", "--ack", "--journal", &journal]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("this server's own journals"),
        "{done:?}"
    );
}

/// Every user can write into the directory, and find the id of a run in the log.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn other_users_cannot_end_hide_or_disguise_a_run() {
    let fixture = Fixture::new(Some("active"));
    cut_off(&fixture, "night");
    let text = std::fs::read_to_string(fixture.journal()).expect("a journal");
    let forged = text
        .replace("\"event\":\"start\"", "\"event\":\"end\"")
        .replace("}\n", ",\"duration\":1,\"exit\":0}\n");
    let theirs = fixture.path("journal").join("65534-0.jsonl");
    std::fs::write(&theirs, forged).expect("written");
    std::os::unix::fs::chown(&theirs, Some(65534), Some(65534)).expect("chown");
    assert!(fixture.output(1, ["interrupted"]).contains("night"));
    let users: Vec<String> = fixture.json(0, ["history"])["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| format!("{} {}", run["user"], run["status"]))
        .collect();
    assert!(users.contains(&"\"root\" \"interrupted\"".to_owned()), "{users:?}");
    assert!(users.contains(&"\"nobody\" \"ok\"".to_owned()), "{users:?}");
}

/// The directory has more files than a process may open.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn needs_few_open_files() {
    let fixture = Fixture::new(Some("active"));
    cut_off(&fixture, "night");
    for user in 70_000..70_300 {
        let file = fixture.path("journal").join(format!("{user}-0.jsonl"));
        std::fs::write(&file, "").expect("written");
        std::os::unix::fs::chown(&file, Some(user), Some(user)).expect("chown");
    }
    let mut command = std::process::Command::new("prlimit");
    command
        .args(["--nofile=64", "--"])
        .arg(testing::program::program("rcronctl"));
    let done = testing::run(command.arg("--conf").arg(fixture.path("conf")).arg("interrupted"));
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert!(done.stdout().contains("night"), "{done:?}");
}

#[test]
fn does_not_create_a_missing_directory() {
    let fixture = Fixture::new(Some("active"));
    std::fs::remove_dir(fixture.path("journal")).expect("removed");
    fixture.rcronctl(["interrupted", "--ack"]);
    assert!(!fixture.path("journal").exists());
}
