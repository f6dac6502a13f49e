//! `rcronctl touch`. The cases in which it is refused are tested with `set`.

use crate::fixture::Fixture;
use std::fs;
use std::time::{Duration, SystemTime};

#[test]
fn sets_the_time_and_nothing_else() {
    let fixture = Fixture::new(Some("passive since monday\n"));
    fixture.configure("state_max_age = 1m\n");
    let old = SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(fixture.path("state"))
        .expect("there")
        .set_modified(old)
        .expect("set");
    assert!(fixture.output(1, ["is-active"]).contains("stale"));
    assert_eq!(fixture.output(0, ["touch"]), "");
    assert!(fixture.output(1, ["is-active"]).contains("this server is passive"));
    assert_eq!(fixture.read("state"), "passive since monday\n");
}

#[test]
fn does_not_create_the_file() {
    let fixture = Fixture::new(None);
    let done = fixture.rcronctl(["touch"]);
    assert_eq!(done.code(), Some(2));
    assert!(
        done.stderr().contains("no such file; create it with `rcronctl set`"),
        "{done:?}"
    );
    assert!(!fixture.path("state").exists());
}
