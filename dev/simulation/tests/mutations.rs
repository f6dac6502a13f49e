//! Each rule that is left out of the logic is missed: the simulation finds a history in which it mattered. With the rule, the same
//! histories keep every promise.

use lease::{Mutation, Timing};
use simulation::checker::Broken;
use simulation::faults::{Fault, FaultProfile};
use simulation::fixture::world_without_faults;
use simulation::history::run_history;
use simulation::store::Loss;
use simulation::world::World;
use simulation::{MILLISECOND, Micros, SECOND};
use std::time::Duration;

/// Runs random histories until one shows the fault.
fn detects_in_random_histories(mutation: Mutation, kind: fn(&Broken) -> bool) {
    const HISTORIES: u64 = 8000;
    let found = (0..HISTORIES).any(|seed| {
        let violation = run_history(seed, Some(mutation), false).violation;
        violation.is_some_and(|violation| kind(&violation.what))
    });
    assert!(found, "{mutation:?} was not detected in {HISTORIES} histories");
}

/// Runs a scenario that leaves something to the seed and returns whether a promise was broken. With the mutation one must be for some
/// seed, and without it none.
fn detects_in_scenario(mutation: Mutation, scenario: impl Fn(World, u64) -> bool) {
    let breaks_a_promise = |mutation: Option<Mutation>, seed| {
        let mut world = world_without_faults(&[990_000, 1_010_000, 1_000_000], seed);
        world.mutation = mutation;
        // `settle` would hide the fault.
        set_lease(&mut world, Duration::from_secs(10));
        scenario(world, seed)
    };
    assert!(
        (0..300).any(|seed| breaks_a_promise(Some(mutation), seed)),
        "{mutation:?} was not detected"
    );
    assert!(
        !(0..600).any(|seed| breaks_a_promise(None, seed)),
        "the scenario breaks a promise without {mutation:?} too"
    );
}

/// All nodes get this lease, and no other duration.
fn set_lease(world: &mut World, lease: Duration) {
    set_lease_and_settle(world, lease, Duration::ZERO);
}

fn set_lease_and_settle(world: &mut World, lease: Duration, settle: Duration) {
    let none = Duration::ZERO;
    for config in world.nodes.iter_mut().flat_map(|node| &mut node.configs) {
        config.timing = Timing::new(lease, settle, none, none).expect("within their limits");
    }
}

/// As in a scenario without it, but nodes settle for three seconds.
fn with_settle(mut world: World) -> World {
    set_lease_and_settle(&mut world, Duration::from_secs(10), Duration::from_secs(3));
    world
}

/// n0 becomes the holder and n1, started later, a candidate. n2 is not started.
fn start_two(world: &mut World, later: Micros) {
    world.schedule(0, Fault::Start(0));
    world.schedule(later, Fault::Start(1));
}

/// Some messages are late until the holder is paused; after that, none are.
fn late_then_prompt(mut world: World, seed: u64) -> bool {
    // A call may take a quarter of the shortest lease.
    set_lease(&mut world, Duration::from_secs(1));
    world.profile = FaultProfile {
        late_messages: 300,
        max_delay: 240 * MILLISECOND,
        ..FaultProfile::NONE
    };
    start_two(&mut world, 15 * SECOND + seed * 12 * MILLISECOND);
    let stop = 60 * SECOND + seed * 50 * MILLISECOND;
    world.schedule(stop, Fault::Pause(0, 60 * SECOND));
    if ends_badly(&mut world, stop) {
        return true;
    }
    world.profile = FaultProfile::NONE;
    ends_badly(&mut world, stop + 30 * SECOND)
}

/// Runs until `end`, and returns whether a promise was broken.
fn ends_badly(world: &mut World, end: Micros) -> bool {
    world.run_until(end).is_err()
}

const fn is_two_active(broken: &Broken) -> bool {
    matches!(broken, Broken::TwoActive { .. })
}

const fn is_grace(broken: &Broken) -> bool {
    matches!(broken, Broken::Grace { .. })
}

const fn is_settle(broken: &Broken) -> bool {
    matches!(broken, Broken::Settle { .. })
}

const fn is_epoch(broken: &Broken) -> bool {
    matches!(broken, Broken::Epoch { .. } | Broken::SeenEpoch { .. })
}

#[test]
fn detects_a_lease_counted_from_the_answer() {
    detects_in_random_histories(Mutation::DeadlineFromAnswer, |_| true);
}

#[test]
fn detects_a_missing_record_taken_as_free() {
    detects_in_scenario(Mutation::MissingIsFree, |mut world, _| {
        start_two(&mut world, 15 * SECOND);
        world.schedule(40 * SECOND, Fault::CutRequests(0, true));
        world.schedule(40 * SECOND, Fault::StoreLoses(Loss::All));
        ends_badly(&mut world, 60 * SECOND)
    });
}

