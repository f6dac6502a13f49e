//! Whether the job runs.

use crate::support::fixture::{binary, set_mode};
use crate::support::lease;
use crate::support::process::Running;
use crate::support::{Fixture, run};
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, SystemTime};

const JOB: [&str; 2] = ["echo", "ran"];

/// Runs `rcron` with a job. Returns whether the job ran, and the text on stderr.
fn runs(fixture: &Fixture) -> (bool, String) {
    let done = fixture.run(JOB);
    assert_eq!(done.code(), Some(0), "{done:?}");
    (done.stdout() == "ran\n", done.stderr())
}

#[test]
fn active_runs_the_job() {
    assert_eq!(runs(&Fixture::active()), (true, String::new()));
}

#[test]
fn passive_runs_nothing_and_prints_nothing() {
    let fixture = Fixture::passive();
    assert_eq!(runs(&fixture), (false, String::new()));
    assert_eq!(
        fixture.log.texts(),
        ["cluster=test state=passive status=ignore cmd=echo ran"]
    );
}

#[test]
fn a_state_that_cannot_be_read_is_the_default_with_a_warning() {
    let fixture = Fixture::new(None);
    let state = fixture.path("state");
    let file = state.display();
    let cases: [(&str, &dyn Fn(), &str); 8] = [
        ("missing", &|| (), "no such file"),
        ("empty", &|| fixture.write("state", ""), "the file is empty"),
        ("blank", &|| fixture.write("state", "\n"), "its first line is blank"),
        (
            "junk",
            &|| fixture.write("state", "inactive\n"),
            "its first word is neither `active` nor `passive`",
        ),
        (
            "a megabyte",
            &|| fixture.write("state", vec![b'x'; 1 << 20]),
            "its first word is neither `active` nor `passive`",
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
            fixture.configure(&format!("default_state = {default}\n"));
            let warning =
                format!("rcron: warning: cannot read the state from {file}: {reason}; using default_state = {default}");
            let (has_run, told) = runs(&fixture);
            let (first, help) = told.split_once('\n').expect("two lines");
            assert_eq!((has_run, first), (ran, warning.as_str()), "{name}");
            assert!(help.ends_with("; see rcron.conf(5)\n"), "{help}");
        }
        let _ = fs::remove_dir(&state).or_else(|_| fs::remove_file(&state));
    }
    let warnings = fixture
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
    let fixture = Fixture::new(None);
    fixture.make_fifo("state");
    let (ran, warning) = runs(&fixture);
    assert!(ran);
    assert!(warning.contains("it is a FIFO, not a regular file"), "{warning}");
}

#[test]
fn the_first_word_decides_however_long_its_line_is() {
    let fixture = Fixture::new(None);
    for (line, ran) in [
        (format!("passive{}", " ".repeat(1 << 20)), false),
        (format!("passive{}", " ".repeat(4 << 20)), false),
        (format!("active{}", " ".repeat(1 << 20)), true),
        (format!("active{} draining", " ".repeat(1 << 20)), false),
        // Who knows what follows.
        (format!("active{} draining", " ".repeat(4 << 20)), false),
    ] {
        fixture.set_state(&line);
        assert_eq!(runs(&fixture), (ran, String::new()), "{}", line.trim_end());
    }
}

#[test]
fn a_huge_file_with_a_short_first_line_is_read() {
    let fixture = Fixture::passive();
    let file = fs::File::options()
        .write(true)
        .open(fixture.path("state"))
        .expect("opened");
    file.set_len(1 << 30).expect("grown");
    assert_eq!(runs(&fixture), (false, String::new()));
}

#[test]
fn links_are_followed() {
    let fixture = Fixture::new(None);
    fs::create_dir(fixture.path("real")).expect("made");
    fixture.write("real/target", "passive\n");
    symlink("real", fixture.path("directory")).expect("linked");
    symlink("directory/target", fixture.path("state")).expect("linked");
    assert_eq!(runs(&fixture), (false, String::new()));
}

#[test]
fn a_file_without_permission_cannot_be_read() {
    let fixture = Fixture::active();
    fixture.configure("default_state = passive\n");
    set_mode(&fixture.path("state"), 0o000);
    let done = run(&mut fixture.rcron_as_ordinary_user(&[], &JOB));
    assert_eq!((done.code(), done.stdout()), (Some(0), String::new()), "{done:?}");
    assert!(
        done.stderr()
            .contains(": Permission denied; using default_state = passive"),
        "{done:?}"
    );
    set_mode(&fixture.path("conf"), 0o000);
    let done = run(&mut fixture.rcron_as_ordinary_user(&[], &JOB));
    assert_eq!((done.code(), done.stdout()), (Some(125), String::new()), "{done:?}");
    assert!(done.stderr().contains("/conf: Permission denied\n"), "{done:?}");
}

