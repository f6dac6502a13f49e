//! `rcronctl set` and `touch`.

use crate::scene::{Scene, is_link};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;
use std::time::{Duration, SystemTime};
use testing::process::{Running, send};
use testing::run;

fn kept(by: &str) -> String {
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
fn set_writes_who_and_since_when() {
    let scene = Scene::new(None);
    let told = scene.told(0, ["set", "active"]);
    let state = scene.path("state");
    assert_eq!(told, format!("web: active (was nothing) in {}\n", state.display()));
    let first = scene.read("state");
    assert!(
        first.starts_with("active by=alice@") && first.contains(" since=20") && first.ends_with("Z\n"),
        "{first}"
    );
    assert_eq!(fs::metadata(&state).expect("there").mode() & 0o7777, 0o644);
    assert_eq!(scene.told(0, ["is-active", "-q"]), "");
    assert!(
        scene
            .told(0, ["set", "passive"])
            .starts_with("web: passive (was active) in ")
    );
    assert!(scene.read("state").starts_with("passive by="));
    assert_eq!(scene.json(0, ["set", "passive"])["before"], "passive");
}

#[test]
fn setting_what_is_set_keeps_since() {
    let scene = Scene::new(Some("active by=bob since=2026-11-23T09:15:02Z\n"));
    scene.told(0, ["set", "active"]);
    assert!(scene.read("state").contains(" since=2026-11-23T09:15:02Z\n"));
}

#[test]
fn the_umask_does_not_hide_the_state_from_the_jobs_users() {
    let scene = Scene::new(None);
    scene.configure(&format!("state_file = {}/new/state\n", scene.path("").display()));
    let line = format!(
        "umask 077; exec {:?} --conf {:?} set active",
        testing::program::program("rcronctl"),
        scene.path("conf")
    );
    assert_eq!(run(Command::new("sh").args(["-c", &line])).code(), Some(0));
    for (path, mode) in [("new", 0o755), ("new/state", 0o644)] {
        assert_eq!(fs::metadata(scene.path(path)).expect("there").mode() & 0o7777, mode);
    }
}

#[test]
fn a_directory_that_a_reboot_has_taken_is_made_again() {
    let scene = Scene::new(None);
    scene.configure(&format!("state_file = {}/run/rcron/web\n", scene.path("").display()));
    scene.told(0, ["set", "active"]);
    assert!(scene.read("run/rcron/web").starts_with("active "));
}

#[test]
fn a_link_is_followed_and_stays() {
    let scene = Scene::new(None);
    fs::create_dir(scene.path("real")).expect("made");
    symlink("real/state", scene.path("state")).expect("linked");
    scene.told(0, ["set", "active"]);
    assert!(is_link(&scene.path("state")));
    assert!(scene.read("real/state").starts_with("active "));
}

#[test]
fn a_link_that_anybody_could_have_made_is_refused() {
    let scene = Scene::new(None);
    scene.write("precious", "precious");
    fs::create_dir(scene.path("open")).expect("made");
    fs::set_permissions(scene.path("open"), fs::Permissions::from_mode(0o1777)).expect("chmod");
    symlink("../precious", scene.path("open/state")).expect("linked");
    scene.configure(&format!("state_file = {}\n", scene.path("open/state").display()));
    for command in [&["set", "active"][..], &["touch"]] {
        let done = scene.rcronctl(command);
        assert_eq!(done.code(), Some(2));
        assert!(
            done.stderr().contains("is a symbolic link that another user could have created"),
            "{done:?}"
        );
    }
    assert_eq!(scene.read("precious"), "precious");
    scene.told(0, ["set", "active", "--force"]);
    assert!(scene.read("precious").starts_with("active "));
}

#[test]
fn a_file_that_a_living_daemon_keeps_is_refused() {
    let scene = Scene::new(Some(&kept("keepalived@server1")));
    for command in [&["set", "active"][..], &["touch"]] {
        let done = scene.rcronctl(command);
        assert_eq!(done.code(), Some(2));
        assert!(
            done.stderr()
                .contains("is kept by keepalived@server1 (its lease holds for another "),
            "{done:?}"
        );
    }
    assert_eq!(scene.told(0, ["touch", "--force"]), "");
    scene.told(0, ["set", "active", "--force"]);
    assert!(scene.read("state").starts_with("active "));
}

#[test]
fn a_daemon_that_has_died_keeps_nothing() {
    let scene = Scene::new(Some("active until=1.000 boot=other by=rcrond\n"));
    scene.told(0, ["set", "passive"]);
}

#[test]
fn where_the_disk_is_full_active_does_not_stay() {
    let scene = Scene::new(Some("active since=2026-11-23T09:15:02Z\n"));
    // No new file can be made beside it.
    fs::set_permissions(scene.path(""), fs::Permissions::from_mode(0o555)).expect("chmod");
    let done = as_ordinary_user(&scene, &["set", "passive"]);
    fs::set_permissions(scene.path(""), fs::Permissions::from_mode(0o755)).expect("chmod");
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(
        done.stderr()
            .ends_with("Permission denied; it was made passive in place\n"),
        "{done:?}"
    );
    assert!(scene.read("state").starts_with("passive\n"));
}

/// Root may write anywhere.
fn as_ordinary_user(scene: &Scene, arguments: &[&str]) -> testing::Done {
    if !nix::unistd::geteuid().is_root() {
        return scene.rcronctl(arguments);
    }
    // The build may be where nobody else can read.
    let copy = tempfile::tempdir().expect("a directory");
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let program = copy.path().join("rcronctl");
    run(Command::new("cp")
        .arg(testing::program::program("rcronctl"))
        .arg(&program));
    fs::set_permissions(scene.path("state"), fs::Permissions::from_mode(0o666)).expect("chmod");
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program);
    run(command.arg("--conf").arg(scene.path("conf")).args(arguments))
}

