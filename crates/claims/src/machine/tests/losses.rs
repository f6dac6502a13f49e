//! Servers, rcrons and daemons that are lost; reruns.

use super::fixture::*;
use crate::*;
use alloc::format;
use core::time::Duration;
use lease::{SessionState, Verdict};
use policy::claim::Ended;
use policy::exit::Outcome as ExitOutcome;
use policy::moment::BootTime;
use policy::tick::TickTime;

const SECOND: Duration = Duration::from_secs(1);

/// The first server runs the tick and is lost; the second one's rcron follows it.
fn lost_server(reruns: u32) -> (Store, Node, Node) {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::active(2, &mut store));
    one.claim_with(1, "backup", TICK, |claim| claim.rerun = reruns);
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"));
    two.claim_with(2, "backup", TICK, |claim| claim.rerun = 5);
    two.settle(&mut store);
    two.settle(&mut store);
    assert!(two.last(2).contains("reason=elsewhere"), "{}", two.last(2));
    (store, one, two)
}

#[test]
fn a_run_that_was_cut_off_with_its_server_is_started_again_after_lease_and_grace() {
    let (mut store, mut one, mut two) = lost_server(1);
    // 10 s of lease, its margin, 2 s of grace.
    two.pass(11 * SECOND);
    two.settle(&mut store);
    assert!(!two.last(2).starts_with("grant"), "{}", two.last(2));
    two.pass(2 * SECOND);
    two.settle(&mut store);
    assert!(
        two.last(2).starts_with(&format!("grant tick={TICK} attempt=2")),
        "{}",
        two.last(2)
    );
    let entry = store.job("backup").entries[0].clone();
    assert_eq!(
        (entry.reruns, entry.node),
        (0, node(2)),
        "the entry's reruns, not the asker's"
    );
    let Some((_, Record::Session(session))) = store.records.get(&Key::Session(node(1))) else {
        panic!("no session");
    };
    assert!(matches!(session.state, SessionState::Ended { .. }));
    assert_eq!(store.ended("backup", 0).outcome, Outcome::Interrupted);
    // The first server comes back: its end is too late.
    one.end(1, 0);
    one.settle(&mut store);
    assert_eq!(store.job("backup").entries.len(), 1);
}

#[test]
fn an_rcron_that_follows_a_run_hears_how_it_ended() {
    for (status, result) in [(0, "ok"), (3, "failed")] {
        let (mut store, mut one, mut two) = lost_server(1);
        one.end(1, status);
        one.settle(&mut store);
        two.input(Input::Hint);
        two.pass(SECOND);
        two.settle(&mut store);
        assert_eq!(
            two.last(2),
            format!("over reason=elsewhere why=- by=server1 tick={TICK} ended={result}")
        );
    }
}

#[test]
fn a_server_that_renews_is_not_given_up() {
    let (mut store, one, mut two) = lost_server(1);
    for _ in 0..10 {
        one.renew(&mut store);
        two.pass(8 * SECOND);
        two.settle(&mut store);
    }
    assert!(two.last(2).contains("reason=elsewhere"), "{}", two.last(2));
}

#[test]
fn a_renewal_at_the_last_moment_refuses_the_rerun() {
    let (mut store, one, mut two) = lost_server(1);
    two.pass(13 * SECOND);
    two.input(Input::Tick);
    let (call, change) = two.until_change(&mut store);
    one.renew(&mut store);
    let verdict = store.change(&change);
    assert_eq!(verdict, Verdict::Refused);
    two.input(Input::Changed(call, verdict));
    two.settle(&mut store);
    assert!(!two.last(2).starts_with("grant"), "{}", two.last(2));
}

#[test]
fn without_reruns_a_lost_run_is_recorded_and_not_started_again() {
    let (mut store, _, mut two) = lost_server(0);
    two.pass(13 * SECOND);
    two.settle(&mut store);
    assert_eq!(
        two.last(2),
        format!("over reason=done why=- by=server1 tick={TICK} ended=interrupted")
    );
    two.claim(3, "backup", TICK + 60);
    two.settle(&mut store);
    assert!(two.last(3).starts_with("grant"));
    assert_eq!(store.ended("backup", 0).outcome, Outcome::Interrupted);
}

