//! Floors, missed ticks, records that cannot be read, administrators' requests.

use super::fixture::*;
use crate::*;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;
use policy::tick::TickTime;

const SECOND: Duration = Duration::from_secs(1);

fn due(tick: u64) -> Input {
    Input::Due(Box::new(Due {
        job: job("backup"),
        tick: TickTime(tick),
        expired: TickTime(tick + 30),
        reason: MissReason::NotAsked,
        schedule: Arc::new(Minutely),
    }))
}

fn floor(store: &Store) -> TickTime {
    match store.records.get(&Key::Floor(cluster())) {
        Some((_, Record::Floor(record))) => record.floor,
        other => panic!("no floor: {other:?}"),
    }
}

#[test]
fn a_new_store_gets_a_floor_and_what_may_have_been_started_before_is_not_started() {
    let mut store = Store::default();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    assert_eq!(floor(&store), TickTime(TICK + 21));
    assert_eq!(one.last(1), format!("over reason=superseded why=- by=- tick={TICK}"));
    one.claim(2, "backup", TICK + 60);
    one.settle(&mut store);
    assert!(one.last(2).starts_with("grant"), "{}", one.last(2));
}

#[test]
fn the_floor_of_an_expected_cluster_is_set_before_its_first_claim() {
    let mut store = Store::default();
    let mut one = Node::active(1, &mut store);
    one.input(Input::Expect(cluster()));
    one.settle(&mut store);
    assert_eq!(floor(&store), TickTime(TICK + 21));
    let changes = store.changes;
    one.input(Input::Expect(cluster()));
    one.settle(&mut store);
    assert_eq!((store.changes, one.calls.len()), (changes, 0), "nothing more is asked");
    one.pass(30 * SECOND);
    one.claim(1, "backup", TICK + 30);
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"), "{}", one.last(1));
}

#[test]
fn in_another_incarnation_the_floor_is_raised() {
    let mut store = store();
    store.incarnation = 1;
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    assert_eq!(floor(&store), TickTime(TICK + 21));
    assert!(one.last(1).starts_with("over reason=superseded"), "{}", one.last(1));
    assert!(matches!(one.notices[0], Notice::FloorSet { was_lost: true, .. }));
}

#[test]
fn a_tick_that_nobody_has_started_is_recorded_as_missed_once_its_time_and_the_skew_are_over() {
    let mut store = store();
    let (mut one, mut two) = (Node::active(1, &mut store), Node::passive(2, &mut store));
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    one.end(1, 0);
    one.settle(&mut store);
    two.pass(180 * SECOND + 39 * SECOND);
    two.input(due(TICK + 180));
    two.settle(&mut store);
    assert_eq!(store.job("backup").closed, TickTime(TICK));
    two.pass(SECOND);
    two.settle(&mut store);
    assert_eq!(store.job("backup").closed, TickTime(TICK + 180));
    let missed = store.ended("backup", 1);
    let gap = Gap {
        first: TickTime(TICK + 60),
        last: TickTime(TICK + 180),
        count: 3,
    };
    assert_eq!(
        (missed.gap, missed.outcome),
        (gap, Outcome::Missed(MissReason::NotAsked))
    );
    let changes = store.changes;
    two.input(due(TICK + 180));
    two.settle(&mut store);
    assert_eq!(store.changes, changes, "it is closed");
}

#[test]
fn a_tick_that_was_given_back_and_not_taken_is_missed() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    one.input(Input::NotStarted(Client(1)));
    one.input(Input::HungUp(Client(1)));
    one.settle(&mut store);
    one.pass(41 * SECOND);
    one.input(due(TICK));
    one.settle(&mut store);
    assert_eq!(store.ended("backup", 0).outcome, Outcome::Missed(MissReason::NotAsked));
    assert!(store.job("backup").entries.is_empty());
}

#[test]
fn a_gap_before_a_claim_is_recorded_as_missed() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    one.end(1, 0);
    one.claim(2, "backup", TICK + 180);
    one.settle(&mut store);
    let missed = [store.ended("backup", 0), store.ended("backup", 1)];
    let missed = missed.iter().find(|ended| ended.attempt == 0).expect("a gap");
    assert_eq!((missed.gap.first, missed.gap.count), (TickTime(TICK + 60), 2));
}

