//! `rcronctl status` and `is-active`.

use crate::scene::{Scene, rows};
use testing::{run, until};

fn lease(seconds: u64) -> String {
    let uptime = std::fs::read_to_string("/proc/uptime").expect("there");
    let now: f64 = uptime
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a number");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("there");
    let until = if seconds == 0 {
        1.0
    } else {
        now + f64::from(u32::try_from(seconds).expect("small"))
    };
    format!("until={until:.3} boot={} ", boot.trim())
}

#[test]
fn a_cluster_at_a_glance() {
    let scene = Scene::new(Some("active by=alice@server1 since=2026-11-23T09:15:02Z\n"));
    let table = rows(&scene.told(0, ["status"]));
    assert_eq!(
        table[0],
        "CLUSTER STATE WHY SINCE WRITTEN BY FRESHNESS IF UNREADABLE RUNNING"
    );
    assert!(
        table[1].starts_with("web active the state file says so 2026-11-23 09:15:02 ("),
        "{table:?}"
    );
    assert!(
        table[1].ends_with(" ago) alice@server1 holds until it is changed passive (default_state) -"),
        "{table:?}"
    );
}

#[test]
fn what_is_odd_about_a_state_is_said() {
    for (state, more, told) in [
        (
            None,
            "",
            "passive the state cannot be read and default_state is passive: no such file passive (default_state)",
        ),
        (
            Some("junk"),
            "",
            "is passive: its first word is neither `active` nor `passive`",
        ),
        (
            Some("active"),
            "require_lease = yes",
            "require_lease is set and the state has no lease",
        ),
        (Some("active"), "require_lease = yes", "passive (require_lease)"),
        (
            Some("active"),
            "state_max_age = 2m",
            "s ago, of at most 2 min passive (state_max_age)",
        ),
        (
            Some(&*format!("active {}", lease(0))),
            "",
            "the state is stale: the lease has ended",
        ),
        (Some(&*format!("active {}", lease(55))), "", "lease holds for 5"),
        (
            Some(&*format!("active draining {}", lease(55))),
            "",
            "the server is draining",
        ),
    ] {
        let scene = Scene::new(state);
        scene.configure(&format!("{more}\n"));
        let table = rows(&scene.told(0, ["status"]));
        assert!(table[1].contains(told), "{told}: {table:?}");
    }
}

#[test]
fn jobs_that_run_now_are_listed() {
    let scene = Scene::new(Some("active"));
    scene.run(["--job", "over", "true"].as_ref());
    let _running = scene.start(&["--job", "night", "sleep", "1000"]);
    let table = rows(&scene.told(0, ["status"]));
    assert!(table[1].ends_with(" passive (default_state) 1"), "{table:?}");
    assert_eq!(table[3], "STARTED AGE LASTED RESULT JOB");
    assert!(table[4].ends_with(" s … running night"), "{table:?}");
    let json = scene.json(0, ["status"]);
    assert_eq!(json["running"][0]["job"], "night");
    assert_eq!(
        (&json["clusters"][0]["state"], &json["clusters"][0]["says"]),
        (&"active".into(), &"active".into())
    );
}

/// Its rcron was killed with -9; the job goes on, and nobody will record its end.
#[test]
fn a_job_without_its_rcron_still_runs() {
    let scene = Scene::new(Some("active"));
    let rcron = scene.start(&["--job", "night", "sleep", "1000"]);
    let job = rcron.job("sleep");
    testing::process::send(rcron.pid(), 9);
    until("rcron is gone", || testing::process::is_gone(rcron.pid()).then_some(()));
    assert!(scene.told(0, ["status"]).contains("running, unwatched"));
    assert_eq!(scene.told(0, ["interrupted"]), "no interrupted runs\n");
    testing::process::send(job, 9);
    until("an interrupted run", || {
        (scene.rcronctl(["interrupted"]).code() == Some(1)).then_some(())
    });
}

#[test]
fn a_configuration_that_the_wrapper_refuses_is_told_in_its_words() {
    let scene = Scene::new(Some("active"));
    scene.configure("nice_lvel = 3\n");
    let done = scene.rcronctl(["status"]);
    assert_eq!(done.code(), Some(2));
    assert!(done.stderr().contains("conf:7:1: unknown key `nice_lvel`"), "{done:?}");
    assert!(done.stderr().contains("did you mean `nice_level`?"), "{done:?}");
    let json = scene.json(2, ["status"]);
    assert!(
        json["clusters"][0]["error"]
            .as_str()
            .is_some_and(|error| error.contains("nice_lvel"))
    );
}

#[test]
fn is_active_answers_by_its_exit_status() {
    for (state, more, status, told) in [
        (Some("active"), "", 0, "web: active (this server is active)\n"),
        (Some("passive"), "", 1, "web: passive (this server is passive)\n"),
        (
            None,
            "default_state = active\n",
            0,
            "web: active (the state cannot be read and default_state is active)\n",
        ),
        (
            Some("active"),
            "require_lease = yes\n",
            1,
            "web: passive (require_lease is set and the state has no lease)\n",
        ),
    ] {
        let scene = Scene::new(state);
        scene.configure(more);
        assert_eq!(scene.told(status, ["is-active"]), told);
        assert_eq!(scene.told(status, ["is-active", "-q"]), "");
        assert_eq!(scene.json(status, ["is-active"])["active"], status == 0);
    }
}

#[test]
fn where_it_cannot_be_found_out_is_active_is_2() {
    let scene = Scene::new(Some("active"));
    scene.configure("no key\n");
    assert_eq!(scene.rcronctl(["is-active"]).code(), Some(2));
    let second = scene.path("other");
    std::fs::copy(scene.path("conf"), &second).expect("copied");
    let done = run(scene.command().arg("--conf").arg(second).arg("is-active"));
    assert_eq!(done.code(), Some(2));
    assert!(done.stderr().contains("one with --conf FILE"), "{done:?}");
}
