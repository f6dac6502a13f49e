//! Whether the job runs.

use crate::support::lease;
use crate::support::scene::{binary, set_mode};
use crate::support::{Scene, run};
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, SystemTime};

const JOB: [&str; 2] = ["echo", "ran"];

/// Runs the job; whether it ran, and what stderr said.
fn runs(scene: &Scene) -> (bool, String) {
    let done = scene.run(JOB);
    assert_eq!(done.code(), Some(0), "{done:?}");
    (done.stdout() == "ran\n", done.stderr())
}

#[test]
fn active_runs_the_job() {
    assert_eq!(runs(&Scene::active()), (true, String::new()));
}

#[test]
fn passive_runs_nothing_and_says_nothing() {
    let scene = Scene::passive();
    assert_eq!(runs(&scene), (false, String::new()));
    assert_eq!(
        scene.log.texts(),
        ["cluster=test state=passive status=ignore cmd=echo ran"]
    );
}

#[test]
fn a_state_that_cannot_be_read_is_the_default_with_a_warning() {
    let scene = Scene::new(None);
    let state = scene.path("state");
    let file = state.display();
    let cases: [(&str, &dyn Fn(), &str); 8] = [
        ("missing", &|| (), "no such file"),
        ("empty", &|| scene.write("state", ""), "the file is empty"),
        ("blank", &|| scene.write("state", "\n"), "its first line is blank"),
        (
            "junk",
            &|| scene.write("state", "inactive\n"),
            "its first word is neither `active` nor `passive`",
        ),
        (
            "a megabyte",
            &|| scene.write("state", vec![b'x'; 1 << 20]),
            "its first line is longer than 4096 bytes",
        ),
        (
            "a directory",
            &|| fs::create_dir(&state).expect("made"),
            "it is a directory, not a regular file",
        ),
        (
            "a device",
            &|| symlink("/dev/null", &state).expect("linked"),
            "it is a device, not a regular file",
        ),
        (
            "a loop",
            &|| symlink("state", &state).expect("linked"),
            "Too many levels of symbolic links",
        ),
    ];
    for (name, prepare, reason) in cases {
        prepare();
        for (default, ran) in [("active", true), ("passive", false)] {
            scene.configure(&format!("default_state = {default}\n"));
            let warning = format!(
                "rcron: warning: cannot read the state from {file}: {reason}; taking default_state = {default}"
            );
            let (has_run, told) = runs(&scene);
            let (first, help) = told.split_once('\n').expect("two lines");
            assert_eq!((has_run, first), (ran, warning.as_str()), "{name}");
            assert!(help.ends_with("; see rcron.conf(5)\n"), "{help}");
        }
        let _ = fs::remove_dir(&state).or_else(|_| fs::remove_file(&state));
    }
    let warnings = scene
        .log
        .messages()
        .into_iter()
        .filter(|message| message.text.starts_with("warning: "));
    assert!(
        warnings.map(|message| message.priority).eq([76; 16]),
        "each is in the log too, as cron.warning"
    );
}

#[test]
fn a_fifo_is_never_waited_for() {
    let scene = Scene::new(None);
    let made = Command::new("mkfifo")
        .arg(scene.path("state"))
        .status()
        .expect("mkfifo");
    assert!(made.success());
    let (ran, warning) = runs(&scene);
    assert!(ran);
    assert!(warning.contains("it is a FIFO, not a regular file"), "{warning}");
}

#[test]
fn a_huge_file_with_a_short_first_line_is_read() {
    let scene = Scene::passive();
    let file = fs::File::options()
        .write(true)
        .open(scene.path("state"))
        .expect("opened");
    file.set_len(1 << 30).expect("grown");
    assert_eq!(runs(&scene), (false, String::new()));
}

#[test]
fn links_are_followed() {
    let scene = Scene::new(None);
    fs::create_dir(scene.path("real")).expect("made");
    scene.write("real/target", "passive\n");
    symlink("real", scene.path("directory")).expect("linked");
    symlink("directory/target", scene.path("state")).expect("linked");
    assert_eq!(runs(&scene), (false, String::new()));
}

