//! A history: servers, a fault profile and faults, all from one seed.

use crate::checker::{Broken, Violation, permits_grants};
use crate::clock::Clock;
use crate::faults::{Fault, FaultProfile, Spoilt};
use crate::node::Node;
use crate::random::Random;
use crate::store::{Loss, Store};
use crate::witness::Witness;
use crate::world::World;
use crate::{MILLISECOND, Micros, SECOND};
use lease::{ClusterConfig, ClusterName, LARGEST_EPOCH, Mutation, RunOn, Timing};
use std::time::Duration;

/// How long faults begin, in leases.
const LEASES: u64 = 12;

/// The result of a history.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first broken promise.
    pub violation: Option<Violation>,
    /// How many events there were.
    pub events: u64,
    /// What happened, line by line, if a trace was requested.
    pub trace: Vec<String>,
}

/// Runs the history of this seed.
#[must_use]
pub fn run_history(seed: u64, mutation: Option<Mutation>, trace: bool) -> Outcome {
    let mut random = Random::new(seed);
    random.bits();
    let lease = random.one_of(&[SECOND, SECOND, SECOND, 2 * SECOND, 3 * SECOND]);
    let mut world = random_world(&mut random, lease);
    // Numbers of its own: histories in which nothing is shared stay the same.
    let mut shares = Random::new(!seed);
    let is_shared = shares.per_mille(400);
    world.mutation = mutation;
    world.trace = trace.then(Vec::new);
    let end = LEASES * lease;
    let nodes = world.nodes.len();
    for node in 0..nodes {
        world.schedule(random.below(lease), Fault::Start(node));
    }
    let leases_differ = schedule_faults(&mut random, &mut world, lease, end);
    if is_shared {
        share_clusters(&mut shares, &mut world, leases_differ);
    }
    if is_shared && !leases_differ {
        schedule_shares(&mut shares, &mut world, lease, end);
    }
    let result = world.run_until(end).and_then(|()| heal(&mut world, lease, end));
    Outcome {
        violation: result.err(),
        events: world.events,
        trace: world.trace.take().unwrap_or_default(),
    }
}

/// All faults end. A while later each cluster must have an active node.
fn heal(world: &mut World, lease: Micros, end: Micros) -> Result<(), Violation> {
    let timing = world.nodes[0].configs[0].timing;
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(0);
    let (settle, grace) = (micros(timing.settle()), micros(timing.grace()));
    // Two waits: one for a new incarnation, and one for a session that was lost at the very end. A fault may have made a lease longer.
    let configs = world.nodes.iter().flat_map(|node| &node.configs);
    let longest = configs.map(|config| micros(config.timing.lease().get())).max();
    let longest = longest.unwrap_or(lease).max(2 * lease);
    let calm = 2 * (longest + longest / 10 + grace) + settle + 2 * SECOND;
    world.schedule(end, Fault::Heal);
    world.run_until(end + calm)?;
    for cluster in 0..world.nodes[0].configs.len() {
        let is_active = |node: &Node| node.configs[cluster].run_on == RunOn::Active;
        if world.nodes.iter().any(is_active) {
            let checker = &world.checker;
            checker.check_somebody_active(end + calm, cluster, settle + grace * 2 + SECOND)?;
        }
        let mut others = world.nodes.iter().enumerate().filter(|(_, node)| !is_active(node));
        if let Some((node, _)) = others.find(|(_, node)| !permits_grants(node, cluster, end + calm)) {
            let what = Broken::NotShared { cluster, node };
            return Err(Violation { at: end + calm, what });
        }
    }
    Ok(())
}

