//! Claims without faults, and answers that are lost.

use super::fixture::*;
use crate::*;
use alloc::format;
use core::time::Duration;
use lease::Verdict;
use policy::moment::BootTime;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_active_server_gets_the_tick_and_the_passive_one_is_told_who_has_it() {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::passive(2, &mut store));
    two.claim(2, "backup", TICK);
    two.settle(&mut store);
    assert!(two.last(2).contains("reason=passive"), "{}", two.last(2));
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    assert_eq!(
        one.last(1),
        format!("grant tick={TICK} attempt=1 start_by=1010000 lease=7")
    );
    two.input(Input::Hint);
    two.pass(SECOND);
    two.settle(&mut store);
    assert!(two.last(2).contains("reason=elsewhere by=server1"), "{}", two.last(2));
    // The grant could be given back for as long as a lease.
    two.pass(11 * SECOND);
    two.settle(&mut store);
    assert_eq!(
        two.last(2),
        format!("over reason=elsewhere why=- by=server1 tick={TICK}")
    );
    one.end(1, 3);
    one.settle(&mut store);
    assert_eq!(one.last(1), "noted");
    assert_eq!(store.ended("backup", 0).outcome, Outcome::Exited(3));
    assert_eq!(store.changes, 2, "one to claim, one to end");
}

#[test]
fn a_tick_that_is_over_is_not_granted_again() {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::active(2, &mut store));
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    one.end(1, 0);
    one.settle(&mut store);
    two.claim(2, "backup", TICK);
    two.claim(3, "backup", TICK - 60);
    two.settle(&mut store);
    assert_eq!(
        two.last(2),
        format!("over reason=done why=- by=server1 tick={TICK} ended=ok")
    );
    assert_eq!(
        two.last(3),
        format!("over reason=superseded why=- by=server1 tick={}", TICK - 60)
    );
}

#[test]
fn two_servers_that_claim_at_once_do_not_both_get_the_tick() {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::active(2, &mut store));
    one.claim(1, "backup", TICK);
    two.claim(2, "backup", TICK);
    let (first, second) = (one.until_change(&mut store), two.until_change(&mut store));
    let verdict = store.change(&second.1);
    two.input(Input::Changed(second.0, verdict));
    assert!(two.last(2).starts_with("grant"));
    let verdict = store.change(&first.1);
    assert_eq!(verdict, Verdict::Refused);
    one.input(Input::Changed(first.0, verdict));
    one.settle(&mut store);
    assert!(one.last(1).contains("reason=elsewhere by=server2"), "{}", one.last(1));
}

#[test]
fn a_renewal_between_read_and_claim_costs_another_round_and_nothing_else() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    let (call, change) = one.until_change(&mut store);
    one.renew(&mut store);
    let verdict = store.change(&change);
    assert_eq!(verdict, Verdict::Refused);
    one.input(Input::Changed(call, verdict));
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"), "{}", one.last(1));
}

#[test]
fn no_answer_is_no_grant_and_a_later_read_shows_the_claim() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim_without_answer(1, "backup", TICK, &mut store);
    assert!(one.last(1).contains("reason=store"), "{}", one.last(1));
    one.pass(SECOND);
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"), "{}", one.last(1));
    assert_eq!(store.changes, 2, "the entry is written once more");
}

#[test]
fn a_claim_whose_rcron_is_gone_is_given_back_and_another_server_takes_it() {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::active(2, &mut store));
    one.claim(1, "backup", TICK);
    let (call, change) = one.until_change(&mut store);
    one.input(Input::HungUp(Client(1)));
    let verdict = store.change(&change);
    one.input(Input::Changed(call, verdict));
    one.settle(&mut store);
    assert_eq!(store.job("backup").entries[0].state, EntryState::NeverStarted);
    two.claim(2, "backup", TICK);
    two.settle(&mut store);
    assert!(
        two.last(2).starts_with(&format!("grant tick={TICK} attempt=1")),
        "{}",
        two.last(2)
    );
}

#[test]
fn a_claim_that_is_done_after_its_rcron_was_gone_is_given_back_too() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    let (call, change) = one.until_change(&mut store);
    one.input(Input::Changed(call, Verdict::NoAnswer));
    one.input(Input::HungUp(Client(1)));
    one.pass(SECOND);
    one.settle(&mut store);
    assert_eq!(store.change(&change), Verdict::Done, "late");
    one.pass(4 * SECOND);
    one.settle(&mut store);
    assert_eq!(store.job("backup").entries[0].state, EntryState::NeverStarted);
}

#[test]
fn a_grant_that_is_not_used_is_given_back_and_the_rcron_waits_again() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    one.input(Input::NotStarted(Client(1)));
    one.settle(&mut store);
    assert_eq!(store.job("backup").entries[0].state, EntryState::NeverStarted);
    one.pass(2 * SECOND);
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"), "{}", one.last(1));
}

