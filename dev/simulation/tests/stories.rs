//! Faults as they were found on real stores, each with the right outcome.

use lease::LARGEST_EPOCH;
use simulation::clock::TRUE_RATE;
use simulation::faults::{Fault, Spoilt};
use simulation::fixture::world_without_faults;
use simulation::node::Node;
use simulation::store::Loss;
use simulation::world::World;
use simulation::{MILLISECOND, Micros, SECOND};

const LEASE: Micros = 10 * SECOND;
const SETTLE: Micros = SECOND;
/// As docs/rcrond.md promises it for a crash.
const FAILOVER: Micros = LEASE + LEASE / 10 + SECOND + SETTLE;

/// n0 is active, and n1 is a candidate, at this time.
fn running(time: Micros) -> World {
    let mut world = world_without_faults(&[TRUE_RATE, TRUE_RATE], 1);
    world.trace = Some(Vec::new());
    world.start_all(15 * SECOND);
    world.run_until(time).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0]);
    world
}

/// How often the trace has this text.
fn count(world: &World, text: &str) -> usize {
    let trace = world.trace.iter().flatten();
    trace.filter(|line| line.contains(text)).count()
}

/// Until when a node is active; it must be active now.
fn run_until_passive(world: &mut World, node: usize, end: Micros) -> Micros {
    while world.active_nodes().contains(&node) {
        assert!(world.now < end, "n{node} stays active");
        let next = world.now + MILLISECOND;
        world.run_until(next).expect("no broken promise");
    }
    world.now
}

#[test]
fn an_epoch_that_was_seen_while_the_disk_was_full_is_not_used_again() {
    let mut world = running(30 * SECOND);
    world.schedule(30 * SECOND, Fault::Saving(0, false));
    world.schedule(31 * SECOND, Fault::Drain(0, false));
    world.schedule(35 * SECOND, Fault::Undrain(0));
    world.run_until(40 * SECOND).expect("no broken promise");
    assert_eq!((world.active_nodes(), world.nodes[1].epoch(0)), (vec![1], Some(2)));
    world.schedule(40 * SECOND, Fault::Kill(1));
    world.schedule(40 * SECOND, Fault::StoreLoses(Loss::All));
    world.schedule(42 * SECOND, Fault::Saving(0, true));
    assert!(world.run_until_active(&[0], 70 * SECOND).is_some());
    assert_eq!(world.nodes[0].epoch(0), Some(3));
}

#[test]
fn a_node_that_cannot_save_an_epoch_does_not_win() {
    let mut world = running(30 * SECOND);
    world.schedule(30 * SECOND, Fault::Drain(0, false));
    assert!(world.run_until_active(&[1], 32 * SECOND).is_some());
    // n1 has used its reserved epoch.
    world.schedule(40 * SECOND, Fault::Saving(1, false));
    world.schedule(40 * SECOND, Fault::Drain(1, false));
    world.schedule(45 * SECOND, Fault::Undrain(1));
    world.run_until(100 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0; 0]);
    assert!(count(&world, "n1 says NoEpoch") > 0);
    world.schedule(100 * SECOND, Fault::Saving(1, true));
    assert!(world.run_until_active(&[1], 105 * SECOND).is_some());
}

#[test]
fn a_promoted_replica_that_names_the_node_before_does_not_let_it_skip_settle() {
    let mut world = running(40 * SECOND);
    world.schedule(40 * SECOND, Fault::Snapshot);
    world.schedule(40 * SECOND, Fault::Drain(0, false));
    world.schedule(45 * SECOND, Fault::Undrain(0));
    world.run_until(60 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [1]);
    world.schedule(60 * SECOND, Fault::CutRequests(1, true));
    world.schedule(60 * SECOND, Fault::StoreLoses(Loss::Back));
    let passive = run_until_passive(&mut world, 1, 75 * SECOND);
    let active = world.run_until_active(&[0], 90 * SECOND).expect("a failover");
    assert!(active >= passive + SETTLE, "{} ms", (active - passive) / MILLISECOND);
}

#[test]
fn a_node_that_was_active_last_does_not_settle_again() {
    let mut world = running(40 * SECOND);
    world.schedule(40 * SECOND, Fault::CutRequests(1, true));
    world.schedule(40 * SECOND, Fault::Drain(0, false));
    world.run_until(50 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0; 0]);
    world.schedule(50 * SECOND, Fault::Undrain(0));
    assert!(world.run_until_active(&[0], 50 * SECOND + SETTLE / 2).is_some());
    assert_eq!(world.nodes[0].epoch(0), Some(2));
}

