//! Clusters that nodes share: each rule that is left out of the logic is missed, and what a change of `run_on` costs.

use lease::{Mutation, RunOn, Timing};
use simulation::checker::{Broken, permits_grants};
use simulation::faults::{Fault, FaultProfile};
use simulation::fixture::world_without_faults;
use simulation::history::run_history;
use simulation::store::Loss;
use simulation::witness::Witness;
use simulation::world::World;
use simulation::{MILLISECOND, Micros, SECOND};
use std::time::Duration;

/// As in the other scenarios of mutations, but all nodes share the cluster.
fn shared_world(seed: u64, mutation: Option<Mutation>) -> World {
    let mut world = world_without_faults(&[990_000, 1_010_000, 1_000_000], seed);
    world.mutation = mutation;
    world.witness = Some(Witness::new(true));
    set_lease(&mut world, Duration::from_secs(10));
    for node in &mut world.nodes {
        node.configs[0].run_on = RunOn::Any;
    }
    world
}

fn set_lease(world: &mut World, lease: Duration) {
    let none = Duration::ZERO;
    for config in world.nodes.iter_mut().flat_map(|node| &mut node.configs) {
        config.timing = Timing::new(lease, none, none, none).expect("within their limits");
    }
}

const fn is_over(broken: &Broken) -> bool {
    matches!(broken, Broken::OverAndPermitted { .. })
}

/// Runs a scenario that leaves something to the seed. With the mutation it must break a promise for some seed, and without it for none.
fn detects(mutation: Mutation, scenario: impl Fn(&mut World, u64) -> Micros) {
    let breaks_a_promise = |mutation, seed| {
        let mut world = shared_world(seed, mutation);
        let end = scenario(&mut world, seed);
        let result = world.run_until(end);
        result.is_err_and(|violation| is_over(&violation.what))
    };
    let found = (0..300).any(|seed| breaks_a_promise(Some(mutation), seed));
    assert!(found, "{mutation:?} was not detected");
    let found = (0..300).any(|seed| breaks_a_promise(None, seed));
    assert!(!found, "the scenario breaks a promise without {mutation:?} too");
}

fn detects_in_random_histories(mutation: Mutation) {
    const HISTORIES: u64 = 8000;
    let found = (0..HISTORIES).any(|seed| {
        let violation = run_history(seed, Some(mutation), false).violation;
        violation.is_some_and(|violation| is_over(&violation.what))
    });
    assert!(found, "{mutation:?} was not detected in {HISTORIES} histories");
}

#[test]
fn detects_a_shared_lease_counted_from_the_answer() {
    detects_in_random_histories(Mutation::SharedFromAnswer);
}

#[test]
fn detects_a_renewal_without_an_answer_taken_as_done() {
    detects_in_random_histories(Mutation::NoAnswerIsDone);
}

#[test]
fn detects_a_shared_file_without_a_session() {
    detects(Mutation::SharedBeforeOpen, |world, _| {
        world.schedule(0, Fault::CutRequests(0, true));
        world.schedule(0, Fault::Start(0));
        30 * SECOND
    });
}

#[test]
fn detects_a_session_that_is_ended_while_a_file_is_shared() {
    detects(Mutation::EndedWhileShared, |world, _| {
        world.schedule(0, Fault::Start(0));
        world.schedule(20 * SECOND, Fault::Writable(0, false));
        world.schedule(21 * SECOND, Fault::Stop(0));
        40 * SECOND
    });
}

#[test]
fn detects_a_cluster_that_is_forgotten_while_its_file_is_shared() {
    detects(Mutation::ForgottenWhileShared, |world, seed| {
        world.schedule(0, Fault::Start(0));
        world.schedule(20 * SECOND, Fault::Writable(0, false));
        world.schedule(21 * SECOND, Fault::Unconfigure(0));
        world.schedule(22 * SECOND + seed * 50 * MILLISECOND, Fault::Stop(0));
        50 * SECOND
    });
}

#[test]
fn detects_an_expired_share_that_goes_on_in_another_incarnation() {
    detects(Mutation::SharedInNewIncarnation, |world, seed| {
        world.schedule(0, Fault::Start(0));
        let time = 40 * SECOND + seed * 20 * MILLISECOND;
        world.schedule(time, Fault::Snapshot);
        world.schedule(time, Fault::CutRequests(0, true));
        // Its session was ended, and the store goes back to before that.
        world.schedule(time + 20 * SECOND, Fault::StoreLoses(Loss::Back));
        world.schedule(time + 20 * SECOND, Fault::CutRequests(0, false));
        time + 40 * SECOND
    });
}

