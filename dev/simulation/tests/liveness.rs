//! How soon a node is active when nothing else goes wrong.

use lease::ClusterConfig;
use simulation::checker::Violation;
use simulation::clock::TRUE_RATE;
use simulation::faults::Fault;
use simulation::fixture::world_without_faults;
use simulation::store::Loss;
use simulation::world::World;
use simulation::{MILLISECOND, Micros, SECOND};

const SLOW: u64 = 990_000;
const FAST: u64 = 1_010_000;
const LEASE: Micros = 10 * SECOND;
const SETTLE: Micros = SECOND;

/// n0 is active, and n1 and n2 are candidates, at this time.
fn running(seed: u64, hints: bool, time: Micros) -> World {
    let mut world = world_without_faults(&[TRUE_RATE, SLOW, FAST], seed);
    world.profile.hints = hints;
    world.start_all(15 * SECOND);
    world.run_until(time).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0]);
    world
}

#[test]
fn a_crash_costs_at_most_a_lease_a_tenth_of_it_a_second_and_settle() {
    let mut longest = 0;
    for seed in 0..40 {
        let time = 40 * SECOND + seed * 97 * MILLISECOND;
        let mut world = running(seed, false, time);
        world.schedule(time, Fault::Kill(0));
        let limit = time + LEASE + LEASE / 10 + SECOND + SETTLE;
        let at = world.run_until_active(&[1, 2], limit);
        longest = longest.max(at.unwrap_or_else(|| panic!("no active node by {limit} µs, seed {seed}")) - time);
    }
    println!("after a crash: at most {} ms", longest / MILLISECOND);
}

#[test]
fn a_drain_costs_at_most_settle_and_200_ms() {
    for seed in 0..40 {
        let time = 40 * SECOND + seed * 97 * MILLISECOND;
        let mut world = running(seed, true, time);
        world.schedule(time, Fault::Drain(0, false));
        assert!(
            world
                .run_until_active(&[1, 2], time + SETTLE + 200 * MILLISECOND)
                .is_some(),
            "{seed}"
        );
        world.run_until(time + 100 * SECOND).expect("no broken promise");
        assert!(!world.active_nodes().contains(&0), "drained");
    }
}

#[test]
fn a_stop_costs_at_most_settle_and_200_ms() {
    for seed in 0..40 {
        let time = 40 * SECOND + seed * 97 * MILLISECOND;
        let mut world = running(seed, true, time);
        world.schedule(time, Fault::Stop(0));
        assert!(
            world
                .run_until_active(&[1, 2], time + SETTLE + 200 * MILLISECOND)
                .is_some(),
            "{seed}"
        );
        assert!(world.nodes[0].process.is_none(), "the process has ended");
    }
}

#[test]
fn an_outage_of_the_store_costs_its_duration_and_at_most_2_s() {
    let mut same = 0;
    for seed in 0..40 {
        let time = 40 * SECOND + seed * 97 * MILLISECOND;
        let mut world = running(seed, false, time);
        let epoch = world.nodes[0].epoch(0);
        world.schedule(time, Fault::StoreDown);
        world.run_until(time + LEASE).expect("no broken promise");
        assert_eq!(world.active_nodes(), [0; 0]);
        let back = time + 60 * SECOND;
        world.schedule(back, Fault::StoreUp(Loss::None));
        world.run_until(back).expect("no broken promise");
        // Usually n0 goes on with its epoch. If a call of n0 hangs when the store comes back, another node may be first.
        assert!(
            world.run_until_active(&[0, 1, 2], back + 2 * SECOND).is_some(),
            "{seed}"
        );
        same += u64::from(world.active_nodes() == [0] && world.nodes[0].epoch(0) == epoch);
    }
    println!("after an outage: the same node in {same} of 40 cases");
    assert!(same >= 20, "{same}");
}

#[test]
fn a_failover_of_the_store_within_a_lease_costs_nothing() {
    let mut world = running(1, false, 40 * SECOND);
    world.schedule(40 * SECOND, Fault::StoreDown);
    world.schedule(44 * SECOND, Fault::StoreUp(Loss::Renamed));
    for second in 41..100 {
        world.run_until(second * SECOND).expect("no broken promise");
        assert_eq!(world.active_nodes(), [0], "{second}");
    }
}