#[test]
fn a_spoilt_session_of_the_holder_costs_one_failover() {
    for offset in 0..20 {
        let time = 40 * SECOND + offset * 170 * MILLISECOND;
        let mut world = running(time);
        world.schedule(time, Fault::SpoilSession(0));
        run_until_passive(&mut world, 0, time + LEASE / 3 + SECOND);
        let limit = time + LEASE / 3 + FAILOVER;
        assert!(world.run_until_active(&[0, 1], limit).is_some(), "{offset}");
        for node in 0..2 {
            assert_eq!(
                count(&world, &format!("n{node} says SessionUnreadable(n0)")),
                1,
                "{offset}"
            );
        }
        assert_eq!(count(&world, "TakeoverRefused"), 0);
        world.run_until(time + 100 * SECOND).expect("no broken promise");
        assert_eq!(count(&world, "says NameTaken"), 0);
        assert_eq!(count(&world, "n0 says SessionOpened"), 2, "n0 has a session again");
    }
}

#[test]
fn a_spoilt_session_of_the_only_node_heals() {
    let mut world = world_without_faults(&[TRUE_RATE], 1);
    world.start_all(0);
    world.run_until(40 * SECOND).expect("no broken promise");
    world.schedule(40 * SECOND, Fault::SpoilSession(0));
    run_until_passive(&mut world, 0, 45 * SECOND);
    assert!(world.run_until_active(&[0], 45 * SECOND + FAILOVER + SECOND).is_some());
}

#[test]
fn a_spoilt_session_of_a_candidate_disturbs_no_holder() {
    let mut world = running(40 * SECOND);
    world.schedule(40 * SECOND, Fault::SpoilSession(1));
    for second in 41..100 {
        world.run_until(second * SECOND).expect("no broken promise");
        assert_eq!((world.active_nodes(), world.nodes[0].epoch(0)), (vec![0], Some(1)));
    }
    world.schedule(100 * SECOND, Fault::Kill(0));
    assert!(world.run_until_active(&[1], 100 * SECOND + FAILOVER).is_some());
}

#[test]
fn a_spoilt_session_that_changes_again_and_again_is_left_alone() {
    let mut world = running(40 * SECOND);
    // As a later version of rcrond on a machine of that name would write it.
    for beat in 0..60 {
        world.schedule((40 + beat * 3) * SECOND, Fault::SpoilSession(1));
    }
    world.run_until(220 * SECOND).expect("no broken promise");
    assert_eq!(count(&world, "n1 says NameTaken"), 1);
    assert_eq!(count(&world, "n1 says SessionOpened"), 1, "only the one at the start");
    assert_eq!((world.active_nodes(), world.nodes[0].epoch(0)), (vec![0], Some(1)));
}

#[test]
fn a_spoilt_cluster_costs_that_cluster_and_is_reported_until_its_record_is_deleted() {
    for (spoilt, notice) in [
        (Spoilt::Bytes, "says Unreadable(".to_owned()),
        (Spoilt::Epoch(u64::MAX), format!("epoch: {} }}", u64::MAX)),
        (
            Spoilt::Epoch(LARGEST_EPOCH + 1),
            format!("epoch: {} }}", LARGEST_EPOCH + 1),
        ),
    ] {
        let mut world = two_clusters();
        world.schedule(40 * SECOND, Fault::SpoilCluster(0, spoilt));
        world.run_until(100 * SECOND).expect("no broken promise");
        assert_eq!(world.active_nodes(), [0; 0]);
        // The other cluster goes on, with the same session.
        assert_eq!(world.nodes[0].epoch(1), Some(1));
        assert!(world.nodes[0].active_until(1) > Some(world.now));
        assert_eq!(count(&world, &notice), 2, "each node says so once");
        world.schedule(100 * SECOND, Fault::DeleteCluster(0));
        let active = world.run_until_active(&[0, 1], 100 * SECOND + FAILOVER);
        assert!(active.is_some(), "{spoilt:?}");
        assert!(world.nodes.iter().any(|node| node.epoch(0) == Some(2)));
    }
}

#[test]
fn a_cluster_whose_epochs_are_used_up_says_so() {
    let mut world = running(40 * SECOND);
    world.schedule(40 * SECOND, Fault::SpoilCluster(0, Spoilt::Epoch(LARGEST_EPOCH)));
    world.run_until(100 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0; 0]);
    assert_eq!(count(&world, "says EpochsUsedUp"), 2, "each node says so once");
}

/// As [`running`], with two clusters.
fn two_clusters() -> World {
    let world = world_without_faults(&[TRUE_RATE, TRUE_RATE], 1);
    let first = world.nodes[0].configs[0].clone();
    let second = lease::ClusterConfig {
        name: lease::ClusterName::new("c1"),
        ..first.clone()
    };
    let configs = vec![first, second];
    let nodes = world.nodes.iter().enumerate();
    let nodes = nodes.map(|(index, node)| Node::new(index, node.clock, configs.clone()));
    let mut world = World::new(nodes.collect(), world.store.clone(), world.profile, 1);
    world.trace = Some(Vec::new());
    world.start_all(15 * SECOND);
    world.run_until(40 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0]);
    world
}
