//! Which faults happen when: decided by the seed alone, before anything happens.

use super::random::Random;
use std::time::Duration;

/// The first faults of a burst begin at its beginning, and the last ones before this.
const BURST: Duration = Duration::from_secs(9);
/// How long a fault lasts: from much less than a lease to more than two.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: [Duration; 3] = [
    Duration::from_millis(600),
    Duration::from_secs(3),
    Duration::from_secs(6),
];
/// How many faults are drawn for a burst. Those that would affect the same thing at the same time are left out.
const DRAWN: usize = 18;
/// Between two faults of the same thing.
const APART: Duration = Duration::from_millis(300);
/// Records may be edited by hand once within a lease. This is more than two of the test's leases.
const EDIT: Duration = Duration::from_secs(5);

const NODES: usize = 3;
const OFFSETS: [i64; 4] = [-86_400, -5, 5, 3600];
const PRIORITIES: [u32; 2] = [50, 200];

/// What a store can suffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    pub(super) servers: usize,
    /// All data may be lost, or a cluster's record. This needs nodes that have all seen the latest epoch and whose disks work:
    /// otherwise a node may use an epoch again (docs/design/lease.md).
    pub(super) loses_data: bool,
    /// Whether wall clocks can be set on this machine.
    pub(super) has_clocks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// To the rcrond of this node.
    Node(usize, NodeFault),
    /// To this server of the store.
    Server(usize, ServerFault),
    /// Packets from or to this node are lost: to this server, or to all servers.
    Cut(usize, Option<usize>, Direction),
    /// This server is cut off from the other servers.
    Split(usize),
    /// This node is cut off from the other nodes, but not from the store.
    Isolate(usize),
    /// Another program writes junk over the record of this node's session.
    SpoilSession(usize),
    /// Another program writes junk over the cluster's record, and an administrator deletes it at the end.
    SpoilCluster,
    /// The only server is killed, loses all data, and starts.
    LoseData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeFault {
    Kill,
    Stop,
    Upgrade,
    Pause,
    Clock(i64),
    Drain,
    Priority(u32),
    FullDisk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerFault {
    Kill,
    Pause,
    Clock(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Both,
    ToServer,
    FromServer,
}

/// A fault, and when it begins and ends, counted from the beginning of its burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) begin: Duration,
    pub(super) end: Duration,
    pub(super) fault: Fault,
}

/// Something that only one fault can affect at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Process(usize),
    Drain(usize),
    Priority(usize),
    Disk(usize),
    Server(usize),
    Records,
    Network(Fault),
}

impl Fault {
    const fn target(self) -> Target {
        match self {
            Self::Node(node, fault) => match fault {
                NodeFault::Drain => Target::Drain(node),
                NodeFault::Priority(_) => Target::Priority(node),
                NodeFault::FullDisk => Target::Disk(node),
                _ => Target::Process(node),
            },
            Self::Server(server, _) => Target::Server(server),
            Self::LoseData => Target::Server(0),
            Self::SpoilSession(_) | Self::SpoilCluster => Target::Records,
            cut => Target::Network(cut),
        }
    }
}

/// The faults of one burst, in the order of their beginnings. At its end everything is healed.
pub(super) fn burst(seed: u64, number: usize, profile: Profile) -> Vec<Planned> {
    let mut random = Random::new(seed ^ (number as u64).rotate_left(40));
    let mut plan: Vec<Planned> = Vec::new();
    // The nodes have just agreed on the epoch.
    let (begin, lasting) = (
        Duration::ZERO,
        [(Fault::LoseData, SHORTEST), (Fault::SpoilCluster, EDIT)],
    );
    if profile.loses_data && number % 2 == 1 {
        let (fault, end) = lasting[number / 2 % 2];
        plan.push(Planned { begin, end, fault });
    }
    for _ in 0..DRAWN {
        let fault = draw(&mut random, profile);
        let begin = random.between(Duration::ZERO, BURST);
        let longest = random.one_of(&LONGEST);
        let end = begin + random.between(SHORTEST, longest);
        let planned = Planned { begin, end, fault };
        if !plan.iter().any(|other| conflict(other, &planned)) {
            plan.push(planned);
        }
    }
    plan.sort_by_key(|planned| planned.begin);
    plan
}

fn draw(random: &mut Random, profile: Profile) -> Fault {
    let (node, server) = (random.below(NODES), random.below(profile.servers));
    match random.below(16) {
        0 | 1 => Fault::Node(node, NodeFault::Kill),
        2 => Fault::Node(node, NodeFault::Stop),
        3 => Fault::Node(node, NodeFault::Upgrade),
        4 | 5 => Fault::Node(node, NodeFault::Pause),
        6 => Fault::Node(node, NodeFault::Drain),
        7 => Fault::Node(node, NodeFault::Priority(random.one_of(&PRIORITIES))),
        8 if !profile.loses_data => Fault::Node(node, NodeFault::FullDisk),
        8 => Fault::SpoilSession(node),
        9 if profile.has_clocks => Fault::Node(node, NodeFault::Clock(random.one_of(&OFFSETS))),
        10 if profile.has_clocks => Fault::Server(server, ServerFault::Clock(random.one_of(&OFFSETS))),
        9..=11 => Fault::Isolate(node),
        12 => Fault::Server(server, random.one_of(&[ServerFault::Kill, ServerFault::Pause])),
        13 if profile.servers > 1 => Fault::Split(server),
        _ => {
            let servers = [None, Some(server)];
            let directions = [Direction::Both, Direction::ToServer, Direction::FromServer];
            Fault::Cut(node, random.one_of(&servers), random.one_of(&directions))
        }
    }
}

fn conflict(one: &Planned, other: &Planned) -> bool {
    let (first, second) = (one.fault.target(), other.fault.target());
    let edits = |target| target == Target::Records;
    if edits(first) && edits(second) {
        // One edit in a burst: between two bursts there is more than a lease.
        return true;
    }
    if one.fault == Fault::LoseData && edits(second) || other.fault == Fault::LoseData && edits(first) {
        return true;
    }
    let overlap = one.begin < other.end + APART && other.begin < one.end + APART;
    // A record cannot be edited while its server does not answer.
    let is_server = |target| matches!(target, Target::Server(_));
    let same = first == second || edits(first) && is_server(second) || edits(second) && is_server(first);
    overlap && same
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDIS: Profile = Profile {
        servers: 1,
        loses_data: true,
        has_clocks: true,
    };

    #[test]
    fn the_seed_decides_the_plan_and_faults_overlap() {
        for number in 0..20 {
            let plan = burst(7, number, REDIS);
            assert_eq!(plan, burst(7, number, REDIS));
            assert_ne!(plan, burst(8, number, REDIS));
            let overlaps = plan.windows(2).filter(|pair| pair[1].begin < pair[0].end).count();
            assert!(plan.len() >= 6 && overlaps >= 2, "{plan:?}");
        }
    }

    #[test]
    fn one_thing_has_one_fault_at_a_time_and_records_are_edited_once() {
        for number in 0..200 {
            let plan = burst(1, number, REDIS);
            for (index, one) in plan.iter().enumerate() {
                for other in &plan[index + 1..] {
                    assert!(!conflict(one, other), "{one:?} {other:?}");
                }
            }
            let edits = plan.iter().filter(|planned| planned.fault.target() == Target::Records);
            assert!(edits.count() <= 1);
        }
    }
}
