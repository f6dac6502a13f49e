//! `rcronctl set`, and the cases in which `touch` is refused too.

use crate::daemon::{Daemon, report};
use crate::fixture::{Fixture, is_link};
use control::{Request, Response};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;
use testing::process::{Running, send};
use testing::run;

fn maintained(by: &str) -> String {
    let uptime = fs::read_to_string("/proc/uptime").expect("there");
    let now: f64 = uptime
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a number");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("there");
    format!("passive until={:.3} boot={} by={by}\n", now + 60.0, boot.trim())
}

#[test]
fn writes_who_and_since_when() {
    let fixture = Fixture::new(None);
    let told = fixture.output(0, ["set", "active"]);
    let state = fixture.path("state");
    assert_eq!(told, format!("web: active (was nothing) in {}\n", state.display()));
    let first = fixture.read("state");
    assert!(
        first.starts_with("active by=alice@") && first.contains(" since=20") && first.ends_with("Z\n"),
        "{first}"
    );
    assert_eq!(fs::metadata(&state).expect("there").mode() & 0o7777, 0o644);
    assert_eq!(fixture.output(0, ["is-active", "-q"]), "");
    assert!(
        fixture
            .output(0, ["set", "passive"])
            .starts_with("web: passive (was active) in ")
    );
    assert!(fixture.read("state").starts_with("passive by="));
    assert_eq!(fixture.json(0, ["set", "passive"])["before"], "passive");
}

#[test]
fn keeps_since_if_nothing_changes() {
    let fixture = Fixture::new(Some("active by=bob since=2026-11-23T09:15:02Z\n"));
    fixture.output(0, ["set", "active"]);
    assert!(fixture.read("state").contains(" since=2026-11-23T09:15:02Z\n"));
}

#[test]
fn ignores_the_umask() {
    let fixture = Fixture::new(None);
    fixture.configure(&format!("state_file = {}/new/state\n", fixture.path("").display()));
    let line = format!(
        "umask 077; exec {:?} --conf {:?} set active",
        testing::program::program("rcronctl"),
        fixture.path("conf")
    );
    assert_eq!(run(Command::new("sh").args(["-c", &line])).code(), Some(0));
    for (path, mode) in [("new", 0o755), ("new/state", 0o644)] {
        assert_eq!(fs::metadata(fixture.path(path)).expect("there").mode() & 0o7777, mode);
    }
}

#[test]
fn creates_a_missing_directory() {
    let fixture = Fixture::new(None);
    fixture.configure(&format!("state_file = {}/run/rcron/web\n", fixture.path("").display()));
    fixture.output(0, ["set", "active"]);
    assert!(fixture.read("run/rcron/web").starts_with("active "));
}

#[test]
fn follows_and_keeps_a_link() {
    let fixture = Fixture::new(None);
    fs::create_dir(fixture.path("real")).expect("made");
    symlink("real/state", fixture.path("state")).expect("linked");
    fixture.output(0, ["set", "active"]);
    assert!(is_link(&fixture.path("state")));
    assert!(fixture.read("real/state").starts_with("active "));
}

#[test]
fn is_refused_for_a_parent_that_others_could_have_linked() {
    let fixture = Fixture::new(None);
    for directory in ["open", "real"] {
        std::fs::create_dir(fixture.path(directory)).expect("made");
    }
    symlink("../real", fixture.path("open/link")).expect("linked");
    std::fs::set_permissions(fixture.path("open"), std::fs::Permissions::from_mode(0o1777)).expect("chmod");
    fixture.configure(&format!("state_file = {}\n", fixture.path("open/link/state").display()));
    let done = fixture.rcronctl(["set", "active"]);
    assert!(
        done.code() == Some(2)
            && done
                .stderr()
                .contains("open/link is a symbolic link that another user could have created"),
        "{done:?}"
    );
    assert!(!fixture.path("real/state").exists());
    let page = fixture.path("open/link/page.html").display().to_string();
    let done = fixture.rcronctl(["timeline", "--html", &page]);
    assert!(
        done.code() == Some(2) && !fixture.path("real/page.html").exists(),
        "{done:?}"
    );
    fixture.output(0, ["set", "active", "--force"]);
    assert!(fixture.read("real/state").starts_with("active "));
}

#[test]
fn is_refused_for_a_link_that_others_could_have_made() {
    let fixture = Fixture::new(None);
    fixture.write("precious", "precious");
    fs::create_dir(fixture.path("open")).expect("made");
    fs::set_permissions(fixture.path("open"), fs::Permissions::from_mode(0o1777)).expect("chmod");
    symlink("../precious", fixture.path("open/state")).expect("linked");
    fixture.configure(&format!("state_file = {}\n", fixture.path("open/state").display()));
    for command in [&["set", "active"][..], &["touch"]] {
        let done = fixture.rcronctl(command);
        assert_eq!(done.code(), Some(2));
        assert!(
            done.stderr()
                .contains("is a symbolic link that another user could have created"),
            "{done:?}"
        );
    }
    assert_eq!(fixture.read("precious"), "precious");
    fixture.output(0, ["set", "active", "--force"]);
    assert!(fixture.read("precious").starts_with("active "));
}

#[test]
fn is_refused_if_a_running_daemon_maintains_the_file() {
    let fixture = Fixture::new(Some(&maintained("keepalived@server1")));
    for command in [&["set", "active"][..], &["touch"]] {
        let done = fixture.rcronctl(command);
        assert_eq!(done.code(), Some(2));
        assert!(
            done.stderr()
                .contains("is maintained by keepalived@server1 (its lease holds for another "),
            "{done:?}"
        );
    }
    assert_eq!(fixture.output(0, ["touch", "--force"]), "");
    fixture.output(0, ["set", "active", "--force"]);
    assert!(fixture.read("state").starts_with("active "));
}

