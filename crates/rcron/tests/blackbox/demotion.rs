//! `on_demotion = terminate`: a job ends when its server is no longer the active one.

use crate::support::lease;
use crate::support::process::{Running, children, is_gone, send, state};
use crate::support::{Scene, until};
use nix::sys::inotify::{InitFlags, Inotify};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// What happens to the state file, and how it is done.
type Change = (&'static str, fn(&Scene));

const TERMINATE: &str = "on_demotion = terminate\ndefault_state = passive\n";

/// A scene with a guarded job that only SIGTERM or SIGKILL ends.
fn guarded(more: &str) -> (Scene, Running, i32) {
    let scene = Scene::active();
    scene.configure(&format!("{TERMINATE}{more}"));
    let (running, job) = start(&scene);
    (scene, running, job)
}

fn start(scene: &Scene) -> (Running, i32) {
    let running = Running::start(scene.rcron().args(["sleep", "1000"]));
    let job = running.job("sleep");
    (running, job)
}

/// The job got SIGTERM because of the state, and rcron tells so.
fn assert_demoted(scene: &Scene, mut running: Running, what: &str) {
    assert_eq!(running.wait().signal(), Some(15), "{what}");
    let texts = scene.log.texts();
    let last = texts.last().expect("a line");
    assert!(
        last.contains(" status=fail ") && last.contains(" signal=SIGTERM reason=demoted run="),
        "{what}: {last}"
    );
}

#[test]
fn a_state_that_is_no_longer_active_ends_the_job() {
    let changes: [Change; 7] = [
        ("replaced", |scene| scene.set_state("passive\n")),
        ("written in place", |scene| scene.write("state", "passive\n")),
        ("removed", |scene| {
            fs::remove_file(scene.path("state")).expect("removed");
        }),
        ("emptied", |scene| scene.write("state", "")),
        ("stale", |scene| scene.set_state("active until=1 boot=x\n")),
        ("moved away", |scene| {
            fs::rename(scene.path("state"), scene.path("old")).expect("renamed");
        }),
        ("a directory", |scene| {
            fs::remove_file(scene.path("state")).expect("removed");
            fs::create_dir(scene.path("state")).expect("made");
        }),
    ];
    for (what, change) in changes {
        let (scene, running, job) = guarded("");
        change(&scene);
        assert_demoted(&scene, running, what);
        assert!(is_gone(job));
    }
}

#[test]
fn a_job_started_on_the_state_file_does_not_go_on_by_default_state() {
    let scene = Scene::active();
    scene.configure("on_demotion = terminate\ndefault_state = active\n");
    let (running, _) = start(&scene);
    fs::remove_file(scene.path("state")).expect("removed");
    assert_demoted(&scene, running, "removed");
    scene
        .log
        .wait_for("warning: the state can no longer be read: no such file; the job gets SIGTERM");
}

#[test]
fn a_job_started_by_default_state_goes_on_until_the_state_says_otherwise() {
    let scene = Scene::new(None);
    scene.configure("on_demotion = terminate\ndefault_state = active\n");
    let running = Running::start(scene.rcron().args(["sleep", "1000"]).stderr(Stdio::null()));
    running.job("sleep");
    scene.set_state("passive\n");
    assert_demoted(&scene, running, "passive");
}

#[test]
fn an_active_state_written_again_changes_nothing() {
    let (scene, mut running, job) = guarded("");
    for text in ["active\n", "active since now\n", "Active draining\n", "active\n"] {
        scene.set_state(text);
        fs::File::options()
            .write(true)
            .open(scene.path("state"))
            .and_then(|file| file.set_modified(SystemTime::now()))
            .expect("touched");
    }
    assert!(!running.has_ended() && !is_gone(job));
    scene.set_state("passive\n");
    assert_demoted(&scene, running, "passive");
}

#[test]
fn a_lease_that_ends_ends_the_job() {
    let scene = Scene::new(None);
    scene.configure("on_demotion = terminate\nrequire_lease = yes\n");
    scene.set_state(&format!(
        "active {} boot={} epoch=5\n",
        lease::until(2.0),
        lease::boot_id()
    ));
    let (running, _) = start(&scene);
    assert_demoted(&scene, running, "nobody renewed the lease");
}

#[test]
fn a_state_that_grows_too_old_ends_the_job() {
    let scene = Scene::active();
    scene.configure("on_demotion = terminate\nstate_max_age = 2s\n");
    let (running, _) = start(&scene);
    assert_demoted(&scene, running, "nobody touched the file");
}

#[test]
fn links_are_followed() {
    let scene = Scene::new(None);
    fs::create_dir(scene.path("run")).expect("made");
    scene.write("run/real", "active\n");
    symlink("run", scene.path("var")).expect("linked");
    symlink("var/real", scene.path("state")).expect("linked");
    scene.configure(TERMINATE);
    let (running, _) = start(&scene);
    scene.write("run/new", "passive\n");
    fs::rename(scene.path("run/new"), scene.path("run/real")).expect("renamed");
    assert_demoted(&scene, running, "the link's target replaced");
}

#[test]
fn a_directory_made_anew_is_watched() {
    let scene = Scene::new(None);
    fs::create_dir(scene.path("run")).expect("made");
    scene.write("run/state", "active\n");
    scene.configure("on_demotion = terminate\ndefault_state = active\n");
    scene.write(
        "conf",
        fs::read_to_string(scene.path("conf"))
            .expect("read")
            .replace("/state\"", "/run/state\""),
    );
    let (running, job) = start(&scene);
    // Replaced at once, as by a rename of the whole directory; active before and after.
    fs::create_dir(scene.path("other")).expect("made");
    scene.write("other/state", "active\n");
    let exchanged = nix::fcntl::renameat2(
        nix::fcntl::AT_FDCWD,
        &scene.path("other"),
        nix::fcntl::AT_FDCWD,
        &scene.path("run"),
        nix::fcntl::RenameFlags::RENAME_EXCHANGE,
    );
    exchanged.expect("exchanged");
    assert!(!is_gone(job));
    scene.write("run/state", "passive\n");
    assert_demoted(&scene, running, "the new directory's file");
}

#[test]
fn without_inotify_the_state_is_read_again_and_again() {
    // The instances are few per user: this takes all that are left.
    let mut taken = Vec::new();
    while let Ok(instance) = Inotify::init(InitFlags::IN_CLOEXEC) {
        taken.push(instance);
    }
    let (scene, running, job) = guarded("");
    let has_inotify = fs::read_dir(format!("/proc/{}/fd", running.pid()))
        .expect("/proc")
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().contains("inotify")));
    assert!(!has_inotify && !is_gone(job));
    drop(taken);
    scene.set_state("passive\n");
    assert_demoted(&scene, running, "passive");
}

