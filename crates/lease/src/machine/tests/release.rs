//! How a holder releases a cluster.

use super::*;

#[test]
fn follows_the_passive_state_file() {
    let mut fixture = Fixture::new(start(None, None)).wins();
    let before = fixture.actions.len();
    fixture.give(Input::Stop);
    fixture.pass_ms(1000);
    let after = &fixture.actions[before..];
    let is_passive =
        |action: &Action| matches!(action, Action::WriteState { content, .. } if *content == StateFileContent::Passive);
    let frees = |record: &Record| matches!(record, Record::Cluster(record) if record.holder().is_none());
    let releases = |action: &Action| match action {
        Action::Change { change, .. } => change.writes.iter().any(|(_, record)| frees(record)),
        _ => false,
    };
    let (passive, free) = (after.iter().position(is_passive), after.iter().position(releases));
    assert!(passive.is_some() && free.is_some() && passive < free, "{after:?}");
    assert_eq!(after.last(), Some(&Action::Stopped));
    assert!(fixture.machine.is_finished());
}

#[test]
fn comes_before_a_cluster_that_was_perhaps_won_is_forgotten() {
    let mut fixture = Fixture::new(start(None, None));
    fixture.give(Input::Tick);
    fixture.pass_ms(9000);
    fixture.lost_answers = 1000;
    fixture.pass_ms(3000);
    assert!(fixture.cluster().is_some(), "won, but the node does not know it");
    fixture.answers_reads = false;
    fixture.give(Input::Configure(Vec::new()));
    fixture.pass_ms(5000);
    (fixture.answers_reads, fixture.lost_answers) = (true, 0);
    fixture.pass_ms(5000);
    let ownership = fixture.cluster().map(|record| record.ownership.clone());
    assert!(matches!(ownership, Some(Ownership::Free { .. })), "{ownership:?}");
    assert_eq!(fixture.machine.views().count(), 0);
}
