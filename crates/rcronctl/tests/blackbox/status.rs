//! `rcronctl status` without rcrond.

use crate::fixture::{Fixture, rows};
use testing::until;

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
fn shows_each_cluster_in_a_line() {
    let fixture = Fixture::new(Some("active by=alice@server1 since=2026-11-23T09:15:02Z\n"));
    let table = rows(&fixture.output(0, ["status"]));
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
fn says_what_is_unusual_about_a_state() {
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
            "s ago, stale after 2 min passive (state_max_age)",
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
        (
            Some("passive by=keepalived@server1 reason=not-reported"),
            "",
            "this server is passive: keepalived has not reported a state of this instance",
        ),
    ] {
        let fixture = Fixture::new(state);
        fixture.configure(&format!("{more}\n"));
        let table = rows(&fixture.output(0, ["status"]));
        assert!(table[1].contains(told), "{told}: {table:?}");
    }
}

#[test]
fn does_not_say_that_junk_holds() {
    let fixture = Fixture::new(Some("junk"));
    let status = fixture.output(0, ["status"]);
    assert!(
        !status.contains("holds until") && !status.contains("FRESHNESS"),
        "{status}"
    );
}

#[test]
fn lists_jobs_that_are_running() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(["--job", "over", "true"].as_ref());
    let _running = fixture.start(&["--job", "night", "sleep", "1000"]);
    let table = rows(&fixture.output(0, ["status"]));
    assert!(table[1].ends_with(" passive (default_state) 1"), "{table:?}");
    assert_eq!(table[3], "STARTED AGE LASTED RESULT JOB");
    assert!(table[4].ends_with(" s … running night"), "{table:?}");
    let json = fixture.json(0, ["status"]);
    assert_eq!(json["running"][0]["job"], "night");
    assert_eq!(
        (&json["clusters"][0]["state"], &json["clusters"][0]["says"]),
        (&"active".into(), &"active".into())
    );
}

/// The job goes on after its rcron was killed with SIGKILL, and its end will not be recorded.
#[test]
fn lists_a_job_whose_rcron_was_killed() {
    let fixture = Fixture::new(Some("active"));
    let rcron = fixture.start(&["--job", "night", "sleep", "1000"]);
    let job = rcron.job("sleep");
    testing::process::send(rcron.pid(), 9);
    until("rcron is gone", || testing::process::is_gone(rcron.pid()).then_some(()));
    assert!(fixture.output(0, ["status"]).contains("running, unwatched"));
    assert_eq!(fixture.output(0, ["interrupted"]), "no interrupted runs\n");
    testing::process::send(job, 9);
    until("an interrupted run", || {
        (fixture.rcronctl(["interrupted"]).code() == Some(1)).then_some(())
    });
}

#[test]
fn prints_the_message_of_rcron_for_a_rejected_configuration() {
    let fixture = Fixture::new(Some("active"));
    fixture.configure("nice_lvel = 3\n");
    let done = fixture.rcronctl(["status"]);
    assert_eq!(done.code(), Some(2));
    assert!(done.stderr().contains("conf:7:1: unknown key `nice_lvel`"), "{done:?}");
    assert!(done.stderr().contains("did you mean `nice_level`?"), "{done:?}");
    let json = fixture.json(2, ["status"]);
    assert!(
        json["clusters"][0]["error"]
            .as_str()
            .is_some_and(|error| error.contains("nice_lvel"))
    );
}
