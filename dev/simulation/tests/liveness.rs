//! How soon somebody is active, where nothing hinders it.

use lease::ClusterConfig;
use simulation::checker::Violation;
use simulation::faults::Fault;
use simulation::scene::quiet;
use simulation::store::Loss;
use simulation::world::World;
use simulation::{MILLISECOND, Micros, SECOND};

const RIGHT: u64 = 1_000_000;
const SLOW: u64 = 990_000;
const FAST: u64 = 1_010_000;
const LEASE: Micros = 10 * SECOND;
const SETTLE: Micros = SECOND;

/// n0 is active, n1 and n2 are candidates; it is this time.
fn running(seed: u64, hints: bool, time: Micros) -> World {
    let mut world = quiet(&[RIGHT, SLOW, FAST], seed);
    world.weather.hints = hints;
    world.start_all(15 * SECOND);
    world.run(time).expect("quiet");
    assert_eq!(world.active(), [0]);
    world
}

#[test]
fn a_crash_is_followed_by_another_active_node_within_a_lease_a_tenth_a_second_and_settle() {
    let mut longest = 0;
    for seed in 0..40 {
        let time = 40 * SECOND + seed * 97 * MILLISECOND;
        let mut world = running(seed, false, time);
        world.at(time, Fault::Kill(0));
        let limit = time + LEASE + LEASE / 10 + SECOND + SETTLE;
        let at = world.run_until_active(&[1, 2], limit);
        longest = longest.max(at.unwrap_or_else(|| panic!("nobody after {limit} µs, seed {seed}")) - time);
    }
    println!("crash: at most {} ms", longest / MILLISECOND);
}

#[test]
fn a_drained_node_is_followed_within_settle_and_200_ms() {
    for seed in 0..40 {
        let time = 40 * SECOND + seed * 97 * MILLISECOND;
        let mut world = running(seed, true, time);
        world.at(time, Fault::Drain(0, false));
        assert!(
            world
                .run_until_active(&[1, 2], time + SETTLE + 200 * MILLISECOND)
                .is_some(),
            "{seed}"
        );
        world.run(time + 100 * SECOND).expect("quiet");
        assert!(!world.active().contains(&0), "drained");
    }
}

#[test]
fn a_node_that_stops_is_followed_within_settle_and_200_ms() {
    for seed in 0..40 {
        let time = 40 * SECOND + seed * 97 * MILLISECOND;
        let mut world = running(seed, true, time);
        world.at(time, Fault::Stop(0));
        assert!(
            world
                .run_until_active(&[1, 2], time + SETTLE + 200 * MILLISECOND)
                .is_some(),
            "{seed}"
        );
        assert!(world.nodes[0].process.is_none(), "it has ended");
    }
}

#[test]
fn without_the_store_nobody_is_active_and_2_s_after_its_return_somebody_is() {
    let mut same = 0;
    for seed in 0..40 {
        let time = 40 * SECOND + seed * 97 * MILLISECOND;
        let mut world = running(seed, false, time);
        let epoch = world.nodes[0].epoch(0);
        world.at(time, Fault::StoreDown);
        world.run(time + LEASE).expect("quiet");
        assert_eq!(world.active(), [0; 0]);
        let back = time + 60 * SECOND;
        world.at(back, Fault::StoreUp(Loss::None));
        world.run(back).expect("quiet");
        // Mostly n0, with its old epoch. A call that hangs when the store returns may cost n0 a second, and its turn.
        assert!(
            world.run_until_active(&[0, 1, 2], back + 2 * SECOND).is_some(),
            "{seed}"
        );
        same += u64::from(world.active() == [0] && world.nodes[0].epoch(0) == epoch);
    }
    println!("the store is back: the same node in {same} of 40");
    assert!(same >= 20, "{same}");
}

#[test]
fn a_failover_of_the_store_within_a_lease_costs_nothing() {
    let mut world = running(1, false, 40 * SECOND);
    world.at(40 * SECOND, Fault::StoreDown);
    world.at(44 * SECOND, Fault::StoreUp(Loss::Renamed));
    for second in 41..100 {
        world.run(second * SECOND).expect("quiet");
        assert_eq!(world.active(), [0], "{second}");
    }
}

