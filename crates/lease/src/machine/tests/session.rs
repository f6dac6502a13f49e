//! This node's own session.

use super::*;

#[test]
fn leaves_the_name_to_another_machine_that_renews() {
    let mut fixture = Fixture::new(start(None, None));
    for heartbeat in 1..20 {
        fixture.put_session("n1", 9, heartbeat);
        fixture.give(Input::Tick);
        fixture.pass_ms(3000);
    }
    assert_eq!(fixture.notices(), [&Notice::NameTaken]);
    assert!(
        !fixture
            .actions
            .iter()
            .any(|action| matches!(action, Action::Change { .. }))
    );
}

#[test]
fn replaces_an_unreadable_record_that_does_not_change() {
    let mut fixture = Fixture::new(start(None, None));
    fixture.spoil(Key::Session(node("n1")));
    fixture.give(Input::Tick);
    // A lease, and its margin.
    fixture.pass_ms(10_200);
    let found = fixture.get(&Key::Session(node("n1"))).expect("a record");
    assert_eq!(found.record, None);
    fixture.pass_ms(200);
    let found = fixture.get(&Key::Session(node("n1"))).expect("a record");
    assert!(matches!(found.record, Some(Record::Session(_))), "{found:?}");
    assert_eq!(fixture.count(&Notice::SessionUnreadable(node("n1"))), 1);
    assert_eq!(fixture.count(&Notice::NameTaken), 0);
}

#[test]
fn leaves_an_unreadable_record_that_changes_to_the_version_that_can_read_it() {
    let mut fixture = Fixture::new(start(None, None));
    for _ in 1..20 {
        fixture.spoil(Key::Session(node("n1")));
        fixture.give(Input::Tick);
        fixture.pass_ms(3000);
    }
    let unreadable = Notice::SessionUnreadable(node("n1"));
    assert_eq!(fixture.notices(), [&unreadable, &Notice::NameTaken]);
    let changes = |action: &Action| matches!(action, Action::Change { .. });
    assert!(!fixture.actions.iter().any(changes));
}

#[test]
fn is_lost_to_an_unreadable_record_and_opened_again() {
    let mut fixture = Fixture::new(start(None, None)).wins();
    fixture.spoil(Key::Session(node("n1")));
    fixture.pass_ms(3500);
    assert!(!fixture.is_active());
    assert_eq!(fixture.count(&Notice::SessionUnreadable(node("n1"))), 1);
    fixture.pass_ms(13_000);
    assert!(fixture.is_active());
    assert_eq!(fixture.epoch(), Some(2));
}
