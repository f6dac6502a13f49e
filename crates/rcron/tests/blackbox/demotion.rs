//! `on_demotion = terminate`: a job ends when its server is no longer the active one.

use crate::support::lease;
use crate::support::process::{Running, children, is_gone, send, state};
use crate::support::{Fixture, until};
use nix::sys::inotify::{InitFlags, Inotify};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

/// A change of the state file: its name, and how to make it.
type Change = (&'static str, fn(&Fixture));

const TERMINATE: &str = "on_demotion = terminate\ndefault_state = passive\n";

/// A fixture with a guarded job that only SIGTERM or SIGKILL ends.
fn guarded(more: &str) -> (Fixture, Running, i32) {
    let fixture = Fixture::active();
    fixture.configure(&format!("{TERMINATE}{more}"));
    let (running, job) = start(&fixture);
    (fixture, running, job)
}

fn start(fixture: &Fixture) -> (Running, i32) {
    let running = Running::start(fixture.rcron().args(["sleep", "1000"]));
    let job = running.job("sleep");
    (running, job)
}

#[test]
fn a_relative_path_of_the_state_file_stays_relative_to_the_directory_of_the_start() {
    let fixture = Fixture::active();
    fixture.configure(TERMINATE);
    let mut rcron = fixture.rcron();
    rcron.args(["-o", "state_file=state", "sleep", "1000"]);
    let running = Running::start(rcron.current_dir(fixture.path("")));
    running.job("sleep");
    fixture.set_state("passive\n");
    assert_demoted(&fixture, running, "relative");
    let warning = fixture
        .log
        .texts()
        .into_iter()
        .find(|text| text.starts_with("warning: "));
    assert_eq!(warning, None);
}

/// The job got SIGTERM because of the state, and the log says so.
fn assert_demoted(fixture: &Fixture, mut running: Running, what: &str) {
    assert_eq!(running.wait().signal(), Some(15), "{what}");
    let texts = fixture.log.texts();
    let last = texts.last().expect("a line");
    assert!(
        last.contains(" status=fail ") && last.contains(" signal=SIGTERM reason=demoted run="),
        "{what}: {last}"
    );
}

#[test]
fn a_state_that_is_no_longer_active_ends_the_job() {
    let changes: [Change; 7] = [
        ("replaced", |fixture| fixture.set_state("passive\n")),
        ("written in place", |fixture| fixture.write("state", "passive\n")),
        ("removed", |fixture| {
            fs::remove_file(fixture.path("state")).expect("removed");
        }),
        ("emptied", |fixture| fixture.write("state", "")),
        ("stale", |fixture| fixture.set_state("active until=1 boot=x\n")),
        ("moved away", |fixture| {
            fs::rename(fixture.path("state"), fixture.path("old")).expect("renamed");
        }),
        ("a directory", |fixture| {
            fs::remove_file(fixture.path("state")).expect("removed");
            fs::create_dir(fixture.path("state")).expect("made");
        }),
    ];
    for (what, change) in changes {
        let (fixture, running, job) = guarded("");
        change(&fixture);
        assert_demoted(&fixture, running, what);
        assert!(is_gone(job));
    }
}

#[test]
fn a_job_started_by_the_state_file_does_not_continue_by_default_state() {
    let fixture = Fixture::active();
    fixture.configure("on_demotion = terminate\ndefault_state = active\n");
    let (running, _) = start(&fixture);
    fs::remove_file(fixture.path("state")).expect("removed");
    assert_demoted(&fixture, running, "removed");
    fixture
        .log
        .wait_for("warning: the state can no longer be read: no such file; the job gets SIGTERM");
}

#[test]
fn a_job_started_by_default_state_continues_until_the_state_is_passive() {
    let fixture = Fixture::new(None);
    fixture.configure("on_demotion = terminate\ndefault_state = active\n");
    let running = Running::start(fixture.rcron().args(["sleep", "1000"]).stderr(Stdio::null()));
    running.job("sleep");
    fixture.set_state("passive\n");
    assert_demoted(&fixture, running, "passive");
}

#[test]
fn an_active_state_written_again_changes_nothing() {
    let (fixture, mut running, job) = guarded("");
    for text in ["active\n", "active since now\n", "Active draining\n", "active\n"] {
        fixture.set_state(text);
        fs::File::options()
            .write(true)
            .open(fixture.path("state"))
            .and_then(|file| file.set_modified(SystemTime::now()))
            .expect("touched");
    }
    assert!(!running.has_ended() && !is_gone(job));
    fixture.set_state("passive\n");
    assert_demoted(&fixture, running, "passive");
}

#[test]
fn a_lease_that_ends_ends_the_job() {
    let fixture = Fixture::new(None);
    fixture.configure("on_demotion = terminate\nrequire_lease = yes\n");
    fixture.set_state(&format!(
        "active {} boot={} epoch=5\n",
        lease::until(2.0),
        lease::boot_id()
    ));
    let (running, _) = start(&fixture);
    assert_demoted(&fixture, running, "nobody renewed the lease");
}

#[test]
fn a_state_that_grows_too_old_ends_the_job() {
    let fixture = Fixture::active();
    fixture.configure("on_demotion = terminate\nstate_max_age = 2s\n");
    let (running, _) = start(&fixture);
    assert_demoted(&fixture, running, "nobody touched the file");
}

#[test]
fn links_are_followed() {
    let fixture = Fixture::new(None);
    fs::create_dir(fixture.path("run")).expect("made");
    fixture.write("run/real", "active\n");
    symlink("run", fixture.path("var")).expect("linked");
    symlink("var/real", fixture.path("state")).expect("linked");
    fixture.configure(TERMINATE);
    let (running, _) = start(&fixture);
    fixture.write("run/new", "passive\n");
    fs::rename(fixture.path("run/new"), fixture.path("run/real")).expect("renamed");
    assert_demoted(&fixture, running, "the link's target replaced");
}

#[test]
fn a_directory_made_anew_is_watched() {
    let fixture = Fixture::new(None);
    fs::create_dir(fixture.path("run")).expect("made");
    fixture.write("run/state", "active\n");
    fixture.configure("on_demotion = terminate\ndefault_state = active\n");
    fixture.write(
        "conf",
        fs::read_to_string(fixture.path("conf"))
            .expect("read")
            .replace("/state\"", "/run/state\""),
    );
    let (running, job) = start(&fixture);
    // The whole directory is replaced by one rename; the state is active before and after.
    fs::create_dir(fixture.path("other")).expect("made");
    fixture.write("other/state", "active\n");
    let exchanged = nix::fcntl::renameat2(
        nix::fcntl::AT_FDCWD,
        &fixture.path("other"),
        nix::fcntl::AT_FDCWD,
        &fixture.path("run"),
        nix::fcntl::RenameFlags::RENAME_EXCHANGE,
    );
    exchanged.expect("exchanged");
    assert!(!is_gone(job));
    fixture.write("run/state", "passive\n");
    assert_demoted(&fixture, running, "the new directory's file");
}

#[test]
fn without_inotify_the_state_is_read_at_intervals() {
    // Uses up all inotify instances of this user.
    let mut taken = Vec::new();
    while let Ok(instance) = Inotify::init(InitFlags::IN_CLOEXEC) {
        taken.push(instance);
    }
    let (fixture, running, job) = guarded("");
    let has_inotify = fs::read_dir(format!("/proc/{}/fd", running.pid()))
        .expect("/proc")
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().contains("inotify")));
    assert!(!has_inotify && !is_gone(job));
    drop(taken);
    fixture.set_state("passive\n");
    assert_demoted(&fixture, running, "passive");
}

