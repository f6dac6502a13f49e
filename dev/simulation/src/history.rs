//! A history: servers, weather and faults, all from one number.

use crate::checker::Violation;
use crate::clock::Clock;
use crate::faults::{Fault, Weather};
use crate::node::Node;
use crate::random::Random;
use crate::store::{Loss, Store};
use crate::world::World;
use crate::{MILLISECOND, Micros, SECOND};
use lease::{ClusterConfig, ClusterName, Mutation, Timing};
use std::time::Duration;

/// How long faults go on, in leases.
const LEASES: u64 = 12;

/// What came of a history.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first thing that must not be.
    pub violation: Option<Violation>,
    /// How many events it had.
    pub events: u64,
    /// What happened, if it was asked for.
    pub trace: Vec<String>,
}

/// Runs the history of this number.
#[must_use]
pub fn run(seed: u64, mutation: Option<Mutation>, trace: bool) -> Outcome {
    let mut random = Random::new(seed);
    random.bits();
    let lease = random.one_of(&[SECOND, SECOND, SECOND, 2 * SECOND, 3 * SECOND]);
    let mut world = world(&mut random, lease);
    world.mutation = mutation;
    world.trace = trace.then(Vec::new);
    let end = LEASES * lease;
    let nodes = world.nodes.len();
    for node in 0..nodes {
        world.at(random.below(lease), Fault::Start(node));
    }
    faults(&mut random, &mut world, lease, end);
    let violation = world.run(end).and_then(|()| quiet(&mut world, lease, end)).err();
    Outcome {
        violation,
        events: world.events,
        trace: world.trace.take().unwrap_or_default(),
    }
}

/// All faults end, and a while later each cluster must have somebody.
fn quiet(world: &mut World, lease: Micros, end: Micros) -> Result<(), Violation> {
    let timing = world.nodes[0].configs[0].timing;
    let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(0);
    let (settle, grace) = (micros(timing.settle()), micros(timing.grace()));
    // Two waits: one for a new incarnation, and one for a session that was lost at the very end. A lease may have been configured longer.
    let longest = world
        .nodes
        .iter()
        .flat_map(|node| &node.configs)
        .map(|config| micros(config.timing.lease().get()));
    let longest = longest.max().unwrap_or(lease).max(2 * lease);
    let calm = 2 * (longest + longest / 10 + grace) + settle + 2 * SECOND;
    world.at(end, Fault::Heal);
    world.run(end + calm)?;
    for cluster in 0..world.nodes[0].configs.len() {
        world
            .checker
            .somebody(end + calm, cluster, settle + grace * 2 + SECOND)?;
    }
    Ok(())
}

fn world(random: &mut Random, lease: Micros) -> World {
    let nodes = random.one_of(&[2, 3, 3, 3, 4]);
    let clusters = random.one_of(&[1, 1, 1, 2]);
    let settle = random.one_of(&[0, lease / 10]);
    let grace = random.one_of(&[0, 0, 0, lease / 2]);
    let delay = random.one_of(&[0, lease / 2]);
    let span = Duration::from_micros;
    let priorities = random.one_of(&[0, 0, 1]);
    let longer = random.between(1, 2);
    let servers = (0..nodes).map(|node| {
        let any_rate = 990_000 + random.below(20_001);
        let configs = (0..clusters).map(|cluster| {
            // The second cluster's lease may be longer than the first one's.
            let lease = if cluster == 1 { lease * longer } else { lease };
            ClusterConfig {
                name: ClusterName::new(if cluster == 0 { "c0" } else { "c1" }),
                timing: Timing::new(span(lease), span(settle), span(grace), span(delay)).expect("good spans"),
                priority: priorities * u32::try_from(node).unwrap_or(0),
            }
        });
        let configs = configs.collect();
        let clock = Clock {
            booted: 0,
            offset: random.below(1000 * SECOND),
            rate: random.one_of(&[990_000, 1_010_000, 1_000_000, any_rate]),
        };
        Node::new(node, clock, configs)
    });
    let servers: Vec<_> = servers.collect();
    let incarnate = !random.per_mille(200);
    let store = Store::new(incarnate, incarnate && random.per_mille(500));
    let weather = weather(random, lease);
    World::new(servers, store, weather, random.bits())
}