#[test]
fn a_lease_holds_on_this_boot_until_its_end() {
    let fixture = Fixture::new(None);
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
        fixture.set_state(&state);
        // Passive whatever default_state says, and without output, which cron would mail every minute.
        for default in ["active", "passive"] {
            fixture.configure(&format!("default_state = {default}\n"));
            assert_eq!(runs(&fixture), (reason.is_none(), String::new()), "{state}");
        }
        let texts = fixture.log.texts();
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
fn require_lease_accepts_nothing_else() {
    let fixture = Fixture::new(None);
    fixture.configure("require_lease = yes\n");
    for state in [None, Some("active\n"), Some("junk\n")] {
        if let Some(state) = state {
            fixture.set_state(state);
        }
        assert_eq!(runs(&fixture), (false, String::new()), "{state:?}");
        let texts = fixture.log.texts();
        assert_eq!(
            texts.last().map(String::as_str),
            Some("cluster=test state=passive status=ignore reason=no-lease cmd=echo ran")
        );
    }
    fixture.set_state(&format!("active {} boot={}\n", lease::until(60.0), lease::boot_id()));
    assert!(runs(&fixture).0);
}

#[test]
fn a_state_may_not_be_too_old_or_from_the_future() {
    let fixture = Fixture::active();
    fixture.configure("state_max_age = 1m\n");
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
            .open(fixture.path("state"))
            .expect("opened");
        file.set_modified(modified).expect("set");
        assert_eq!(runs(&fixture), (why.is_none(), String::new()), "{why:?}");
        if let Some(why) = why {
            fixture
                .log
                .wait_for(&format!("state=passive status=ignore reason=stale why={why} cmd="));
        }
    }
    fs::remove_file(fixture.path("state")).expect("removed");
    assert_eq!(runs(&fixture), (false, String::new()));
    fixture.log.wait_for("reason=stale why=not-there cmd=");
}

#[test]
fn a_stuck_stderr_changes_nothing() {
    let fixture = Fixture::new(None);
    let run_without_reader = |command: &mut std::process::Command| {
        let (reader, writer) = nix::unistd::pipe().expect("a pipe");
        drop(reader);
        Running::start(command.stderr(writer)).wait().code()
    };
    for (default, ran) in [("passive", " status=ignore "), ("active", " status=ok ")] {
        fixture.configure(&format!("default_state = {default}\n"));
        assert_eq!(run_without_reader(fixture.rcron().arg("true")), Some(0));
        assert!(
            fixture.log.texts().last().is_some_and(|line| line.contains(ran)),
            "{default}"
        );
    }
    fixture.write("conf", "junk");
    let socket = format!("syslog_socket={}", fixture.path("log").display());
    assert_eq!(
        run_without_reader(fixture.rcron().args(["-o", &socket, "true"])),
        Some(125)
    );
    assert!(
        fixture
            .log
            .texts()
            .last()
            .is_some_and(|line| line.starts_with("error: "))
    );
}

/// A mount of the single file leads to the file itself, not to its name. So does a descriptor's name in /proc.
#[test]
fn a_file_that_was_replaced_behind_a_mount_is_stale() {
    let fixture = Fixture::active();
    let opened = fs::File::open(fixture.path("state")).expect("open");
    let mount = format!("/proc/{}/fd/{}", std::process::id(), opened.as_raw_fd());
    let conf = fs::read_to_string(fixture.path("conf")).expect("there");
    let state = fixture.path("state").display().to_string();
    fixture.write("conf", conf.replace(&state, &mount));
    assert_eq!(runs(&fixture), (true, String::new()));
    fixture.set_state("passive\n");
    assert_eq!(runs(&fixture), (false, String::new()));
    let texts = fixture.log.texts();
    let last = texts.last().expect("a line");
    assert!(
        last.contains("state=passive status=ignore reason=stale why=removed "),
        "{last}"
    );
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_file_that_was_replaced_behind_a_real_mount_is_stale() {
    let fixture = Fixture::active();
    fixture.write("mount", "");
    let conf = fs::read_to_string(fixture.path("conf")).expect("there");
    let (state, mount) = (
        fixture.path("state").display().to_string(),
        fixture.path("mount").display().to_string(),
    );
    fixture.write("conf", conf.replace(&state, &mount));
    let script = "mount --bind \"$1\" \"$2\" && shift 2 && \"$@\" && \
                  echo passive >\"$STATE.new\" && mv \"$STATE.new\" \"$STATE\" && cat \"$MOUNT\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh", &state, &mount]);
    command.env("STATE", &state).env("MOUNT", &mount);
    command.arg(binary()).arg("--conf").arg(fixture.path("conf")).args(JOB);
    let done = run(&mut command);
    assert_eq!(
        (done.code(), done.stdout().as_str()),
        (Some(0), "ran\nactive\n"),
        "{done:?}"
    );
}
