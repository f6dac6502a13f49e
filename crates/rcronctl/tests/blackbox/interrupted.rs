//! `rcronctl interrupted`.

use crate::scene::{Scene, rows};
use std::io::ErrorKind;
use testing::process::{is_gone, send};
use testing::until;

/// A run that was cut off as by a power cut: SIGKILL for rcron and its job.
fn cut_off(scene: &Scene, job: &str) {
    let rcron = scene.start(&["--job", job, "sleep", "1000"]);
    let leader = rcron.job("sleep");
    send(rcron.pid(), 9);
    send(leader, 9);
    until("both gone", || (is_gone(rcron.pid()) && is_gone(leader)).then_some(()));
}

fn lines(scene: &Scene) -> Vec<String> {
    scene.log.set_nonblocking(true).expect("set");
    let mut buffer = [0; 8192];
    let mut lines = Vec::new();
    loop {
        match scene.log.recv(&mut buffer) {
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
fn a_run_that_was_cut_off_is_reported_and_a_live_one_is_not() {
    let scene = Scene::new(Some("active"));
    scene.run(&["--job", "over", "true"]);
    let _living = scene.start(&["--job", "living", "sleep", "1000"]);
    assert_eq!(scene.told(0, ["interrupted"]), "no interrupted runs\n");
    cut_off(&scene, "night");
    let table = rows(&scene.told(1, ["interrupted"]));
    assert!(
        table.len() == 2 && table[1].ends_with(" ? interrupted night"),
        "{table:?}"
    );
    assert_eq!(scene.json(1, ["interrupted"])["runs"][0]["status"], "interrupted");
    assert!(scene.told(0, ["history", "--failed"]).contains("interrupted"));
}

/// The journal of before a reboot: its pids may be in use by other processes now.
#[test]
fn what_ran_when_the_server_went_down_is_interrupted() {
    let scene = Scene::new(Some("active"));
    let _living = scene.start(&["--job", "night", "sleep", "1000"]);
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("there");
    let text = std::fs::read_to_string(scene.journal()).expect("a journal");
    std::fs::write(
        scene.journal(),
        text.replace(boot.trim(), "11111111-2222-3333-4444-555555555555"),
    )
    .expect("written");
    assert!(scene.told(1, ["interrupted"]).contains("night"));
}

#[test]
fn a_run_of_another_pid_namespace_is_unknown() {
    let scene = Scene::new(Some("active"));
    let rcron = scene.start(&["--job", "night", "sleep", "1000"]);
    drop(rcron);
    let text = std::fs::read_to_string(scene.journal()).expect("a journal");
    std::fs::write(scene.journal(), text.replace("\"pidns\":", "\"pidns\":1")).expect("written");
    assert_eq!(scene.told(0, ["interrupted"]), "no interrupted runs\n");
    assert!(scene.told(0, ["history"]).contains("unknown"));
}

#[test]
fn what_was_seen_is_hidden() {
    let scene = Scene::new(Some("active"));
    cut_off(&scene, "first");
    assert_eq!(scene.told(0, ["interrupted", "--ack"]), "1 run marked as seen\n");
    let none = "no interrupted runs (1 run marked as seen; --all shows them)\n";
    assert_eq!(scene.told(0, ["interrupted"]), none);
    cut_off(&scene, "second");
    let table = scene.told(1, ["interrupted"]);
    assert!(table.contains("second") && !table.contains("first"), "{table}");
    let table = scene.told(1, ["interrupted", "--all"]);
    assert!(table.contains("second") && table.contains("first"), "{table}");
    // Only the second one is seen to: the mark of the first one stays.
    scene.told(0, ["interrupted", "--ack", "--job", "second"]);
    assert!(scene.told(0, ["interrupted"]).contains("2 runs marked as seen"));
}

#[test]
fn syslog_is_told_once() {
    let scene = Scene::new(Some("active"));
    cut_off(&scene, "night");
    assert_eq!(scene.told(1, ["interrupted", "--log"]), "");
    let told = lines(&scene);
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
    assert_eq!(scene.told(1, ["interrupted", "--log"]), "");
    assert_eq!(lines(&scene), [""; 0]);
    // Told is not seen.
    assert!(scene.told(1, ["interrupted"]).contains("night"));
}

/// Else the unit that does this at boot would fail on a server that keeps no journal.
#[test]
fn without_a_journal_there_is_nothing_to_tell() {
    let scene = Scene::new(Some("active"));
    scene.configure("journal = none\n");
    assert_eq!(scene.told(0, ["interrupted", "--log"]), "");
    assert_eq!(scene.told(0, ["interrupted"]), "no interrupted runs\n");
}

#[test]
fn what_the_log_daemon_did_not_take_is_told_next_time() {
    let scene = Scene::new(Some("active"));
    cut_off(&scene, "night");
    let socket = scene.path("log");
    std::fs::rename(&socket, scene.path("aside")).expect("renamed");
    let done = scene.rcronctl(["interrupted", "--log"]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("told again next time"),
        "{done:?}"
    );
    std::fs::rename(scene.path("aside"), &socket).expect("renamed");
    lines(&scene);
    scene.told(1, ["interrupted", "--log"]);
    assert_eq!(lines(&scene).len(), 1);
}

#[test]
fn another_server_s_journal_has_no_marks_here() {
    let scene = Scene::new(Some("active"));
    let journal = scene.path("journal").display().to_string();
    let done = scene.rcronctl(["interrupted", "--ack", "--journal", &journal]);
    assert!(
        done.code() == Some(2) && done.stderr().contains("this server's own journals"),
        "{done:?}"
    );
}

/// The directory is everybody's, and so is the id of a run: it stands in syslog.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn no_other_user_can_end_hide_or_disguise_a_run() {
    let scene = Scene::new(Some("active"));
    cut_off(&scene, "night");
    let text = std::fs::read_to_string(scene.journal()).expect("a journal");
    let forged = text
        .replace("\"event\":\"start\"", "\"event\":\"end\"")
        .replace("}\n", ",\"duration\":1,\"exit\":0}\n");
    let theirs = scene.path("journal").join("65534-0.jsonl");
    std::fs::write(&theirs, forged).expect("written");
    std::os::unix::fs::chown(&theirs, Some(65534), Some(65534)).expect("chown");
    assert!(scene.told(1, ["interrupted"]).contains("night"));
    let users: Vec<String> = scene.json(0, ["history"])["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| format!("{} {}", run["user"], run["status"]))
        .collect();
    assert!(users.contains(&"\"root\" \"interrupted\"".to_owned()), "{users:?}");
    assert!(users.contains(&"\"nobody\" \"ok\"".to_owned()), "{users:?}");
}

/// More names than a process may have open files.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn a_directory_full_of_names_hides_nothing() {
    let scene = Scene::new(Some("active"));
    cut_off(&scene, "night");
    for user in 70_000..70_300 {
        let file = scene.path("journal").join(format!("{user}-0.jsonl"));
        std::fs::write(&file, "").expect("written");
        std::os::unix::fs::chown(&file, Some(user), Some(user)).expect("chown");
    }
    let mut command = std::process::Command::new("prlimit");
    command
        .args(["--nofile=64", "--"])
        .arg(testing::program::program("rcronctl"));
    let done = testing::run(command.arg("--conf").arg(scene.path("conf")).arg("interrupted"));
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert!(done.stdout().contains("night"), "{done:?}");
}

#[test]
fn a_directory_that_is_missing_is_not_made() {
    let scene = Scene::new(Some("active"));
    std::fs::remove_dir(scene.path("journal")).expect("removed");
    scene.rcronctl(["interrupted", "--ack"]);
    assert!(!scene.path("journal").exists());
}