#[test]
fn the_whole_process_group_is_ended() {
    let scene = Scene::active();
    scene.configure(TERMINATE);
    let running = Running::start(scene.rcron().arg("sleep 1000 & sleep 1001; true"));
    let shell = running.job("sh");
    let sleeps = until("both sleeps", || Some(children(shell)).filter(|pids| pids.len() == 2));
    scene.set_state("passive\n");
    assert_demoted(&scene, running, "passive");
    assert!(sleeps.iter().all(|pid| is_gone(*pid)), "rcron ended before them");
}

#[test]
fn what_ignores_sigterm_is_killed_after_kill_after() {
    let scene = Scene::active();
    scene.configure(&format!("{TERMINATE}kill_after = 300ms\n"));
    let script = "trap '' TERM; echo ready; while :; do sleep 1000; done";
    let mut running = Running::start(scene.rcron().args(["sh", "-c", script]).stdout(Stdio::piped()));
    running.lines().next().expect("a line");
    scene.set_state("passive\n");
    assert_eq!(running.wait().signal(), Some(9));
    scene.log.wait_for("signal=SIGKILL reason=demoted");
}

#[test]
fn a_leader_that_dies_at_once_does_not_save_the_rest_of_its_group() {
    let scene = Scene::active();
    scene.configure(&format!("{TERMINATE}kill_after = 300ms\n"));
    // The background shell ignores SIGTERM, the leader dies of it.
    let script = "(trap '' TERM; echo $(exec sh -c 'echo $PPID'); while :; do sleep 1000; done) & wait";
    let mut running = Running::start(scene.rcron().args(["sh", "-c", script]).stdout(Stdio::piped()));
    let stubborn: i32 = running.lines().next().expect("a line").parse().expect("a pid");
    scene.set_state("passive\n");
    assert_demoted(&scene, running, "passive");
    assert!(is_gone(stubborn));
}