#[test]
fn detects_a_restart_that_goes_on_with_an_expired_share() {
    detects(Mutation::SharedAfterExpiry, |world, seed| {
        world.schedule(0, Fault::Start(0));
        let time = 40 * SECOND + seed * 20 * MILLISECOND;
        world.schedule(time, Fault::Snapshot);
        world.schedule(time, Fault::Kill(0));
        world.schedule(time + 20 * SECOND, Fault::StoreLoses(Loss::Back));
        world.schedule(time + 20 * SECOND, Fault::Start(0));
        time + 40 * SECOND
    });
}

#[test]
fn detects_a_lease_that_is_raised_for_earlier_claims() {
    detects(Mutation::SharedLeaseRaised, |world, seed| {
        world.schedule(0, Fault::Start(0));
        world.schedule(20 * SECOND, Fault::Lease(0, 30 * SECOND));
        world.schedule(40 * SECOND + seed * 50 * MILLISECOND, Fault::Pause(0, 60 * SECOND));
        100 * SECOND
    });
}

/// The nodes that start what the store grants them.
fn sharing_nodes(world: &World) -> Vec<usize> {
    let nodes = 0..world.nodes.len();
    nodes
        .filter(|node| permits_grants(&world.nodes[*node], 0, world.now))
        .collect()
}

#[test]
fn run_on_is_changed_on_one_node_after_the_other_and_back() {
    let mut world = world_without_faults(&[1_000_000; 3], 1);
    world.witness = Some(Witness::new(true));
    world.start_all(15 * SECOND);
    world.run_until(40 * SECOND).expect("no broken promise");
    assert_eq!((world.active_nodes(), sharing_nodes(&world)), (vec![0], vec![0]));
    // A node that shares the cluster does not disturb the holder.
    world.schedule(40 * SECOND, Fault::RunOn(2, 0, RunOn::Any));
    world.run_until(50 * SECOND).expect("no broken promise");
    assert_eq!((world.active_nodes(), sharing_nodes(&world)), (vec![0], vec![0, 2]));
    // The holder releases the cluster at once, and the last node that takes part in the election gets it.
    world.schedule(50 * SECOND, Fault::RunOn(0, 0, RunOn::Any));
    let active = world.run_until_active(&[1], 55 * SECOND);
    assert!(active.is_some_and(|at| at < 52 * SECOND), "{active:?}");
    assert_eq!(sharing_nodes(&world), [0, 1, 2]);
    world.schedule(60 * SECOND, Fault::RunOn(1, 0, RunOn::Any));
    world.run_until(100 * SECOND).expect("no broken promise");
    assert_eq!((world.active_nodes(), sharing_nodes(&world)), (vec![], vec![0, 1, 2]));
    for node in 0..3 {
        world.schedule(100 * SECOND, Fault::RunOn(node, 0, RunOn::Active));
    }
    world.run_until(120 * SECOND).expect("no broken promise");
    let active = world.active_nodes();
    assert_eq!((active.len(), sharing_nodes(&world)), (1, active));
}

#[test]
fn a_node_shares_at_once_and_an_outage_of_the_store_ends_it_for_no_longer() {
    let mut world = shared_world(1, None);
    world.profile = FaultProfile::NONE;
    world.start_all(0);
    world.run_until(SECOND).expect("no broken promise");
    assert_eq!(sharing_nodes(&world), [0, 1, 2], "nobody waits for a lease");
    world.schedule(20 * SECOND, Fault::StoreDown);
    world.run_until(40 * SECOND).expect("no broken promise");
    assert_eq!(sharing_nodes(&world), [0; 0]);
    world.schedule(40 * SECOND, Fault::StoreUp(Loss::None));
    world.run_until(42 * SECOND).expect("no broken promise");
    assert_eq!(sharing_nodes(&world), [0, 1, 2]);
}

#[test]
fn an_upgrade_is_not_noticed() {
    let mut world = shared_world(1, None);
    world.start_all(0);
    world.schedule(40 * SECOND, Fault::Kill(1));
    world.schedule(43 * SECOND, Fault::Start(1));
    let before = world.nodes[1].kept;
    for tenth in 401..600 {
        world.run_until(tenth * SECOND / 10).expect("no broken promise");
        assert_eq!(sharing_nodes(&world), [0, 1, 2], "at {tenth}");
    }
    assert!(before.is_none() && world.nodes[1].kept.is_some());
}