#[test]
fn a_restarted_daemon_goes_on_with_its_lease() {
    let mut world = running(1, true, 40 * SECOND);
    let epoch = world.nodes[0].epoch(0);
    world.at(40 * SECOND, Fault::Kill(0));
    world.at(43 * SECOND, Fault::Start(0));
    for tenth in 400..1000 {
        world.run(tenth * SECOND / 10).expect("quiet");
        assert_eq!(world.active(), [0], "{tenth}");
    }
    assert_eq!(world.nodes[0].epoch(0), epoch);
}

#[test]
fn a_node_of_higher_priority_gets_the_cluster_by_a_handover_and_one_of_equal_priority_never() {
    let mut world = quiet(&[SLOW, FAST], 1);
    world.start_all(30 * SECOND);
    world.run(100 * SECOND).expect("quiet");
    assert_eq!(world.active(), [0]);
    world.at(100 * SECOND, Fault::Priority(1, 7));
    let at = world.run_until_active(&[1], 120 * SECOND).expect("handed over");
    assert!(at < 110 * SECOND, "{at}");
    world.run(200 * SECOND).expect("quiet");
    assert_eq!(world.active(), [1]);
}

#[test]
fn a_draining_node_keeps_its_lease_until_its_jobs_have_ended() {
    let mut world = running(1, true, 40 * SECOND);
    world.at(40 * SECOND, Fault::Drain(0, true));
    world.run(90 * SECOND).expect("quiet");
    assert_eq!(world.active(), [0], "running jobs go on");
    world.at(90 * SECOND, Fault::Drained(0));
    let limit = 90 * SECOND + SETTLE + 200 * MILLISECOND;
    assert!(world.run_until_active(&[1, 2], limit).is_some());
}

#[test]
fn who_cannot_write_its_state_file_does_not_win() {
    let mut world = running(1, true, 40 * SECOND);
    world.at(40 * SECOND, Fault::Writable(1, false));
    world.at(60 * SECOND, Fault::Kill(0));
    assert!(world.run_until_active(&[2], 75 * SECOND).is_some());
    world.run(100 * SECOND).expect("quiet");
    assert_eq!(world.active(), [2]);
}

#[test]
fn a_holder_that_cannot_write_its_state_file_any_more_gives_the_cluster_away() {
    let mut world = running(1, true, 40 * SECOND);
    world.at(40 * SECOND, Fault::Writable(0, false));
    assert!(world.run_until_active(&[1, 2], 40 * SECOND + 2 * LEASE).is_some());
}

#[test]
fn a_second_living_node_of_the_same_name_stays_out() {
    let mut world = quiet(&[RIGHT, RIGHT], 1);
    world.nodes[1].name = world.nodes[0].name.clone();
    world.trace = Some(Vec::new());
    world.start_all(20 * SECOND);
    world.run(100 * SECOND).expect("quiet");
    assert_eq!(world.active(), [0]);
    let told = world.trace.take().unwrap_or_default();
    assert_eq!(told.iter().filter(|line| line.contains("n1 says NameTaken")).count(), 1);
}

#[test]
fn a_silent_store_is_told_once() {
    let mut world = running(1, true, 40 * SECOND);
    world.trace = Some(Vec::new());
    world.at(40 * SECOND, Fault::StoreDown);
    world.run(400 * SECOND).expect("quiet");
    let told = world.trace.take().unwrap_or_default();
    assert_eq!(
        told.iter().filter(|line| line.contains("n0 says StoreSilent")).count(),
        1
    );
}

#[test]
fn a_hundred_clusters_are_held_by_one_session_and_move_together() -> Result<(), Violation> {
    let world = quiet(&[RIGHT, RIGHT], 1);
    let config = world.nodes[0].configs[0].clone();
    let clusters = (0..100).map(|cluster| ClusterConfig {
        name: lease::ClusterName::new(&format!("c{cluster}")),
        ..config.clone()
    });
    let configs: Vec<_> = clusters.collect();
    let nodes = world.nodes.iter().enumerate();
    let nodes = nodes.map(|(index, node)| simulation::node::Node::new(index, node.clock, configs.clone()));
    let mut world = World::new(nodes.collect(), world.store.clone(), world.weather, 1);
    world.start_all(15 * SECOND);
    world.at(40 * SECOND, Fault::Kill(0));
    world.run(60 * SECOND)?;
    for cluster in 0..100 {
        assert_eq!(world.nodes[1].epoch(cluster), Some(2), "{cluster}");
    }
    Ok(())
}
