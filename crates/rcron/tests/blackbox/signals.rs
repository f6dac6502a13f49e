//! Signals to `rcron` reach the job and its children, and job control works.

use crate::support::process::{Running, children, is_gone, send, state};
use crate::support::scene::binary;
use crate::support::{Scene, until};
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdout, Command, Stdio};

/// All that can be caught; 32 and 33 belong to the C library, and no shell can trap them.
fn catchable() -> impl Iterator<Item = i32> {
    (1..=64).filter(|signal| ![9, 19, 32, 33].contains(signal))
}

/// A job that writes the number of each signal it gets. It waits in `read`, which a signal interrupts.
fn reporter(mut command: Command) -> (Running, Lines<BufReader<ChildStdout>>) {
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
    let mut lines = BufReader::new(running.0.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "ready");
    (running, lines)
}

#[test]
fn every_catchable_signal_is_passed_on() {
    let scene = Scene::active();
    for command in [Command::new("env"), scene.rcron()] {
        let (running, mut lines) = reporter(command);
        for signal in catchable().filter(|signal| *signal != 17) {
            running.signal(signal);
            assert_eq!(lines.next().expect("a line").expect("text"), signal.to_string());
        }
    }
}

#[test]
fn signals_that_kill_rcron_kill_the_job_and_both_end_alike() {
    let scene = Scene::active();
    for signal in catchable().chain([32, 33]) {
        let mut bare = Running::start(Command::new("sleep").arg("1000"));
        let mut wrapped = Running::start(scene.rcron().args(["sleep", "1000"]));
        until("the bare command", || {
            (crate::support::process::name(bare.pid()) == "sleep").then_some(())
        });
        let job = wrapped.job("sleep");
        bare.signal(signal);
        wrapped.signal(signal);
        if NOT_DEADLY.contains(&signal) {
            // It shows nothing by its end; so ask for that, and let what it stopped go on.
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
    let scene = Scene::active();
    // Debian's dash stays between: a signal to it alone would leave the sleeps alive.
    let mut running = Running::start(scene.rcron().arg("sleep 1000 & sleep 1001; true"));
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
    let scene = Scene::active();
    let script = "trap 'echo caught; exit 7' TERM; echo ready; while :; do read line; done";
    let mut running = Running::start(
        scene
            .rcron()
            .args(["sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped()),
    );
    let mut lines = BufReader::new(running.0.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "ready");
    running.signal(15);
    assert_eq!(running.wait().code(), Some(7));
    assert_eq!(lines.next().expect("a line").expect("text"), "caught");
    scene.log.wait_for("status=fail");
    assert!(scene.log.texts()[1].contains(" exit=7 "), "{:?}", scene.log.texts());
}

#[test]
fn a_stopped_job_stops_rcron_and_goes_on_with_it() {
    let scene = Scene::active();
    for signal in [19, 20, 21, 22] {
        // In a group of its own, whose parent is in another one: a stop signal is ignored in an orphaned group (setpgid(2)).
        let mut running = Running::start(scene.rcron().args(["sleep", "1000"]).process_group(0));
        let job = running.job("sleep");
        let is = |pid: i32, letter: char| state(pid).is_some_and(|(state, _)| state == letter);
        // SIGSTOP cannot be passed on: it is sent to the job.
        send(if signal == 19 { job } else { running.pid() }, signal);
        until("both to stop", || {
            (is(job, 'T') && is(running.pid(), 'T')).then_some(())
        });
        running.signal(18);
        until("both to go on", || {
            (is(job, 'S') && is(running.pid(), 'S')).then_some(())
        });
        running.signal(15);
        assert_eq!(running.wait().signal(), Some(15));
    }
}

#[test]
fn no_zombie_is_left() {
    let scene = Scene::active();
    // The shell leaves a dead child of its own to whoever it becomes.
    let line = format!(
        "true & exec {} --conf {} sh -c 'until [ \"$(cat /proc/$PPID/task/*/children)\" = \"$$ \" ]; do :; done; echo clean'",
        binary().display(),
        scene.path("conf").display()
    );
    let done = crate::support::run(Command::new("sh").arg("-c").arg(&line).stdin(Stdio::null()));
    assert_eq!(done.stdout(), "clean\n");
}

#[test]
fn as_pid_1_rcron_passes_signals_on_and_ends_with_128_plus_n() {
    let scene = Scene::active();
    let mut command = Command::new("unshare");
    // Without root a user namespace of one's own is needed for it.
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--pid", "--fork", "--kill-child"]);
    let probe = Command::new("unshare")
        .args(command.get_args())
        .arg("true")
        .output()
        .expect("unshare");
    assert!(
        probe.status.success(),
        "this test needs pid namespaces, as root or with user namespaces: {}",
        String::from_utf8_lossy(&probe.stderr)
    );
    command
        .arg(binary())
        .arg("--conf")
        .arg(scene.path("conf"))
        .args(["sh", "-c", "kill -TERM 1; sleep 1000"]);
    let done = crate::support::run(command.stdin(Stdio::null()));
    assert_eq!(done.code(), Some(128 + 15), "{done:?}");
    scene.log.wait_for(" signal=SIGTERM ");
}