#[test]
fn a_file_without_permission_cannot_be_read() {
    let scene = Scene::active();
    scene.configure("default_state = passive\n");
    set_mode(&scene.path("state"), 0o000);
    let done = run(&mut scene.rcron_as_ordinary_user(&JOB));
    assert_eq!((done.code(), done.stdout()), (Some(0), String::new()), "{done:?}");
    assert!(
        done.stderr()
            .contains(": Permission denied; taking default_state = passive"),
        "{done:?}"
    );
    set_mode(&scene.path("conf"), 0o000);
    let done = run(&mut scene.rcron_as_ordinary_user(&JOB));
    assert_eq!((done.code(), done.stdout()), (Some(125), String::new()), "{done:?}");
    assert!(done.stderr().contains("/conf: Permission denied\n"), "{done:?}");
}

#[test]
fn a_lease_holds_on_this_boot_until_its_end() {
    let scene = Scene::new(None);
    let boot = lease::boot_id();
    for (state, reason) in [
        (format!("active {} boot={boot} epoch=7", lease::until(60.0)), None),
        (
            format!("active {} boot={boot}", lease::until(-1.0)),
            Some("stale why=lease-ended"),
        ),
        (
            format!("active {} boot={boot}", lease::until(700.0)),
            Some("stale why=too-far-ahead"),
        ),
        (
            format!("active {} boot=other", lease::until(60.0)),
            Some("stale why=other-boot"),
        ),
        (format!("active {}", lease::until(60.0)), Some("stale why=malformed")),
        (format!("active boot={boot}"), Some("stale why=malformed")),
        (
            format!("active {} boot={boot} draining", lease::until(60.0)),
            Some("draining"),
        ),
    ] {
        scene.set_state(&state);
        // Whatever default_state says, and silently: it must not mail every minute.
        for default in ["active", "passive"] {
            scene.configure(&format!("default_state = {default}\n"));
            assert_eq!(runs(&scene), (reason.is_none(), String::new()), "{state}");
        }
        let texts = scene.log.texts();
        let last = texts.last().expect("a line");
        match reason {
            Some(reason) => {
                assert_eq!(
                    last,
                    &format!("cluster=test state=passive status=ignore reason={reason} cmd=echo ran")
                );
            }
            None => assert!(last.contains(" status=ok "), "{last}"),
        }
    }
}

#[test]
fn require_lease_takes_nothing_else() {
    let scene = Scene::new(None);
    scene.configure("require_lease = yes\n");
    for state in [None, Some("active\n"), Some("junk\n")] {
        if let Some(state) = state {
            scene.set_state(state);
        }
        assert_eq!(runs(&scene), (false, String::new()), "{state:?}");
        let texts = scene.log.texts();
        assert_eq!(
            texts.last().map(String::as_str),
            Some("cluster=test state=passive status=ignore reason=no-lease cmd=echo ran")
        );
    }
    scene.set_state(&format!("active {} boot={}\n", lease::until(60.0), lease::boot_id()));
    assert!(runs(&scene).0);
}

#[test]
fn a_state_may_not_be_too_old_or_from_the_future() {
    let scene = Scene::active();
    scene.configure("state_max_age = 1m\n");
    let now = SystemTime::now();
    let minute = Duration::from_secs(60);
    for (modified, why) in [
        (now, None),
        (now - minute / 2, None),
        (now + minute / 2, None),
        (now - 2 * minute, Some("too-old")),
        (now + 2 * minute, Some("from-the-future")),
    ] {
        let file = fs::File::options()
            .write(true)
            .open(scene.path("state"))
            .expect("opened");
        file.set_modified(modified).expect("set");
        assert_eq!(runs(&scene), (why.is_none(), String::new()), "{why:?}");
        if let Some(why) = why {
            scene
                .log
                .wait_for(&format!("state=passive status=ignore reason=stale why={why} cmd="));
        }
    }
    fs::remove_file(scene.path("state")).expect("removed");
    assert_eq!(runs(&scene), (false, String::new()));
    scene.log.wait_for("reason=stale why=not-there cmd=");
}