fn random_world(random: &mut Random, lease: Micros) -> World {
    let nodes = random.one_of(&[2, 3, 3, 3, 4]);
    let clusters = random.one_of(&[1, 1, 1, 2]);
    let settle = random.one_of(&[0, lease / 10, lease / 2]);
    let grace = random.one_of(&[0, 0, 0, lease / 2]);
    let delay = random.one_of(&[0, lease / 2]);
    let duration = Duration::from_micros;
    let priorities = random.one_of(&[0, 0, 1]);
    let longer = random.between(1, 2);
    let servers = (0..nodes).map(|node| {
        let any_rate = 990_000 + random.below(20_001);
        let configs = (0..clusters).map(|cluster| {
            // The second cluster's lease may be longer than the first one's.
            let lease = if cluster == 1 { lease * longer } else { lease };
            ClusterConfig {
                name: ClusterName::new(if cluster == 0 { "c0" } else { "c1" }),
                timing: Timing::new(duration(lease), duration(settle), duration(grace), duration(delay))
                    .expect("within their limits"),
                priority: priorities * u32::try_from(node).unwrap_or(0),
                run_on: RunOn::Active,
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
    let has_incarnation = !random.per_mille(200);
    let store = Store::new(has_incarnation, has_incarnation && random.per_mille(500));
    let profile = random_profile(random, lease);
    World::new(servers, store, profile, random.bits())
}

/// Nodes share some clusters. Where leases differ, all nodes share a cluster or none does (docs/design/lease.md, "Assumptions").
fn share_clusters(random: &mut Random, world: &mut World, leases_differ: bool) {
    let all = leases_differ || random.per_mille(500);
    for cluster in 0..world.nodes[0].configs.len() {
        let is_shared = cluster == 0 || random.per_mille(500);
        for node in &mut world.nodes {
            if is_shared && (all || random.per_mille(500)) {
                node.configs[cluster].run_on = RunOn::Any;
            }
        }
    }
    world.witness = Some(Witness::new(!leases_differ));
}

/// The configuration of some nodes changes.
fn schedule_shares(random: &mut Random, world: &mut World, lease: Micros, end: Micros) {
    let mut at = random.below(4 * lease);
    while at < end {
        let node = random.index(world.nodes.len());
        let cluster = random.index(world.nodes[node].configs.len());
        let run_on = random.one_of(&[RunOn::Active, RunOn::Any]);
        world.schedule(at, Fault::RunOn(node, cluster, run_on));
        at += random.between(lease / 4, 6 * lease);
    }
}

pub(crate) fn random_profile(random: &mut Random, lease: Micros) -> FaultProfile {
    let mut some = |chance: u64, most: u64| {
        if random.per_mille(chance) {
            random.between(1, most)
        } else {
            0
        }
    };
    FaultProfile {
        min_delay: 200,
        usual_delay: 200 + some(700, 5 * MILLISECOND) + some(200, 100 * MILLISECOND),
        late_messages: some(500, 100),
        max_delay: 1 + some(1000, 2 * lease),
        lost_requests: some(500, 200),
        lost_answers: some(500, 200),
        duplicates: some(500, 300),
        pauses: some(500, 30),
        max_pause: 101 + some(1000, 2 * lease),
        slow_writes: some(300, 200),
        failed_writes: some(200, 50),
        hints: some(500, 1) == 1,
    }
}

/// Returns whether leases differ.
fn schedule_faults(random: &mut Random, world: &mut World, lease: Micros, end: Micros) -> bool {
    let mut at = lease;
    // Nodes learn from records only that leases differ. So where they do, no records may be lost.
    let leases_differ = random.per_mille(250);
    let density = random.between(lease / 4, 3 * lease);
    while at < end {
        schedule_fault(random, world, at, end, lease, leases_differ);
        at += random.below(density * 2);
    }
    leases_differ
}

/// Schedules one fault, and its end.
pub(crate) fn schedule_fault(
    random: &mut Random,
    world: &mut World,
    at: Micros,
    end: Micros,
    lease: Micros,
    leases_differ: bool,
) {
    let node = random.index(world.nodes.len());
    let duration = if random.per_mille(500) {
        random.below(lease / 2)
    } else {
        random.between(lease / 2, 3 * lease)
    };
    let later = at + duration;
    let has_incarnation = world.store.has_incarnation();
    let mut between = |first: Fault, last: Fault| {
        world.schedule(at, first);
        world.schedule(later, last);
    };
    match random.below(23) {
        0..=2 => world.schedule(at, Fault::Pause(node, duration)),
        3 | 4 => between(Fault::Kill(node), Fault::Start(node)),
        5 => between(Fault::Reboot(node), Fault::Start(node)),
        6 if random.per_mille(300) => {
            world.schedule(at, Fault::LoseDisk(node));
            world.schedule(at, Fault::Reboot(node));
            world.schedule(later, Fault::Start(node));
        }
        6 | 7 => between(Fault::CutRequests(node, true), Fault::CutRequests(node, false)),
        8 => between(Fault::CutAnswers(node, true), Fault::CutAnswers(node, false)),
        9 => {
            between(Fault::CutRequests(node, true), Fault::CutRequests(node, false));
            between(Fault::CutAnswers(node, true), Fault::CutAnswers(node, false));
        }
        10 | 11 => between(
            Fault::StoreDown,
            Fault::StoreUp(random_loss(random, has_incarnation, leases_differ)),
        ),
        12 => {
            let loss = random_loss(random, has_incarnation, leases_differ);
            world.schedule(at, Fault::StoreLoses(loss));
        }
        13 => world.schedule(at, Fault::Snapshot),
        14 if random.per_mille(500) => between(Fault::Writable(node, false), Fault::Writable(node, true)),
        14 => between(Fault::Saving(node, false), Fault::Saving(node, true)),
        15 => between(Fault::Drain(node, false), Fault::Undrain(node)),
        16 => {
            world.schedule(at, Fault::Drain(node, true));
            let last = random.one_of(&[Fault::Drained(node), Fault::Undrain(node)]);
            world.schedule(at + duration / 2, last);
            world.schedule(later, Fault::Undrain(node));
        }
        17 => between(Fault::Stop(node), Fault::Start(node)),
        18 => {
            let priority = u32::try_from(random.below(4)).unwrap_or(0);
            world.schedule(at, Fault::Priority(node, priority));
        }
        19 => world.schedule(at, Fault::SpoilSession(node)),
        20 => between(Fault::SpoilSession(node), Fault::SpoilSession(node)),
        // The administrator, who deletes the record when all faults end, waits until the last holder is passive.
        21 if !leases_differ && at + 6 * lease < end => {
            let cluster = random.index(world.nodes[0].configs.len());
            let spoilt = random.one_of(&[Spoilt::Bytes, Spoilt::Epoch(u64::MAX), Spoilt::Epoch(LARGEST_EPOCH + 1)]);
            world.schedule(at, Fault::SpoilCluster(cluster, spoilt));
        }
        _ if leases_differ => {
            let other = random.one_of(&[lease, 2 * lease, SECOND, 5 * SECOND / 4]);
            world.schedule(at, Fault::Lease(node, other));
        }
        _ => world.schedule(at, Fault::Pause(node, duration)),
    }
}

/// A store without an incarnation that goes back is not covered (docs/design/lease.md, "Assumptions").
fn random_loss(random: &mut Random, has_incarnation: bool, leases_differ: bool) -> Loss {
    if leases_differ {
        random.one_of(&[Loss::None, Loss::Renamed])
    } else if has_incarnation {
        random.one_of(&[Loss::None, Loss::Renamed, Loss::All, Loss::Back, Loss::Back])
    } else {
        random.one_of(&[Loss::None, Loss::None, Loss::All])
    }
}