#[test]
fn detects_a_takeover_without_the_sessions_version() {
    detects_in_random_histories(Mutation::TakeoverWithoutSessionVersion, is_two_active);
}

#[test]
fn detects_a_takeover_that_leaves_the_old_session() {
    detects_in_random_histories(Mutation::TakeoverLeavesOldSession, is_two_active);
}

#[test]
fn detects_an_ignored_incarnation() {
    detects_in_scenario(Mutation::IncarnationIgnored, |mut world, seed| {
        // n1 sees a session, and is then cut off while the session renews. The store goes back to what n1 saw.
        let seen = 40 * SECOND + seed * 20 * MILLISECOND;
        start_two(&mut world, 15 * SECOND);
        world.schedule(seen, Fault::Snapshot);
        world.schedule(seen, Fault::CutRequests(1, true));
        world.schedule(seen + 15 * SECOND, Fault::CutRequests(0, true));
        world.schedule(seen + 15 * SECOND, Fault::StoreLoses(Loss::Back));
        world.schedule(seen + 15 * SECOND, Fault::CutRequests(1, false));
        ends_badly(&mut world, seen + 40 * SECOND)
    });
}

#[test]
fn detects_a_missing_margin() {
    detects_in_scenario(Mutation::NoMargin, |mut world, seed| {
        start_two(&mut world, 15 * SECOND + seed * 15 * MILLISECOND);
        world.schedule(40 * SECOND, Fault::Pause(0, 60 * SECOND));
        ends_badly(&mut world, 60 * SECOND)
    });
}

#[test]
fn detects_a_wait_counted_from_the_request() {
    detects_in_scenario(Mutation::WatchFromRequest, late_then_prompt);
}

#[test]
fn detects_a_renewal_without_an_answer_taken_as_done() {
    detects_in_random_histories(Mutation::NoAnswerIsDone, is_two_active);
}

#[test]
fn detects_a_release_before_the_file_is_passive() {
    detects_in_random_histories(Mutation::ReleaseBeforePassive, is_two_active);
}

#[test]
fn detects_a_change_without_the_own_session_as_a_condition() {
    detects_in_random_histories(Mutation::OwnSessionUnconditional, is_two_active);
}

#[test]
fn detects_an_expired_lease_that_goes_on_in_another_incarnation() {
    detects_in_scenario(Mutation::ResumeInNewIncarnation, |mut world, _| {
        start_two(&mut world, 15 * SECOND);
        world.schedule(40 * SECOND, Fault::Snapshot);
        world.schedule(40 * SECOND, Fault::CutRequests(0, true));
        // n1 has taken over, and the store goes back to before that.
        world.schedule(60 * SECOND, Fault::CutRequests(1, true));
        world.schedule(60 * SECOND, Fault::StoreLoses(Loss::Back));
        world.schedule(60 * SECOND, Fault::CutRequests(0, false));
        ends_badly(&mut world, 80 * SECOND)
    });
}

#[test]
fn detects_a_restart_that_goes_on_with_an_expired_lease() {
    detects_in_scenario(Mutation::AdoptExpired, |mut world, _| {
        start_two(&mut world, 15 * SECOND);
        world.schedule(40 * SECOND, Fault::Snapshot);
        world.schedule(40 * SECOND, Fault::Kill(0));
        world.schedule(60 * SECOND, Fault::CutRequests(1, true));
        world.schedule(60 * SECOND, Fault::StoreLoses(Loss::Back));
        world.schedule(60 * SECOND, Fault::Start(0));
        ends_badly(&mut world, 80 * SECOND)
    });
}

#[test]
fn detects_a_takeover_of_a_cluster_that_is_free_because_the_store_went_back() {
    detects_in_scenario(Mutation::FreeAfterLoss, |mut world, seed| {
        start_two(&mut world, 15 * SECOND);
        world.schedule(40 * SECOND, Fault::Drain(0, false));
        world.schedule(40 * SECOND + seed * 100, Fault::Snapshot);
        // n1 has taken over, and the store goes back to before that. n2 is new.
        world.schedule(50 * SECOND, Fault::CutRequests(1, true));
        world.schedule(50 * SECOND, Fault::StoreLoses(Loss::Back));
        world.schedule(50 * SECOND, Fault::Start(2));
        ends_badly(&mut world, 80 * SECOND)
    });
}

#[test]
fn detects_an_epoch_counted_in_the_store_only() {
    detects_in_random_histories(Mutation::EpochFromStoreOnly, is_epoch);
}