#[test]
fn a_restart_within_a_lease_costs_nothing() {
    let mut world = running(1, true, 40 * SECOND);
    let epoch = world.nodes[0].epoch(0);
    world.schedule(40 * SECOND, Fault::Kill(0));
    world.schedule(43 * SECOND, Fault::Start(0));
    for tenth in 400..1000 {
        world.run_until(tenth * SECOND / 10).expect("no broken promise");
        assert_eq!(world.active_nodes(), [0], "{tenth}");
    }
    assert_eq!(world.nodes[0].epoch(0), epoch);
}

#[test]
fn a_handover_goes_to_a_higher_priority_and_never_to_an_equal_one() {
    let mut world = world_without_faults(&[SLOW, FAST], 1);
    world.start_all(30 * SECOND);
    world.run_until(100 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0]);
    world.schedule(100 * SECOND, Fault::Priority(1, 7));
    let at = world.run_until_active(&[1], 120 * SECOND).expect("handed over");
    assert!(at < 110 * SECOND, "{at}");
    world.run_until(200 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [1]);
}

#[test]
fn a_draining_node_keeps_its_lease_until_its_jobs_have_ended() {
    let mut world = running(1, true, 40 * SECOND);
    world.schedule(40 * SECOND, Fault::Drain(0, true));
    world.run_until(90 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0], "running jobs go on");
    world.schedule(90 * SECOND, Fault::Drained(0));
    let limit = 90 * SECOND + SETTLE + 200 * MILLISECOND;
    assert!(world.run_until_active(&[1, 2], limit).is_some());
}

#[test]
fn a_node_that_cannot_write_its_state_file_does_not_win() {
    let mut world = running(1, true, 40 * SECOND);
    world.schedule(40 * SECOND, Fault::Writable(1, false));
    world.schedule(60 * SECOND, Fault::Kill(0));
    assert!(world.run_until_active(&[2], 75 * SECOND).is_some());
    world.run_until(100 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [2]);
}

#[test]
fn a_holder_that_can_no_longer_write_its_state_file_releases_the_cluster() {
    let mut world = running(1, true, 40 * SECOND);
    world.schedule(40 * SECOND, Fault::Writable(0, false));
    assert!(world.run_until_active(&[1, 2], 40 * SECOND + 2 * LEASE).is_some());
}

#[test]
fn a_second_node_of_the_same_name_takes_no_part() {
    let mut world = world_without_faults(&[TRUE_RATE, TRUE_RATE], 1);
    world.nodes[1].name = world.nodes[0].name.clone();
    world.trace = Some(Vec::new());
    world.start_all(20 * SECOND);
    world.run_until(100 * SECOND).expect("no broken promise");
    assert_eq!(world.active_nodes(), [0]);
    let trace = world.trace.take().unwrap_or_default();
    assert_eq!(
        trace.iter().filter(|line| line.contains("n1 says NameTaken")).count(),
        1
    );
}

#[test]
fn a_silent_store_is_reported_once() {
    let mut world = running(1, true, 40 * SECOND);
    world.trace = Some(Vec::new());
    world.schedule(40 * SECOND, Fault::StoreDown);
    world.run_until(400 * SECOND).expect("no broken promise");
    let trace = world.trace.take().unwrap_or_default();
    assert_eq!(
        trace.iter().filter(|line| line.contains("n0 says StoreSilent")).count(),
        1
    );
}

#[test]
fn a_hundred_clusters_move_together() -> Result<(), Violation> {
    let world = world_without_faults(&[TRUE_RATE, TRUE_RATE], 1);
    let config = world.nodes[0].configs[0].clone();
    let clusters = (0..100).map(|cluster| ClusterConfig {
        name: lease::ClusterName::new(&format!("c{cluster}")),
        ..config.clone()
    });
    let configs: Vec<_> = clusters.collect();
    let nodes = world.nodes.iter().enumerate();
    let nodes = nodes.map(|(index, node)| simulation::node::Node::new(index, node.clock, configs.clone()));
    let mut world = World::new(nodes.collect(), world.store.clone(), world.profile, 1);
    world.start_all(15 * SECOND);
    world.schedule(40 * SECOND, Fault::Kill(0));
    world.run_until(60 * SECOND)?;
    for cluster in 0..100 {
        assert_eq!(world.nodes[1].epoch(cluster), Some(2), "{cluster}");
    }
    Ok(())
}
