//! Runs of containers, which are PID namespaces here, as rcronctl judges them: on the host, beside them, and in them.

use crate::fixture::Fixture;
use std::fs;
use std::process::{Command, Stdio};
use testing::process::{Running, children, is_gone, name};
use testing::program::program;
use testing::{run, until};

const CONTAINER: [&str; 5] = ["--pid", "--fork", "--kill-child", "--mount", "--mount-proc"];

/// A container with a job that sleeps, and the job's process on this side.
fn start(fixture: &Fixture) -> (Running, i32) {
    let mut command = Command::new("unshare");
    command
        .args(CONTAINER)
        .arg(program("rcron"))
        .arg("--conf")
        .arg(fixture.path("conf"));
    command.args(["--job", "night", "sleep", "1000"]).stdin(Stdio::null());
    let running = Running::start(&mut command);
    let job = until("the job", || {
        let inside = children(running.pid()).into_iter().flat_map(children);
        inside.into_iter().find(|pid| name(*pid) == "sleep")
    });
    until("a record", || {
        fs::read_to_string(fixture.journal())
            .ok()?
            .ends_with('\n')
            .then_some(())
    });
    (running, job)
}

/// `rcronctl history --json` through `prefix`: the status of the run.
fn status(fixture: &Fixture, prefix: &[String]) -> String {
    let mut command = Command::new(&prefix[0]);
    command
        .args(&prefix[1..])
        .arg(program("rcronctl"))
        .arg("--conf")
        .arg(fixture.path("conf"));
    let done = run(command.args(["--json", "history"]).stdin(Stdio::null()));
    let answer: serde_json::Value = serde_json::from_slice(&done.out).expect("JSON");
    answer["runs"][0]["status"].as_str().expect("a status").to_owned()
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// The initial PID namespace, in which the processes of all containers are visible.
fn is_host() -> bool {
    fs::read_link("/proc/self/ns/pid").expect("a link") == std::path::Path::new("pid:[4026531836]")
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_run_in_a_container_is_judged_where_its_processes_are_visible() {
    let fixture = Fixture::new(Some("active"));
    let (mut container, job) = start(&fixture);
    let host = words("env");
    let beside = words(&format!("unshare {}", CONTAINER.join(" ")));
    // As with a PID namespace that two containers share.
    let inside = words(&format!("nsenter --target {job} --pid --mount"));
    assert_eq!(status(&fixture, &inside), "running");
    assert_eq!(status(&fixture, &beside), "unknown");
    assert_eq!(status(&fixture, &host), if is_host() { "running" } else { "unknown" });
    // The container is killed, as when its control group runs out of memory.
    container.signal(9);
    container.wait();
    until("the job's end", || is_gone(job).then_some(()));
    assert_eq!(status(&fixture, &beside), "unknown");
    assert_eq!(
        status(&fixture, &host),
        if is_host() { "interrupted" } else { "unknown" }
    );
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_run_in_another_time_namespace_is_unknown() {
    let fixture = Fixture::new(Some("active"));
    // The job ends with rcron.
    fixture.configure("on_demotion = terminate\n");
    let mut command = Command::new("unshare");
    command
        .args(["--time", "--boottime", "-60", "--fork", "--kill-child"])
        .arg(program("rcron"));
    command
        .arg("--conf")
        .arg(fixture.path("conf"))
        .args(["sleep", "1000"])
        .stdin(Stdio::null());
    let _running = Running::start(&mut command);
    until("a record", || {
        fs::read_to_string(fixture.journal())
            .ok()?
            .ends_with('\n')
            .then_some(())
    });
    assert_eq!(status(&fixture, &words("env")), "unknown");
    assert_eq!(
        status(&fixture, &words("unshare --time --boottime -60 --fork")),
        "running"
    );
}

/// Each user namespace needs a journal of its own: its root is another user here.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_journal_of_a_user_namespace_does_not_count_outside() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "night", "true"]);
    assert!(fixture.output(0, ["history"]).contains("night"));
    std::os::unix::fs::chown(fixture.journal(), Some(65_534), None).expect("root");
    assert_eq!(fixture.output(0, ["history"]), "no such runs\n");
}