#[test]
fn detects_an_ignored_grace() {
    detects_in_random_histories(Mutation::GraceIgnored, is_grace);
}

#[test]
fn detects_a_session_ended_for_a_shorter_lease_only() {
    detects_in_random_histories(Mutation::EndedWhateverTheLease, is_two_active);
}

#[test]
fn detects_a_lease_lowered_in_the_store_before_the_state_file() {
    detects_in_scenario(Mutation::LoweredAtOnce, |mut world, seed| {
        let time = 40 * SECOND + seed / 30 * 333 * MILLISECOND;
        start_two(&mut world, 15 * SECOND);
        world.schedule(time, Fault::Lease(1, SECOND));
        world.schedule(time, Fault::Lease(0, SECOND));
        // The store lowers the lease, but its answer does not reach the holder.
        world.schedule(time + seed % 30 * 200, Fault::CutAnswers(0, true));
        ends_badly(&mut world, time + 20 * SECOND)
    });
}

#[test]
fn detects_an_epoch_that_was_seen_but_could_not_be_saved() {
    detects_in_scenario(Mutation::EpochSeenButNotCounted, |mut world, _| {
        start_two(&mut world, 15 * SECOND);
        // n0 sees that n1 takes over with a later epoch, but its disk is full.
        world.schedule(30 * SECOND, Fault::Saving(0, false));
        world.schedule(40 * SECOND, Fault::Drain(0, false));
        world.schedule(45 * SECOND, Fault::Undrain(0));
        // n1 dies, and the store loses all. Then the disk has room again.
        world.schedule(50 * SECOND, Fault::Kill(1));
        world.schedule(50 * SECOND, Fault::StoreLoses(Loss::All));
        world.schedule(55 * SECOND, Fault::Saving(0, true));
        ends_badly(&mut world, 90 * SECOND)
    });
}

#[test]
fn detects_an_ignored_settle() {
    detects_in_random_histories(Mutation::SettleIgnored, is_settle);
}

#[test]
fn detects_a_settle_that_the_record_of_a_store_that_went_back_lets_skip() {
    detects_in_scenario(Mutation::SettleFromRecord, |world, _| {
        let mut world = with_settle(world);
        start_two(&mut world, 15 * SECOND);
        // n0 releases the cluster, and n1 is active. A replica that did not get this is promoted: it names n0.
        world.schedule(40 * SECOND, Fault::Snapshot);
        world.schedule(40 * SECOND, Fault::Drain(0, false));
        world.schedule(50 * SECOND, Fault::Undrain(0));
        world.schedule(60 * SECOND, Fault::CutRequests(1, true));
        world.schedule(60 * SECOND, Fault::StoreLoses(Loss::Back));
        ends_badly(&mut world, 90 * SECOND)
    });
}

#[test]
fn detects_a_settle_that_is_skipped_though_another_node_may_have_been_active() {
    detects_in_scenario(Mutation::SettleSkippedAfterLoss, |world, _| {
        let mut world = with_settle(world);
        start_two(&mut world, 15 * SECOND);
        // As before, but n0 is cut off while n1 is active, and never sees n1's epoch.
        world.schedule(40 * SECOND, Fault::Snapshot);
        world.schedule(40 * SECOND, Fault::CutRequests(0, true));
        world.schedule(60 * SECOND, Fault::CutRequests(1, true));
        world.schedule(60 * SECOND, Fault::StoreLoses(Loss::Back));
        world.schedule(60 * SECOND, Fault::CutRequests(0, false));
        ends_badly(&mut world, 90 * SECOND)
    });
}

#[test]
fn detects_a_settle_that_ends_early_because_the_node_wins_again() {
    detects_in_scenario(Mutation::SettleCutShort, |world, _| {
        let mut world = with_settle(world);
        start_two(&mut world, 15 * SECOND);
        world.schedule(40 * SECOND, Fault::Drain(0, false));
        // n1 has won, and is not active yet.
        world.schedule(41 * SECOND, Fault::Drain(1, false));
        world.schedule(42 * SECOND, Fault::Undrain(1));
        ends_badly(&mut world, 60 * SECOND)
    });
}

#[test]
fn detects_an_unreadable_session_taken_as_ended() {
    detects_in_scenario(Mutation::UnreadableSessionIsEnded, |mut world, seed| {
        start_two(&mut world, 15 * SECOND);
        world.schedule(40 * SECOND + seed * 100 * MILLISECOND, Fault::SpoilSession(0));
        ends_badly(&mut world, 80 * SECOND)
    });
}

#[test]
fn detects_a_change_of_an_unreadable_record() {
    detects_in_random_histories(Mutation::UnreadableClusterIsMissing, |broken| {
        matches!(broken, Broken::Overwritten { .. })
    });
}