#[test]
fn a_job_that_ends_well_when_told_to_has_ended_well() {
    let scene = Scene::active();
    scene.configure(TERMINATE);
    let script = "trap 'exit 0' TERM; echo ready; while :; do read line; done";
    let mut running = Running::start(
        scene
            .rcron()
            .args(["sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped()),
    );
    running.lines().next().expect("a line");
    scene.set_state("passive\n");
    assert_eq!(running.wait().code(), Some(0));
    scene.log.wait_for("exit=0 reason=demoted");
}

#[test]
fn a_stopped_job_is_ended_too() {
    let (scene, running, job) = guarded("");
    send(job, 19);
    until("the job to stop", || state(job).filter(|(letter, _)| *letter == 'T'));
    scene.set_state("passive\n");
    assert_demoted(&scene, running, "passive");
}

#[test]
fn the_default_is_to_let_the_job_go_on() {
    let scene = Scene::active();
    let mut running = Running::start(scene.rcron().args(["cat"]).stdin(Stdio::piped()));
    running.job("cat");
    scene.set_state("passive\n");
    drop(running.0.stdin.take());
    assert_eq!(running.wait().code(), Some(0));
    let texts = scene.log.texts();
    assert!(
        texts[1].contains(" status=ok ") && !texts[1].contains("demoted"),
        "{texts:?}"
    );
}

#[test]
fn should_rcron_be_killed_the_job_gets_sigterm_only_if_guarded() {
    for (more, survives) in [("on_demotion = terminate\n", false), ("", true)] {
        let scene = Scene::active();
        scene.configure(more);
        let (mut running, job) = start(&scene);
        running.signal(9);
        assert_eq!(running.wait().signal(), Some(9));
        if survives {
            assert!(!is_gone(job));
            send(job, 15);
        }
        until("the job's end", || is_gone(job).then_some(()));
    }
}

#[test]
fn a_change_between_the_decision_and_the_watch_is_not_missed() {
    // The job itself makes its server passive: the earliest moment at which a change can come.
    let scene = Scene::active();
    scene.configure(TERMINATE);
    let line = format!(
        "echo passive >{0}.2; mv {0}.2 {0}; exec sleep 1000",
        scene.path("state").display()
    );
    for _ in 0..20 {
        scene.set_state("active\n");
        let running = Running::start(scene.rcron().arg(&line));
        assert_demoted(&scene, running, "passive");
    }
}

#[test]
fn a_file_emptied_before_it_is_written_ends_no_job() {
    let (scene, mut running, job) = guarded("");
    // `echo active >state`, many times over: each time the file is empty for a moment.
    let line = format!(
        "for i in $(seq 30); do echo active >{}; done",
        scene.path("state").display()
    );
    assert!(Command::new("sh").arg("-c").arg(line).status().expect("sh").success());
    assert!(!running.has_ended() && !is_gone(job));
    scene.set_state("passive\n");
    assert_demoted(&scene, running, "passive");
}

#[test]
fn a_state_that_is_renewed_keeps_the_job_running() {
    // What matters is that the timers are set again after each renewal.
    let scene = Scene::active();
    scene.configure("on_demotion = terminate\nstate_max_age = 2s\n");
    let (mut running, job) = start(&scene);
    for _ in 0..10 {
        scene.set_state("active\n");
        std::thread::sleep(Duration::from_millis(400)); // the passing of time is the case itself
        assert!(!running.has_ended() && !is_gone(job));
    }
    assert_demoted(&scene, running, "nobody renewed it");
}