#[test]
fn a_record_of_another_version_is_left_alone_and_its_job_is_not_started() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    store.put(Key::Job(job("backup")), Record::Notify(1));
    one.claim(1, "backup", TICK);
    one.claim(2, "other", TICK);
    one.settle(&mut store);
    assert!(one.last(1).contains("reason=store"), "{}", one.last(1));
    assert!(one.last(2).starts_with("grant"), "{}", one.last(2));
}

#[test]
fn what_a_wrong_clock_has_closed_is_reopened_on_request() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    let year = 365 * 86_400;
    one.claim(1, "backup", TICK + year);
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"));
    one.claim(2, "backup", TICK);
    one.settle(&mut store);
    assert!(one.last(2).contains("superseded"), "{}", one.last(2));
    one.pass(SECOND);
    one.input(reopen(3));
    one.settle(&mut store);
    assert_eq!(store.job("backup").closed, TickTime(TICK + 1));
    one.claim(4, "backup", TICK + 60);
    one.settle(&mut store);
    assert!(one.last(4).starts_with("grant"), "{}", one.last(4));
    one.end(4, 0);
    one.settle(&mut store);
    one.pass(60 * SECOND);
    one.input(reopen(5));
    one.settle(&mut store);
    assert!(
        one.reopened[1]
            .as_ref()
            .is_ok_and(|text| text.contains("nothing was changed"))
    );
}

fn reopen(client: u64) -> Input {
    Input::Reopen(Reopen {
        client: Client(client),
        job: job("backup"),
    })
}

#[test]
fn what_right_clocks_can_have_closed_is_not_reopened() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    // The other clock is 10 s ahead, and `--tick` names a tick 10 s later.
    one.claim(1, "backup", TICK + 20);
    one.settle(&mut store);
    one.input(reopen(2));
    one.settle(&mut store);
    assert!(
        one.reopened[0]
            .as_ref()
            .is_ok_and(|text| text.contains("nothing was changed"))
    );
    assert_eq!(store.job("backup").closed, TickTime(TICK + 20));
}

/// An rcron that was started while the clock was wrong still waits.
#[test]
fn a_claim_that_waits_while_its_job_is_reopened_is_closed_as_each_other() {
    let mut store = store();
    let mut one = Node::passive(1, &mut store);
    store.put(
        Key::Floor(cluster()),
        Record::Floor(FloorRecord {
            incarnation: Some(lease::Incarnation([0].into())),
            floor: TickTime(TICK + 3000),
        }),
    );
    store.put(
        Key::Job(job("backup")),
        Record::Job(JobRecord {
            closed: TickTime(TICK - 60),
            written: 0,
            last: None,
            entries: Vec::new(),
        }),
    );
    one.claim(1, "backup", TICK + 3600);
    one.claim(2, "backup", TICK + 60);
    one.permit(Permission::Active {
        until: BootTime(Duration::from_secs(1010)),
        epoch: 7,
    });
    one.input(reopen(3));
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"), "{}", one.last(1));
    assert!(one.last(2).starts_with("grant"), "{}", one.last(2));
    assert_eq!(store.job("backup").closed, TickTime(TICK + 3600));
}

#[test]
fn a_reopened_tick_that_still_runs_is_not_started_beside_itself() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    let mut two = Node::passive(2, &mut store);
    one.claim(1, "backup", TICK + 3600);
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"), "{}", one.last(1));
    one.input(reopen(2));
    one.settle(&mut store);
    assert_eq!(store.job("backup").closed, TickTime(TICK));
    two.permit(Permission::Active {
        until: BootTime(Duration::from_secs(1010)),
        epoch: 8,
    });
    two.claim(3, "backup", TICK + 3600);
    two.settle(&mut store);
    assert!(two.last(3).contains("reason=overlap"), "{}", two.last(3));
    assert_eq!(store.ended("backup", 1).outcome, Outcome::Skipped);
    assert_eq!(store.job("backup").entries.len(), 1);
}

#[test]
fn without_a_session_nothing_is_claimed_and_a_session_that_comes_is_used_at_once() {
    let mut store = store();
    let mut one = Node::active(1, &mut store);
    let session = one.facts.session.take();
    one.claim(1, "backup", TICK);
    one.settle(&mut store);
    assert!(one.last(1).contains("reason=no-session"), "{}", one.last(1));
    one.facts.session = session;
    one.settle(&mut store);
    assert!(one.last(1).starts_with("grant"), "{}", one.last(1));
}
