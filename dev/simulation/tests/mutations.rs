//! Each rule that is left out of the logic is missed: the simulation finds a history in which it mattered. And where the rule is
//! kept, nothing is found in the same histories.

use lease::{Mutation, Timing};
use simulation::checker::Broken;
use simulation::faults::{Fault, Weather};
use simulation::history;
use simulation::scene::quiet;
use simulation::store::Loss;
use simulation::world::World;
use simulation::{MILLISECOND, Micros, SECOND};
use std::time::Duration;

/// Random histories, until one shows the fault.
fn hunt(mutation: Mutation, kind: fn(&Broken) -> bool) {
    const HISTORIES: u64 = 8000;
    let found = (0..HISTORIES).any(|seed| {
        let violation = history::run(seed, Some(mutation), false).violation;
        violation.is_some_and(|violation| kind(&violation.what))
    });
    assert!(found, "{mutation:?} was not noticed in {HISTORIES} histories");
}

/// A story with a part left to chance: it ends badly with the mutation for some seed, and never without.
fn direct(mutation: Mutation, tell: impl Fn(World, u64) -> bool) {
    let bad = |mutation: Option<Mutation>, seed| {
        let mut world = quiet(&[990_000, 1_010_000, 1_000_000], seed);
        world.mutation = mutation;
        for config in world.nodes.iter_mut().flat_map(|node| &mut node.configs) {
            // What `settle` would hide.
            let lease = config.timing.lease().get();
            config.timing = Timing::new(lease, Duration::ZERO, Duration::ZERO, Duration::ZERO).expect("good spans");
        }
        tell(world, seed)
    };
    assert!(
        (0..300).any(|seed| bad(Some(mutation), seed)),
        "{mutation:?} was not noticed"
    );
    assert!(!(0..600).any(|seed| bad(None, seed)), "and it is no fault of the logic");
}

/// n0 holds the cluster, n1 is a candidate, n2 is not started.
fn start_two(world: &mut World, later: Micros) {
    world.at(0, Fault::Start(0));
    world.at(later, Fault::Start(1));
}

/// The store is now and then slow until the holder is stopped; then the candidate finds it quick.
fn slow_then_quick(mut world: World, seed: u64) -> bool {
    // A call may take a quarter of the shortest lease.
    for config in world.nodes.iter_mut().flat_map(|node| &mut node.configs) {
        let none = Duration::ZERO;
        config.timing = Timing::new(Duration::from_secs(1), none, none, none).expect("good spans");
    }
    world.weather = Weather {
        strays: 300,
        stray: 240 * MILLISECOND,
        ..Weather::FINE
    };
    start_two(&mut world, 15 * SECOND + seed * 12 * MILLISECOND);
    let stop = 60 * SECOND + seed * 50 * MILLISECOND;
    world.at(stop, Fault::Pause(0, 60 * SECOND));
    if ends_badly(&mut world, stop) {
        return true;
    }
    world.weather = Weather::FINE;
    ends_badly(&mut world, stop + 30 * SECOND)
}

fn ends_badly(world: &mut World, end: Micros) -> bool {
    world.run(end).is_err()
}

const fn two(broken: &Broken) -> bool {
    matches!(broken, Broken::TwoActive { .. })
}

const fn grace(broken: &Broken) -> bool {
    matches!(broken, Broken::Grace { .. })
}

const fn epoch(broken: &Broken) -> bool {
    matches!(broken, Broken::Epoch { .. })
}

#[test]
fn a_deadline_counted_from_the_answer_is_noticed() {
    hunt(Mutation::DeadlineFromAnswer, |_| true);
}

#[test]
fn a_missing_record_taken_as_free_is_noticed() {
    direct(Mutation::MissingIsFree, |mut world, _| {
        start_two(&mut world, 15 * SECOND);
        world.at(40 * SECOND, Fault::CutTo(0, true));
        world.at(40 * SECOND, Fault::StoreLoses(Loss::All));
        ends_badly(&mut world, 60 * SECOND)
    });
}

#[test]
fn a_takeover_without_the_sessions_version_is_noticed() {
    hunt(Mutation::TakeoverWithoutSessionVersion, two);
}

#[test]
fn a_takeover_that_leaves_the_old_session_is_noticed() {
    hunt(Mutation::TakeoverLeavesOldSession, two);
}