#[test]
fn the_whole_process_group_is_ended() {
    let fixture = Fixture::active();
    fixture.configure(TERMINATE);
    let running = Running::start(fixture.rcron().arg("sleep 1000 & sleep 1001; true"));
    let shell = running.job("sh");
    let sleeps = until("both sleeps", || Some(children(shell)).filter(|pids| pids.len() == 2));
    fixture.set_state("passive\n");
    assert_demoted(&fixture, running, "passive");
    assert!(sleeps.iter().all(|pid| is_gone(*pid)), "rcron ended before them");
}

#[test]
fn a_job_that_ignores_sigterm_is_killed_after_kill_after() {
    let fixture = Fixture::active();
    fixture.configure(&format!("{TERMINATE}kill_after = 300ms\n"));
    let script = "trap '' TERM; echo ready; while :; do sleep 1000; done";
    let mut running = Running::start(fixture.rcron().args(["sh", "-c", script]).stdout(Stdio::piped()));
    running.lines().next().expect("a line");
    fixture.set_state("passive\n");
    assert_eq!(running.wait().signal(), Some(9));
    fixture.log.wait_for("signal=SIGKILL reason=demoted");
}

#[test]
fn a_leader_that_dies_at_once_does_not_save_the_rest_of_its_group() {
    let fixture = Fixture::active();
    fixture.configure(&format!("{TERMINATE}kill_after = 300ms\n"));
    // The background shell ignores SIGTERM; the leader dies of it.
    let script = "(trap '' TERM; echo $(exec sh -c 'echo $PPID'); while :; do sleep 1000; done) & wait";
    let mut running = Running::start(fixture.rcron().args(["sh", "-c", script]).stdout(Stdio::piped()));
    let stubborn: i32 = running.lines().next().expect("a line").parse().expect("a pid");
    fixture.set_state("passive\n");
    assert_demoted(&fixture, running, "passive");
    assert!(is_gone(stubborn));
}