#[test]
fn a_job_that_was_ended_because_of_a_demotion_is_started_elsewhere_at_once() {
    let (mut store, mut one, mut two) = lost_server(1);
    let ended = Ended {
        outcome: ExitOutcome::Killed(15),
        is_demoted: true,
        lasted: SECOND,
    };
    one.input(Input::Ended(Client(1), ended));
    one.settle(&mut store);
    assert_eq!(one.last(1), "noted");
    two.input(Input::Hint);
    two.pass(SECOND);
    two.settle(&mut store);
    assert!(
        two.last(2).starts_with(&format!("grant tick={TICK} attempt=2")),
        "{}",
        two.last(2)
    );
}

#[test]
fn a_rerun_does_not_overlap_an_earlier_tick_either() {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::active(2, &mut store));
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    one.claim_with(2, "backup", TICK + 60, |claim| claim.rerun = 1);
    one.settle(&mut store);
    two.claim_with(3, "backup", TICK + 60, |claim| claim.skips_overlap = true);
    two.settle(&mut store);
    let ended = Ended {
        outcome: ExitOutcome::Killed(15),
        is_demoted: true,
        lasted: SECOND,
    };
    one.input(Input::Ended(Client(2), ended));
    one.settle(&mut store);
    one.renew(&mut store);
    two.input(Input::Hint);
    two.pass(SECOND);
    two.settle(&mut store);
    assert!(
        !two.last(3).starts_with("grant"),
        "the first tick still runs: {}",
        two.last(3)
    );
    one.end(1, 0);
    one.settle(&mut store);
    two.input(Input::Hint);
    two.pass(SECOND);
    two.settle(&mut store);
    assert!(two.last(3).contains("attempt=2"), "{}", two.last(3));
}

#[test]
fn a_newer_tick_ends_the_wait_for_a_rerun() {
    let (mut store, mut one, mut two) = lost_server(1);
    one.claim(5, "backup", TICK + 60);
    one.settle(&mut store);
    two.pass(13 * SECOND);
    two.settle(&mut store);
    assert_eq!(
        two.last(2),
        format!("over reason=superseded why=- by=server1 tick={TICK}")
    );
}

#[test]
fn the_next_process_finds_the_claim_by_its_run_and_grants_it() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    let (_, change) = one.until_change(&mut store);
    assert_eq!(store.change(&change), Verdict::Done);
    // The daemon dies here. Its successor has the same session.
    let mut next = Node::active(1, &mut store);
    next.claim(1, "backup", TICK);
    next.settle(&mut store);
    assert!(next.last(1).starts_with("grant"), "{}", next.last(1));
    assert_eq!(store.changes, 2, "the entry is written once more");
}

#[test]
fn a_claim_that_an_earlier_process_may_have_given_back_is_not_granted_on_a_read() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim_without_answer(1, "backup", TICK, &mut store);
    // Without a permission, the claim is given back: by a change that is done late.
    one.permit(Permission::None(StopReason::Passive));
    one.pass(SECOND);
    one.input(Input::Tick);
    let (_, give_back) = one.until_change(&mut store);
    let mut next = Node::active(1, &mut store);
    next.claim(1, "backup", TICK);
    next.settle(&mut store);
    assert!(next.last(1).starts_with("grant"), "{}", next.last(1));
    assert_eq!(
        store.change(&give_back),
        Verdict::Refused,
        "nothing gives it back any more"
    );
}