#[test]
fn an_incarnation_that_is_ignored_is_noticed() {
    direct(Mutation::IncarnationIgnored, |mut world, seed| {
        // n1 sees a session that is then renewed, unseen, until the store goes back to what n1 saw.
        let seen = 40 * SECOND + seed * 20 * MILLISECOND;
        start_two(&mut world, 15 * SECOND);
        world.at(seen, Fault::Snapshot);
        world.at(seen, Fault::CutTo(1, true));
        world.at(seen + 15 * SECOND, Fault::CutTo(0, true));
        world.at(seen + 15 * SECOND, Fault::StoreLoses(Loss::Back));
        world.at(seen + 15 * SECOND, Fault::CutTo(1, false));
        ends_badly(&mut world, seen + 40 * SECOND)
    });
}

#[test]
fn a_missing_margin_is_noticed() {
    direct(Mutation::NoMargin, |mut world, seed| {
        start_two(&mut world, 15 * SECOND + seed * 15 * MILLISECOND);
        world.at(40 * SECOND, Fault::Pause(0, 60 * SECOND));
        ends_badly(&mut world, 60 * SECOND)
    });
}

#[test]
fn a_watch_counted_from_the_request_is_noticed() {
    direct(Mutation::WatchFromRequest, slow_then_quick);
}

#[test]
fn a_renewal_without_an_answer_taken_as_done_is_noticed() {
    hunt(Mutation::NoAnswerIsDone, two);
}

#[test]
fn a_release_before_the_file_is_passive_is_noticed() {
    hunt(Mutation::ReleaseBeforePassive, two);
}

#[test]
fn a_change_without_the_own_session_as_a_condition_is_noticed() {
    hunt(Mutation::OwnSessionUnconditional, two);
}

#[test]
fn a_lease_that_is_over_and_goes_on_in_another_incarnation_is_noticed() {
    direct(Mutation::ResumeInNewIncarnation, |mut world, _| {
        start_two(&mut world, 15 * SECOND);
        world.at(40 * SECOND, Fault::Snapshot);
        world.at(40 * SECOND, Fault::CutTo(0, true));
        // n1 has taken over, and the store forgets it.
        world.at(60 * SECOND, Fault::CutTo(1, true));
        world.at(60 * SECOND, Fault::StoreLoses(Loss::Back));
        world.at(60 * SECOND, Fault::CutTo(0, false));
        ends_badly(&mut world, 80 * SECOND)
    });
}

#[test]
fn a_restart_that_goes_on_though_the_lease_was_over_is_noticed() {
    direct(Mutation::AdoptExpired, |mut world, _| {
        start_two(&mut world, 15 * SECOND);
        world.at(40 * SECOND, Fault::Snapshot);
        world.at(40 * SECOND, Fault::Kill(0));
        world.at(60 * SECOND, Fault::CutTo(1, true));
        world.at(60 * SECOND, Fault::StoreLoses(Loss::Back));
        world.at(60 * SECOND, Fault::Start(0));
        ends_badly(&mut world, 80 * SECOND)
    });
}

#[test]
fn what_is_free_again_in_a_store_that_went_back_is_noticed() {
    direct(Mutation::FreeAfterLoss, |mut world, seed| {
        start_two(&mut world, 15 * SECOND);
        world.at(40 * SECOND, Fault::Drain(0, false));
        world.at(40 * SECOND + seed * 100, Fault::Snapshot);
        // n1 has taken it, and the store forgets that; n2 knows nothing of all this.
        world.at(50 * SECOND, Fault::CutTo(1, true));
        world.at(50 * SECOND, Fault::StoreLoses(Loss::Back));
        world.at(50 * SECOND, Fault::Start(2));
        ends_badly(&mut world, 80 * SECOND)
    });
}

#[test]
fn an_epoch_counted_in_the_store_only_is_noticed() {
    hunt(Mutation::EpochFromStoreOnly, epoch);
}

#[test]
fn a_grace_that_is_not_given_is_noticed() {
    hunt(Mutation::GraceIgnored, grace);
}

#[test]
fn a_longer_lease_that_ends_with_a_shorter_one_is_noticed() {
    hunt(Mutation::EndedWhateverTheLease, two);
}

#[test]
fn a_lease_lowered_in_the_store_before_the_state_file_is_noticed() {
    direct(Mutation::LoweredAtOnce, |mut world, seed| {
        let time = 40 * SECOND + seed / 30 * 333 * MILLISECOND;
        start_two(&mut world, 15 * SECOND);
        world.at(time, Fault::Lease(1, SECOND));
        world.at(time, Fault::Lease(0, SECOND));
        // The store does it, but the holder does not hear of it.
        world.at(time + seed % 30 * 200, Fault::CutFrom(0, true));
        ends_badly(&mut world, time + 20 * SECOND)
    });
}