#[test]
fn a_job_that_exits_with_0_on_sigterm_is_ok() {
    let fixture = Fixture::active();
    fixture.configure(TERMINATE);
    let script = "trap 'exit 0' TERM; echo ready; while :; do read line; done";
    let mut running = Running::start(
        fixture
            .rcron()
            .args(["sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped()),
    );
    running.lines().next().expect("a line");
    fixture.set_state("passive\n");
    assert_eq!(running.wait().code(), Some(0));
    fixture.log.wait_for("exit=0 reason=demoted");
}

#[test]
fn a_stopped_job_is_ended_too() {
    let (fixture, running, job) = guarded("");
    send(job, 19);
    until("the job to stop", || state(job).filter(|(letter, _)| *letter == 'T'));
    fixture.set_state("passive\n");
    assert_demoted(&fixture, running, "passive");
}

#[test]
fn by_default_the_job_continues() {
    let fixture = Fixture::active();
    let mut running = Running::start(fixture.rcron().args(["cat"]).stdin(Stdio::piped()));
    running.job("cat");
    fixture.set_state("passive\n");
    drop(running.0.stdin.take());
    assert_eq!(running.wait().code(), Some(0));
    let texts = fixture.log.texts();
    assert!(
        texts[1].contains(" status=ok ") && !texts[1].contains("demoted"),
        "{texts:?}"
    );
}

#[test]
fn if_rcron_is_killed_the_job_gets_sigterm_only_if_guarded() {
    for (more, survives) in [("on_demotion = terminate\n", false), ("", true)] {
        let fixture = Fixture::active();
        fixture.configure(more);
        let (mut running, job) = start(&fixture);
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
    // The job itself makes its server passive: the earliest possible change.
    let fixture = Fixture::active();
    fixture.configure(TERMINATE);
    let line = format!(
        "echo passive >{0}.2; mv {0}.2 {0}; exec sleep 1000",
        fixture.path("state").display()
    );
    for _ in 0..20 {
        fixture.set_state("active\n");
        let running = Running::start(fixture.rcron().arg(&line));
        assert_demoted(&fixture, running, "passive");
    }
}

#[test]
fn a_file_emptied_before_it_is_written_ends_no_job() {
    // rcron waits 20 ms for the text. On a busy machine the writer may stand still for longer, and then the case is none.
    until("a writer that is quick enough", || {
        let (fixture, mut running, job) = guarded("");
        until("the watch", || has_watch(running.pid()).then_some(()));
        let before = Instant::now();
        for _ in 0..30 {
            fixture.write("state", "");
            fixture.write("state", "active\n");
        }
        if before.elapsed() > Duration::from_millis(15) {
            return None;
        }
        assert!(!running.has_ended() && !is_gone(job));
        fixture.set_state("passive\n");
        assert_demoted(&fixture, running, "passive");
        Some(())
    });
}

fn has_watch(pid: i32) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).expect("a process");
    let mut links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.any(|link| link.as_os_str() == "anon_inode:inotify")
}

#[test]
fn a_state_that_is_renewed_keeps_the_job_running() {
    // The timers must be set again after each renewal. On a busy machine this test may come too late for one.
    until("renewals in time", || {
        let fixture = Fixture::active();
        fixture.configure("on_demotion = terminate\nstate_max_age = 2s\n");
        let mut running = Running::start(fixture.rcron().args(["sleep", "1000"]));
        let mut renewed = Instant::now();
        for _ in 0..10 {
            fixture.set_state("active\n");
            if renewed.elapsed() > Duration::from_secs(1) {
                return None;
            }
            renewed = Instant::now();
            std::thread::sleep(Duration::from_millis(400)); // the passing of time is the case itself
        }
        let in_time = renewed.elapsed() < Duration::from_secs(1);
        in_time.then(|| assert!(!running.has_ended()))?;
        assert_demoted(&fixture, running, "nobody renewed it");
        Some(())
    });
}