fn weather(random: &mut Random, lease: Micros) -> Weather {
    let mut some = |chance: u64, most: u64| {
        if random.per_mille(chance) {
            random.between(1, most)
        } else {
            0
        }
    };
    Weather {
        quick: 200,
        slow: 200 + some(700, 5 * MILLISECOND) + some(200, 100 * MILLISECOND),
        strays: some(500, 100),
        stray: 1 + some(1000, 2 * lease),
        lost_requests: some(500, 200),
        lost_answers: some(500, 200),
        duplicates: some(500, 300),
        pauses: some(500, 30),
        pause: 101 + some(1000, 2 * lease),
        slow_writes: some(300, 200),
        failed_writes: some(200, 50),
        hints: some(500, 1) == 1,
    }
}

fn faults(random: &mut Random, world: &mut World, lease: Micros, end: Micros) {
    let mut at = lease;
    // Leases that differ between nodes are told by records only, so then none may be lost.
    let other_leases = random.per_mille(250);
    let density = random.between(lease / 4, 3 * lease);
    while at < end {
        fault(random, world, at, lease, other_leases);
        at += random.below(density * 2);
    }
}

/// One fault, and its end.
fn fault(random: &mut Random, world: &mut World, at: Micros, lease: Micros, other_leases: bool) {
    let lossy = !other_leases;
    let node = random.index(world.nodes.len());
    let span = if random.per_mille(500) {
        random.below(lease / 2)
    } else {
        random.between(lease / 2, 3 * lease)
    };
    let later = at + span;
    let mut plan = |first: Fault, last: Option<Fault>| {
        world.at(at, first);
        if let Some(last) = last {
            world.at(later, last);
        }
    };
    match random.below(20) {
        0..=2 => plan(Fault::Pause(node, span), None),
        3 | 4 => plan(Fault::Kill(node), Some(Fault::Start(node))),
        5 => plan(Fault::Reboot(node), Some(Fault::Start(node))),
        6 if random.per_mille(300) => {
            plan(Fault::LoseDisk(node), None);
            plan(Fault::Reboot(node), Some(Fault::Start(node)));
        }
        6 | 7 => plan(Fault::CutTo(node, true), Some(Fault::CutTo(node, false))),
        8 => plan(Fault::CutFrom(node, true), Some(Fault::CutFrom(node, false))),
        9 => {
            plan(Fault::CutTo(node, true), Some(Fault::CutTo(node, false)));
            plan(Fault::CutFrom(node, true), Some(Fault::CutFrom(node, false)));
        }
        10 | 11 => {
            let loss = loss(random, world.store.is_incarnate(), lossy);
            world.at(at, Fault::StoreDown);
            world.at(later, Fault::StoreUp(loss));
        }
        12 => {
            let loss = loss(random, world.store.is_incarnate(), lossy);
            world.at(at, Fault::StoreLoses(loss));
        }
        13 => plan(Fault::Snapshot, None),
        14 => plan(Fault::Writable(node, false), Some(Fault::Writable(node, true))),
        15 => plan(Fault::Drain(node, false), Some(Fault::Undrain(node))),
        16 => {
            world.at(at, Fault::Drain(node, true));
            let last = random.one_of(&[Fault::Drained(node), Fault::Undrain(node)]);
            world.at(at + span / 2, last);
            world.at(later, Fault::Undrain(node));
        }
        17 => plan(Fault::Stop(node), Some(Fault::Start(node))),
        18 => plan(Fault::Priority(node, u32::try_from(random.below(4)).unwrap_or(0)), None),
        _ if other_leases => {
            let other = random.one_of(&[lease, 2 * lease, SECOND, 5 * SECOND / 4]);
            plan(Fault::Lease(node, other), None);
        }
        _ => plan(Fault::Pause(node, span), None),
    }
}

/// Without an incarnation a store that goes back is not covered.
fn loss(random: &mut Random, incarnate: bool, lossy: bool) -> Loss {
    if !lossy {
        random.one_of(&[Loss::None, Loss::Renamed])
    } else if incarnate {
        random.one_of(&[Loss::None, Loss::Renamed, Loss::All, Loss::Back, Loss::Back])
    } else {
        random.one_of(&[Loss::None, Loss::None, Loss::All])
    }
}