/// A standby's file has no lease, so that only rcrond itself knows that it is its file.
#[test]
fn is_refused_if_rcrond_says_that_it_writes_the_file() {
    let before = "passive by=server1 since=2026-11-23T09:15:02Z\n";
    for (file, is_refused) in [("state", true), ("other", false)] {
        let fixture = Fixture::new(Some(before));
        let (socket, file) = (fixture.path("socket"), fixture.path(file));
        let _daemon = Daemon::start(&socket, move |request| {
            assert_eq!(*request, Request::Status { nodes: false });
            let mut report = report(false);
            report.clusters[0].state_file = file.display().to_string();
            Response::Status(report).into()
        });
        let socket = socket.to_str().expect("text");
        for command in [&["set", "active"][..], &["touch"]] {
            let done = fixture.rcronctl([command, &["--socket", socket]].concat());
            assert_eq!(done.code(), Some(if is_refused { 2 } else { 0 }), "{done:?}");
            let told = "is maintained by rcrond, which would overwrite it within a second: use rcronctl drain and undrain to switch servers\n";
            assert_eq!(done.stderr().contains(told), is_refused, "{done:?}");
        }
        assert_eq!(fixture.read("state") == before, is_refused);
        fixture.output(0, ["set", "active", "--force", "--socket", socket]);
    }
}

/// An active node's file has a lease and an epoch.
#[test]
fn names_the_remedy_for_the_daemon_that_maintains_the_file() {
    let state = maintained("server1").replace(" by=", " epoch=7 by=");
    for (state, remedy) in [
        (
            state,
            "overwrite it within seconds: use rcronctl drain and undrain to switch servers\n",
        ),
        (
            maintained("keepalived@server1"),
            "systemctl stop keepalived), or use --force\n",
        ),
    ] {
        let fixture = Fixture::new(Some(&state));
        let done = fixture.rcronctl(["set", "active"]);
        assert!(done.code() == Some(2) && done.stderr().contains(remedy), "{done:?}");
        assert_eq!(
            done.stderr().contains("keepalived"),
            state.contains("keepalived"),
            "{done:?}"
        );
    }
}

#[test]
fn is_allowed_after_the_daemon_has_died() {
    let fixture = Fixture::new(Some("active until=1.000 boot=other by=rcrond\n"));
    fixture.output(0, ["set", "passive"]);
}

#[test]
fn passive_overwrites_in_place_if_no_file_can_be_created() {
    let fixture = Fixture::new(Some("active since=2026-11-23T09:15:02Z\n"));
    // No new file can be created beside it.
    fs::set_permissions(fixture.path(""), fs::Permissions::from_mode(0o555)).expect("chmod");
    let done = as_ordinary_user(&fixture, &["set", "passive"]);
    fs::set_permissions(fixture.path(""), fs::Permissions::from_mode(0o755)).expect("chmod");
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(
        done.stderr()
            .ends_with("Permission denied; its first line was overwritten with `passive`\n"),
        "{done:?}"
    );
    assert!(fixture.read("state").starts_with("passive\n"));
}

/// Root can write anywhere.
fn as_ordinary_user(fixture: &Fixture, arguments: &[&str]) -> testing::Done {
    if !nix::unistd::geteuid().is_root() {
        return fixture.rcronctl(arguments);
    }
    // Other users may not be able to read the build.
    let copy = tempfile::tempdir().expect("a directory");
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let program = copy.path().join("rcronctl");
    run(Command::new("cp")
        .arg(testing::program::program("rcronctl"))
        .arg(&program));
    fs::set_permissions(fixture.path("state"), fs::Permissions::from_mode(0o666)).expect("chmod");
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program);
    run(command.arg("--conf").arg(fixture.path("conf")).args(arguments))
}

/// A reader sees the old state or the new one, complete, whenever the writer dies.
#[test]
fn leaves_a_whole_file_if_killed_at_any_moment() {
    let fixture = Fixture::new(Some("passive\n"));
    let script = format!(
        "while :; do {0:?} --conf {1:?} set active; {0:?} --conf {1:?} set passive; done",
        testing::program::program("rcronctl"),
        fixture.path("conf")
    );
    for _ in 0..20 {
        let mut loops = Command::new("sh");
        loops.args(["-c", &script]).stdout(std::process::Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut loops, 0);
        let writer = Running::start(&mut loops);
        let mut seen = [false; 2];
        while seen != [true; 2] {
            let text = fixture.read("state");
            let is_active = text.starts_with("active by=");
            assert!(
                is_active || text.starts_with("passive by=") || text == "passive\n",
                "{text:?}"
            );
            assert!(text.ends_with('\n'), "{text:?}");
            seen[usize::from(is_active)] = true;
        }
        send(-writer.pid(), 9);
    }
    let text = fixture.read("state");
    assert!(text.ends_with('\n'), "{text:?}");
}

#[test]
fn active_warns_if_a_lease_is_required() {
    let fixture = Fixture::new(None);
    fixture.configure("require_lease = yes\n");
    let done = fixture.rcronctl(["set", "active"]);
    assert_eq!(done.code(), Some(0));
    assert!(
        done.stderr().contains("`active` without a lease counts as passive"),
        "{done:?}"
    );
}

#[test]
fn is_refused_for_what_is_not_a_regular_file() {
    let fixture = Fixture::new(None);
    nix::unistd::mkfifo(&fixture.path("state"), nix::sys::stat::Mode::S_IRUSR).expect("made");
    let done = fixture.rcronctl(["set", "active"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("is not a regular file"),
        "{done:?}"
    );
    assert!(!fixture.path("state").is_file());
}