#[test]
fn a_stderr_that_nobody_reads_changes_nothing() {
    let scene = Scene::new(None);
    let run_without_reader = |command: &mut std::process::Command| {
        let (reader, writer) = nix::unistd::pipe().expect("a pipe");
        drop(reader);
        command.stderr(writer).status().expect("run").code()
    };
    for (default, ran) in [("passive", " status=ignore "), ("active", " status=ok ")] {
        scene.configure(&format!("default_state = {default}\n"));
        assert_eq!(run_without_reader(scene.rcron().arg("true")), Some(0));
        assert!(
            scene.log.texts().last().is_some_and(|line| line.contains(ran)),
            "{default}"
        );
    }
    scene.write("conf", "junk");
    let socket = format!("syslog_socket={}", scene.path("log").display());
    assert_eq!(
        run_without_reader(scene.rcron().args(["-o", &socket, "true"])),
        Some(125)
    );
    assert!(scene.log.texts().last().is_some_and(|line| line.starts_with("error: ")));
}

#[test]
fn a_lease_that_ends_between_decision_and_start_starts_nothing() {
    let scene = Scene::new(None);
    // A warning to a stderr that is full takes 200 ms, which is longer than the lease.
    scene.configure("nice_level = 99\n");
    let (reader, writer) = nix::unistd::pipe().expect("a pipe");
    nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK)).expect("set");
    while nix::unistd::write(&writer, &[b'x'; 4096]).is_ok() {}
    scene.set_state(&format!("active {} boot={}\n", lease::until(0.1), lease::boot_id()));
    let mut command = scene.rcron();
    let output = command.args(JOB).stderr(writer).output().expect("run");
    drop(reader);
    assert_eq!((output.status.code(), output.stdout), (Some(0), vec![]));
    scene
        .log
        .wait_for("state=passive status=ignore reason=stale why=lease-ended cmd=echo ran");
}

/// A mount of the single file leads to the file itself, not to its name. So does a descriptor's name in /proc.
#[test]
fn a_file_that_was_replaced_behind_a_mount_is_stale() {
    let scene = Scene::active();
    let opened = fs::File::open(scene.path("state")).expect("open");
    let mount = format!("/proc/{}/fd/{}", std::process::id(), opened.as_raw_fd());
    let conf = fs::read_to_string(scene.path("conf")).expect("there");
    let state = scene.path("state").display().to_string();
    scene.write("conf", conf.replace(&state, &mount));
    assert_eq!(runs(&scene), (true, String::new()));
    scene.set_state("passive\n");
    assert_eq!(runs(&scene), (false, String::new()));
    let texts = scene.log.texts();
    let last = texts.last().expect("a line");
    assert!(
        last.contains("state=passive status=ignore reason=stale why=removed "),
        "{last}"
    );
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_file_that_was_replaced_behind_a_real_mount_is_stale() {
    let scene = Scene::active();
    scene.write("mount", "");
    let conf = fs::read_to_string(scene.path("conf")).expect("there");
    let (state, mount) = (
        scene.path("state").display().to_string(),
        scene.path("mount").display().to_string(),
    );
    scene.write("conf", conf.replace(&state, &mount));
    let script = "mount --bind \"$1\" \"$2\" && shift 2 && \"$@\" && \
                  echo passive >\"$STATE.new\" && mv \"$STATE.new\" \"$STATE\" && cat \"$MOUNT\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh", &state, &mount]);
    command.env("STATE", &state).env("MOUNT", &mount);
    command.arg(binary()).arg("--conf").arg(scene.path("conf")).args(JOB);
    let done = run(&mut command);
    assert_eq!(
        (done.code(), done.stdout().as_str()),
        (Some(0), "ran\nactive\n"),
        "{done:?}"
    );
}
