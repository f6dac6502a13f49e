//! What the answer to a renewal means.

use super::*;

#[test]
fn a_missing_answer_costs_nothing_until_the_lease_expires() {
    let mut fixture = Fixture::new(start(None, None)).wins();
    fixture.verdicts = vec![Verdict::NoAnswer; 1000];
    fixture.pass_ms(6000);
    assert!(fixture.is_active());
    fixture.pass_ms(6000);
    assert!(!fixture.is_active());
    assert!(fixture.notices().contains(&&Notice::LeaseOver(name())));
}

#[test]
fn a_refusal_makes_the_node_passive_at_once() {
    let mut fixture = Fixture::new(start(None, None)).wins();
    let before = fixture.actions.len();
    fixture.verdicts = vec![Verdict::Refused];
    fixture.pass_ms(3400);
    let contents = fixture.contents(before);
    // The next read shows that no other node has changed the session.
    assert_eq!(contents.first(), Some(&StateFileContent::Passive), "{contents:?}");
    assert!(
        matches!(contents.last(), Some(StateFileContent::Active { .. })),
        "{contents:?}"
    );
}
