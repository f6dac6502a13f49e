//! When a candidate takes a cluster over.

use super::*;

#[test]
fn does_not_treat_a_missing_record_as_free() {
    let mut fixture = Fixture::new(start(None, None));
    fixture.give(Input::Tick);
    assert_eq!(fixture.content(), Some(StateFileContent::Passive));
    // The wait is a lease and its margin, from the first read that found the own session and no record.
    fixture.pass_ms(11_300);
    assert!(fixture.cluster().is_none());
    fixture.pass_ms(200);
    assert_eq!(fixture.epoch(), Some(1));
    // `settle` has not passed.
    assert!(!fixture.is_active());
    fixture.pass_ms(1000);
    assert!(fixture.is_active());
}

#[test]
fn waits_for_a_holder_that_does_not_renew_and_ends_its_session() {
    let mut fixture = Fixture::new(start(None, None)).with_holder(7, 41);
    fixture.give(Input::Tick);
    fixture.pass_ms(10_200);
    assert_eq!(fixture.epoch(), Some(41));
    fixture.pass_ms(1500);
    assert_eq!(fixture.epoch(), Some(42));
    let old = fixture
        .get(&Key::Session(node("n2")))
        .and_then(|found| found.record.clone());
    let Some(Record::Session(SessionRecord { state, .. })) = old else {
        panic!("{old:?}")
    };
    assert!(matches!(state, SessionState::Ended { .. }));
}

#[test]
fn leaves_the_cluster_to_a_holder_that_renews() {
    let mut fixture = Fixture::new(start(None, None)).with_holder(7, 41);
    fixture.give(Input::Tick);
    for heartbeat in 2..20 {
        fixture.pass_ms(3300);
        fixture.put_session("n2", 7, heartbeat);
    }
    assert_eq!(fixture.epoch(), Some(41));
    assert_eq!(fixture.content(), Some(StateFileContent::Passive));
}

#[test]
fn needs_a_state_file_that_can_be_written() {
    let mut fixture = Fixture::new(start(None, None));
    fixture.can_write = false;
    fixture.give(Input::Tick);
    fixture.pass_ms(60_000);
    assert!(fixture.cluster().is_none());
    assert!(fixture.notices().contains(&&Notice::Unwritable(name())));
    fixture.can_write = true;
    fixture.pass_ms(5000);
    assert!(fixture.is_active());
}

#[test]
fn that_the_store_refuses_without_a_reason_is_reported_as_that() {
    let mut fixture = Fixture::new(start(None, None)).with_holder(7, 41);
    fixture.spoil(Key::Session(node("n2")));
    fixture.refuses_takeovers = true;
    fixture.give(Input::Tick);
    fixture.pass_ms(30_000);
    let refused = fixture.count(&Notice::TakeoverRefused(name()));
    assert!(refused > 1, "{refused}");
    assert_eq!(fixture.count(&Notice::SessionUnreadable(node("n2"))), 1);
    assert_eq!(fixture.count(&Notice::Outrun(name())), 0);
    fixture.refuses_takeovers = false;
    fixture.pass_ms(4000);
    assert!(fixture.is_active());
}

#[test]
fn that_another_node_was_quicker_with_is_reported_as_that() {
    let mut fixture = Fixture::new(start(None, None)).with_holder(7, 41);
    fixture.refuses_takeovers = true;
    fixture.give(Input::Tick);
    let is_takeover = |action: &Action| matches!(action, Action::Change { change, .. } if change.writes.len() > 1);
    while !fixture.actions.iter().any(is_takeover) {
        fixture.pass_ms(1);
        assert!(fixture.now < BEGIN.after(LEASE * 2));
    }
    // Before the next read.
    let mut record = fixture.cluster().expect("a record").clone();
    record.epoch += 1;
    fixture.put(Key::Cluster(name()), Record::Cluster(record));
    fixture.pass_ms(1000);
    assert_eq!(fixture.count(&Notice::Outrun(name())), 1);
    assert_eq!(fixture.count(&Notice::TakeoverRefused(name())), 0);
}
