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
