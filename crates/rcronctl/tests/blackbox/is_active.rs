//! `rcronctl is-active`.

use crate::fixture::Fixture;
use testing::run;

#[test]
fn exits_with_0_or_1() {
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
        let fixture = Fixture::new(state);
        fixture.configure(more);
        assert_eq!(fixture.output(status, ["is-active"]), told);
        assert_eq!(fixture.output(status, ["is-active", "-q"]), "");
        assert_eq!(fixture.json(status, ["is-active"])["active"], status == 0);
    }
}

#[test]
fn exits_with_255_if_this_cannot_be_determined() {
    let fixture = Fixture::new(Some("active"));
    fixture.configure("no key\n");
    assert_eq!(fixture.rcronctl(["is-active"]).code(), Some(255));
    let second = fixture.path("other");
    std::fs::copy(fixture.path("conf"), &second).expect("copied");
    let done = run(fixture.command().arg("--conf").arg(second).arg("is-active"));
    assert_eq!(done.code(), Some(255));
    assert!(done.stderr().contains("one with --conf FILE"), "{done:?}");
    let done = run(fixture.command().args(["is-active", "--quite"]));
    assert_eq!(done.code(), Some(255), "a usage error: {done:?}");
    assert_eq!(run(fixture.command().args(["is-active", "--help"])).code(), Some(0));
}