/// The store has gone back to a moment before the claim was given back. Another server may have started the tick since.
#[test]
fn a_claim_that_a_read_finds_in_old_data_is_not_granted() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim_without_answer(1, "backup", TICK, &mut store);
    store.incarnation += 1;
    one.pass(SECOND);
    one.input(Input::Tick);
    one.settle(&mut store);
    assert!(one.last(1).starts_with("over reason=superseded"), "{}", one.last(1));
    assert_eq!(store.job("backup").entries[0].state, EntryState::NeverStarted);
}

#[test]
fn a_claim_of_an_earlier_session_is_given_back_before_it_is_granted_again() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    let (_, change) = one.until_change(&mut store);
    assert_eq!(store.change(&change), Verdict::Done);
    let mut next = Node::active(1, &mut store);
    let session = lease::SessionId([9; 16]);
    next.facts.session = Some(session);
    store.open_session(1, session);
    next.claim(1, "backup", TICK);
    next.settle(&mut store);
    assert!(next.last(1).starts_with("grant"), "{}", next.last(1));
    let record = store.job("backup");
    assert_eq!((record.entries.len(), record.entries[0].session), (1, session));
}

#[test]
fn a_run_that_reports_itself_to_the_next_process_goes_on() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    let mut next = Node::active(1, &mut store);
    next.input(Input::Held(Held {
        client: Client(4),
        run: run(1),
        job: job("backup"),
        tick: TickTime(TICK),
        attempt: 1,
    }));
    next.settle(&mut store);
    next.pass(30 * SECOND);
    next.settle(&mut store);
    assert_eq!(store.job("backup").entries.len(), 1);
    next.end(4, 0);
    next.settle(&mut store);
    assert_eq!(store.ended("backup", 0).outcome, Outcome::Exited(0));
}

#[test]
fn a_run_whose_rcron_does_not_come_back_is_lost_after_ten_seconds() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    one.input(Input::HungUp(Client(1)));
    one.pass(9 * SECOND);
    one.settle(&mut store);
    assert_eq!(store.job("backup").entries.len(), 1);
    one.pass(SECOND);
    one.settle(&mut store);
    assert_eq!(store.ended("backup", 0).outcome, Outcome::Lost);
}

#[test]
fn a_server_that_does_not_answer_is_lost_by_the_terms_of_its_own_entry() {
    let (mut store, _, mut two) = lost_server(1);
    let mut record = store.job("backup");
    record.entries[0].grace = 100 * SECOND;
    store.put(Key::Job(job("backup")), Record::Job(record));
    two.pass(100 * SECOND);
    two.settle(&mut store);
    assert!(!two.last(2).starts_with("grant"), "{}", two.last(2));
    two.pass(13 * SECOND);
    two.settle(&mut store);
    assert!(two.last(2).starts_with("grant"), "{}", two.last(2));
}

#[test]
fn an_rcron_that_follows_a_run_and_connects_again_after_its_deadline_goes_on() {
    let (mut store, one, _) = lost_server(1);
    one.renew(&mut store);
    // The second server's daemon was restarted, a minute after the deadline.
    let mut next = Node::active(2, &mut store);
    let past = BootTime(next.boot.checked_sub(60 * SECOND).expect("later"));
    next.claim_with(2, "backup", TICK, |claim| {
        claim.rerun = 1;
        claim.deadline = past;
    });
    next.settle(&mut store);
    next.settle(&mut store);
    assert!(next.last(2).contains("reason=elsewhere"), "{}", next.last(2));
    next.pass(13 * SECOND);
    next.settle(&mut store);
    assert!(next.last(2).contains("attempt=2"), "{}", next.last(2));
}

#[test]
fn a_lost_run_of_an_earlier_session_is_forgotten() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    one.input(Input::HungUp(Client(1)));
    let session = lease::SessionId([9; 16]);
    one.facts.session = Some(session);
    store.open_session(1, session);
    one.pass(11 * SECOND);
    one.settle(&mut store);
    one.pass(30 * SECOND);
    one.input(Input::Tick);
    assert!(one.calls.is_empty(), "nothing is left to be read");
    assert_eq!(store.job("backup").entries.len(), 1, "another node decides about it");
}