/// Whoever reads sees one whole state or the other, whenever the writer dies.
#[test]
fn a_writer_that_is_killed_at_any_moment_leaves_a_whole_file() {
    let scene = Scene::new(Some("passive\n"));
    let script = format!(
        "while :; do {0:?} --conf {1:?} set active; {0:?} --conf {1:?} set passive; done",
        testing::program::program("rcronctl"),
        scene.path("conf")
    );
    for _ in 0..20 {
        let mut loops = Command::new("sh");
        loops.args(["-c", &script]).stdout(std::process::Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut loops, 0);
        let writer = Running::start(&mut loops);
        let mut seen = [false; 2];
        while seen != [true; 2] {
            let text = scene.read("state");
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
    let text = scene.read("state");
    assert!(text.ends_with('\n'), "{text:?}");
}

#[test]
fn touch_refreshes_the_time_and_nothing_else() {
    let scene = Scene::new(Some("passive since monday\n"));
    scene.configure("state_max_age = 1m\n");
    let old = SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(scene.path("state"))
        .expect("there")
        .set_modified(old)
        .expect("set");
    assert!(scene.told(1, ["is-active"]).contains("stale"));
    assert_eq!(scene.told(0, ["touch"]), "");
    assert!(scene.told(1, ["is-active"]).contains("this server is passive"));
    assert_eq!(scene.read("state"), "passive since monday\n");
}

#[test]
fn touch_makes_no_file() {
    let scene = Scene::new(None);
    let done = scene.rcronctl(["touch"]);
    assert_eq!(done.code(), Some(2));
    assert!(
        done.stderr().contains("no such file; `rcronctl set` writes one"),
        "{done:?}"
    );
    assert!(!scene.path("state").exists());
}

#[test]
fn a_state_that_cannot_count_is_warned_of() {
    let scene = Scene::new(None);
    scene.configure("require_lease = yes\n");
    let done = scene.rcronctl(["set", "active"]);
    assert_eq!(done.code(), Some(0));
    assert!(
        done.stderr().contains("an active without a lease counts as passive"),
        "{done:?}"
    );
}

#[test]
fn completions_are_printed_for_each_shell() {
    let scene = Scene::new(None);
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef rcronctl"),
        ("fish", "complete -c rcronctl"),
    ] {
        assert!(scene.told(0, ["completions", shell]).contains(part));
    }
}

#[test]
fn neither_a_device_nor_a_directory_is_replaced() {
    let scene = Scene::new(None);
    nix::unistd::mkfifo(&scene.path("state"), nix::sys::stat::Mode::S_IRUSR).expect("made");
    let done = scene.rcronctl(["set", "active"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("is not a regular file"),
        "{done:?}"
    );
    assert!(!scene.path("state").is_file());
}
