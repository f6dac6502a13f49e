//! What a restarted daemon does with what it finds.

use super::*;

/// A process that was active has ended. The next one finds its session in the store, and the state file that `file` makes of the
/// last one.
fn restarted(file: impl FnOnce(BootTime, u64) -> Option<(BootTime, u64)>) -> Fixture {
    let mut first = Fixture::new(start(None, None)).wins();
    let id = first.actions.iter().rev().find_map(|action| match action {
        Action::KeepIdentity(id) => Some(*id),
        _ => None,
    });
    let Some(StateFileContent::Active { until, epoch, .. }) = first.content() else {
        panic!("active")
    };
    let mut second = Fixture::new(start(id, file(until, epoch)));
    second.records = core::mem::take(&mut first.records);
    (second.version, second.now, second.wake) = (first.version, first.now, first.now);
    second
}

#[test]
fn resumes_the_session() {
    let mut second = restarted(|until, epoch| Some((until, epoch)));
    second.give(Input::Tick);
    assert_eq!(second.epoch(), Some(1));
    assert!(
        matches!(second.content(), Some(StateFileContent::Active { epoch: 1, .. })),
        "{:?}",
        second.actions
    );
}

#[test]
fn believes_a_state_file_for_one_lease_at_most() {
    let mut second = restarted(|until, epoch| Some((until.after(Duration::from_secs(300)), epoch)));
    second.verdicts = vec![Verdict::NoAnswer; 1000];
    second.give(Input::Tick);
    assert!(second.is_active());
    second.pass(LEASE);
    assert!(!second.is_active(), "{:?}", second.content());
}

#[test]
fn waits_before_it_releases_a_cluster_that_no_state_file_confirms() {
    let mut second = restarted(|_, _| None);
    second.give(Input::Tick);
    second.pass_ms(9000);
    assert_eq!(second.content(), Some(StateFileContent::Passive));
    assert_eq!(second.epoch(), Some(1));
    second.pass_ms(4000);
    assert!(second.is_active());
    assert_eq!(second.epoch(), Some(2));
    assert!(
        !second
            .notices()
            .iter()
            .any(|notice| matches!(notice, Notice::SessionLost(_))),
        "{:?}",
        second.notices()
    );
}

#[test]
fn is_passive_at_once_when_stopped_before_the_store_answers() {
    let mut second = restarted(|until, epoch| Some((until, epoch)));
    second.answers_reads = false;
    second.give(Input::Tick);
    assert_eq!(second.content(), None, "the node does not know yet");
    second.give(Input::Stop);
    assert_eq!(second.content(), Some(StateFileContent::Passive));
}
