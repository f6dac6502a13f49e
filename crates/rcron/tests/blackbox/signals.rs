//! Signals to `rcron` reach the job and its children, and job control works.

use crate::support::fixture::binary;
use crate::support::process::{Running, children, is_gone, send, state};
use crate::support::{Fixture, until};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// All signals that can be caught, except 32 and 33: they belong to the C library, and no shell can trap them.
fn catchable() -> impl Iterator<Item = i32> {
    (1..=64).filter(|signal| ![9, 19, 32, 33].contains(signal))
}

/// A job that writes the number of each signal it gets. It waits in `read`, which a signal interrupts.
fn reporter(mut command: Command) -> (Running, impl Iterator<Item = String>) {
    let list: Vec<String> = catchable()
        .filter(|signal| *signal != 17)
        .map(|signal| signal.to_string())
        .collect();
    let script = format!(
        "for s in {}; do trap \"echo $s\" $s; done; echo ready; while :; do read line; done",
        list.join(" ")
    );
    command
        .args(["sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut running = Running::start(&mut command);
    let mut lines = running.lines();
    assert_eq!(lines.next().expect("a line"), "ready");
    (running, lines)
}

#[test]
fn every_catchable_signal_is_passed_on() {
    let fixture = Fixture::active();
    for command in [Command::new("env"), fixture.rcron()] {
        let (running, mut lines) = reporter(command);
        for signal in catchable().filter(|signal| *signal != 17) {
            running.signal(signal);
            assert_eq!(lines.next().expect("a line"), signal.to_string());
        }
    }
}

#[test]
fn signals_that_kill_rcron_kill_the_job_and_both_end_alike() {
    let fixture = Fixture::active();
    for signal in catchable().chain([32, 33]) {
        let mut bare = Running::start(Command::new("sleep").arg("1000"));
        let mut wrapped = Running::start(fixture.rcron().args(["sleep", "1000"]));
        until("the bare command", || {
            (crate::support::process::name(bare.pid()) == "sleep").then_some(())
        });
        let job = wrapped.job("sleep");
        bare.signal(signal);
        wrapped.signal(signal);
        if NOT_DEADLY.contains(&signal) {
            // The signal does not end the job: continue what it stopped, and end the job.
            for pid in [bare.pid(), wrapped.pid()] {
                send(pid, 15);
                send(pid, 18);
            }
        }
        assert_eq!(bare.wait().signal(), wrapped.wait().signal(), "signal {signal}");
        assert!(is_gone(job), "signal {signal}");
    }
}

/// SIGCHLD, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH: signal(7). The C library's 32 and 33 may be ignored.
const NOT_DEADLY: [i32; 9] = [17, 18, 20, 21, 22, 23, 28, 32, 33];

#[test]
fn a_signal_reaches_the_jobs_children_too() {
    let fixture = Fixture::active();
    // Debian's dash is the parent of the sleeps: if only dash got the signal, they would survive.
    let mut running = Running::start(fixture.rcron().arg("sleep 1000 & sleep 1001; true"));
    let shell = running.job("sh");
    let sleeps = until("both sleeps", || Some(children(shell)).filter(|pids| pids.len() == 2));
    running.signal(15);
    assert_eq!(running.wait().signal(), Some(15));
    until("the sleeps to end", || {
        sleeps.iter().all(|pid| is_gone(*pid)).then_some(())
    });
}

#[test]
fn rcron_stays_until_a_job_that_catches_the_signal_has_ended() {
    let fixture = Fixture::active();
    let script = "trap 'echo caught; exit 7' TERM; echo ready; while :; do read line; done";
    let mut running = Running::start(
        fixture
            .rcron()
            .args(["sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped()),
    );
    let mut lines = running.lines();
    assert_eq!(lines.next().expect("a line"), "ready");
    running.signal(15);
    assert_eq!(running.wait().code(), Some(7));
    assert_eq!(lines.next().expect("a line"), "caught");
    fixture.log.wait_for("status=fail");
    assert!(fixture.log.texts()[1].contains(" exit=7 "), "{:?}", fixture.log.texts());
}

#[test]
fn without_a_terminal_a_stopped_job_does_not_stop_rcron() {
    let fixture = Fixture::active();
    let is = |pid: i32, letter: char| state(pid).is_some_and(|(state, _)| state == letter);
    for (stop_rcron, wake_rcron) in [(false, false), (true, true), (true, false)] {
        let rcron = fixture.rcron();
        // A session of its own has no terminal, wherever the tests run.
        let mut command = Command::new("setsid");
        command
            .arg(rcron.get_program())
            .args(rcron.get_args())
            .args(["sleep", "1000"])
            .stdin(Stdio::null());
        let mut running = Running::start(&mut command);
        let job = running.job("sleep");
        send(
            if stop_rcron { running.pid() } else { job },
            if stop_rcron { 20 } else { 19 },
        );
        until("the job to stop", || is(job, 'T').then_some(()));
        send(if wake_rcron { running.pid() } else { job }, 18);
        until("the job to go on", || is(job, 'S').then_some(()));
        assert!(!is(running.pid(), 'T'));
        send(job, 15); // rcron must end, too, if only the job is ended
        assert_eq!(running.wait().signal(), Some(15));
    }
}

#[test]
fn a_job_that_leaves_its_group_still_gets_signals() {
    let fixture = Fixture::active();
    // perl moves itself into rcron's group, as an interactive shell would.
    let script = "$SIG{TERM} = sub { print qq(caught\\n); exit 3 }; setpgrp(0, getpgrp(getppid())); $| = 1; print qq(ready\\n); sleep 1 while 1";
    let mut running = Running::start(fixture.rcron().args(["perl", "-e", script, "x"]).stdout(Stdio::piped()));
    let mut lines = running.lines();
    assert_eq!(lines.next().expect("a line"), "ready");
    running.signal(15);
    assert_eq!(running.wait().code(), Some(3));
}

#[test]
fn no_zombie_is_left() {
    let fixture = Fixture::active();
    // The shell has a dead child when it executes rcron.
    let line = format!(
        "true & exec {} --conf {} sh -c 'until [ \"$(cat /proc/$PPID/task/*/children)\" = \"$$ \" ]; do :; done; echo clean'",
        binary().display(),
        fixture.path("conf").display()
    );
    let done = crate::support::run(Command::new("sh").arg("-c").arg(&line).stdin(Stdio::null()));
    assert_eq!(done.stdout(), "clean\n");
}

/// `unshare` with a pid namespace; an ordinary user also needs a user namespace for it.
fn unshare_pids() -> Command {
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg("--pid").stdin(Stdio::null());
    let mut probe = Command::new("unshare");
    let probe = crate::support::run(probe.args(command.get_args()).args(["--fork", "true"]));
    assert!(
        probe.status.success(),
        "this test needs pid namespaces, as root or with user namespaces: {}",
        probe.stderr()
    );
    command
}

#[test]
fn as_pid_1_rcron_passes_signals_on_and_ends_with_128_plus_n() {
    let fixture = Fixture::active();
    let mut command = unshare_pids();
    command
        .args(["--fork", "--kill-child"])
        .arg(binary())
        .arg("--conf")
        .arg(fixture.path("conf"));
    let done = crate::support::run(command.args(["sh", "-c", "kill -TERM 1; sleep 1000"]));
    assert_eq!(done.code(), Some(128 + 15), "{done:?}");
    fixture.log.wait_for(" signal=SIGTERM ");
}

#[test]
fn a_guarded_job_that_becomes_pid_1_runs() {
    let fixture = Fixture::active();
    fixture.configure("on_demotion = terminate\n");
    let mut command = unshare_pids();
    command
        .arg(binary())
        .arg("--conf")
        .arg(fixture.path("conf"))
        .args(["sh", "-c", "echo $$; exit 3"]);
    let done = crate::support::run(&mut command);
    assert_eq!((done.code(), done.stdout()), (Some(3), "1\n".to_owned()), "{done:?}");
}