#[test]
fn a_server_that_becomes_active_takes_the_tick_at_once() {
    let mut store = store();
    let mut two = Node::passive(2, &mut store);
    two.claim(2, "backup", TICK);
    two.settle(&mut store);
    two.permit(Permission::Active {
        until: BootTime(Duration::from_secs(1010)),
        epoch: 8,
    });
    two.settle(&mut store);
    assert!(two.last(2).ends_with("lease=8"), "{}", two.last(2));
}

#[test]
fn nobody_is_active_until_the_deadline() {
    let mut store = store();
    let mut two = Node::passive(2, &mut store);
    two.claim(2, "backup", TICK);
    two.settle(&mut store);
    two.pass(61 * SECOND);
    two.settle(&mut store);
    assert_eq!(
        two.last(2),
        format!("over reason=no-grant why=passive by=- tick={TICK}")
    );
}

#[test]
fn the_lease_is_the_one_from_before_the_read() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    // It is renewed while the read is under way.
    one.permit(Permission::Active {
        until: BootTime(Duration::from_secs(1020)),
        epoch: 7,
    });
    one.settle(&mut store);
    assert!(one.last(1).contains("start_by=1010000"), "{}", one.last(1));
}

#[test]
fn a_thousand_claims_take_a_few_rounds_and_each_job_is_listed() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    for number in 0..1000 {
        one.claim(number, &format!("job{number}"), TICK);
    }
    one.settle(&mut store);
    let grants = one
        .answers
        .iter()
        .filter(|(_, answer)| answer.line().starts_with("grant"));
    assert_eq!(grants.count(), 1000);
    assert!(store.changes <= 15, "{} changes", store.changes);
    let Some((_, Record::Jobs(list))) = store.records.get(&Key::Jobs(cluster())) else {
        panic!("no list of jobs");
    };
    assert_eq!(list.jobs.len(), 1000);
}

#[test]
fn an_earlier_tick_that_still_runs_is_not_overlapped() {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::active(2, &mut store));
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    two.claim_with(2, "backup", TICK + 60, |claim| claim.skips_overlap = true);
    two.settle(&mut store);
    assert!(two.last(2).contains("reason=elsewhere"), "{}", two.last(2));
    // The other server may be gone: only a renewal shows that it is not.
    one.renew(&mut store);
    two.pass(4 * SECOND);
    two.settle(&mut store);
    assert_eq!(
        two.last(2),
        format!("over reason=overlap why=- by=- tick={}", TICK + 60)
    );
    assert_eq!(store.ended("backup", 0).outcome, Outcome::Skipped);
    two.claim(3, "backup", TICK + 120);
    two.settle(&mut store);
    assert!(two.last(3).starts_with("grant"), "{}", two.last(3));
}

#[test]
fn an_earlier_tick_whose_server_is_gone_holds_up_the_next_one_only_until_that_is_known() {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::active(2, &mut store));
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    two.claim_with(2, "backup", TICK + 60, |claim| claim.skips_overlap = true);
    two.settle(&mut store);
    for _ in 0..20 {
        two.renew(&mut store);
        two.pass(SECOND);
        two.permit(Permission::Active {
            until: BootTime(two.boot + 10 * SECOND),
            epoch: 7,
        });
        two.settle(&mut store);
    }
    assert!(two.last(2).starts_with("grant"), "{}", two.last(2));
    assert_eq!(store.ended("backup", 0).outcome, Outcome::Interrupted);
}

#[test]
fn a_server_of_lower_rank_leaves_the_tick_to_the_first() {
    let mut store = store();
    let mut two = Node::active(2, &mut store);
    let turn = BootTime(two.boot + SECOND);
    two.claim_with(2, "backup", TICK, |claim| claim.not_before = turn);
    two.settle(&mut store);
    assert!(two.last(2).contains("reason=passive"), "{}", two.last(2));
    two.pass(SECOND);
    two.settle(&mut store);
    assert!(two.last(2).starts_with("grant"), "{}", two.last(2));
}

#[test]
fn a_tick_that_is_named_by_the_start_is_not_claimed_soon_after_another() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    let spaced = |claim: &mut Claim| claim.spacing = 90 * SECOND;
    one.claim_with(1, "backup", TICK, spaced);
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant "), "{}", one.last(1));
    one.claim_with(2, "backup", TICK + 60, spaced);
    one.settle(&mut store);
    assert_eq!(
        one.last(2),
        format!("over reason=done why=- by=server1 tick={}", TICK + 60)
    );
    one.end(1, 0);
    one.claim_with(3, "backup", TICK + 89, spaced);
    one.settle(&mut store);
    assert!(
        one.last(3).starts_with("over reason=done why=- by=server1 "),
        "{}",
        one.last(3)
    );
    one.claim_with(4, "backup", TICK + 90, spaced);
    one.settle(&mut store);
    assert!(one.last(4).starts_with("grant "), "{}", one.last(4));
}
