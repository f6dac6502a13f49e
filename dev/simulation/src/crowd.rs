//! What many nodes cost one store, in fine weather: the real machines, each with its clusters, and every call counted.

use crate::clock::Clock;
use crate::node::{Node, Process};
use crate::store::Store;
use crate::{MILLISECOND, Micros, SECOND};
use lease::{Action, ClusterConfig, ClusterName, Input, Key, Timing};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

/// One way of a message.
const WAY: Micros = MILLISECOND / 2;

/// How many there are.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Servers of one crontab: they have the same clusters.
    pub group: usize,
    /// Such groups.
    pub groups: usize,
    /// Clusters of each group.
    pub clusters: usize,
    /// The lease.
    pub lease: Duration,
    /// Whether the store's watch works.
    pub watch: bool,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bill {
    /// Over so long.
    pub seconds: u64,
    /// Reads.
    pub reads: u64,
    /// Records that were asked for in them.
    pub keys: u64,
    /// Changes.
    pub changes: u64,
    /// Changes that were refused.
    pub refused: u64,
    /// Records that were written in them.
    pub writes: u64,
    /// News of changes.
    pub hints: u64,
    /// Keys that are watched, by all.
    pub watched: u64,
    /// Clusters that have an active node at the end.
    pub active: usize,
}

/// Something that comes to a node.
type Event = Reverse<(Micros, u64, usize)>;

struct Crowd {
    now: Micros,
    nodes: Vec<Node>,
    store: Store,
    size: Size,
    bill: Bill,
    queue: BinaryHeap<Event>,
    inputs: BTreeMap<u64, Input>,
    sequence: u64,
    watchers: BTreeMap<String, BTreeSet<usize>>,
    watched: Vec<Vec<String>>,
}

/// Runs them until everything is held, and counts for a minute then.
///
/// # Panics
/// If the lease is none.
#[must_use]
pub fn count(size: Size) -> Bill {
    let mut crowd = Crowd::new(size);
    let settled = 3 * u64::try_from(size.lease.as_micros()).expect("minutes") + 5 * SECOND;
    crowd.run(settled);
    crowd.bill = Bill::default();
    crowd.run(settled + 60 * SECOND);
    crowd.settle_bill(60)
}

impl Crowd {
    fn new(size: Size) -> Self {
        let second = Duration::from_secs(1);
        let timing = Timing::new(size.lease, second, Duration::ZERO, 30 * second).expect("a lease");
        let config = |group: usize, cluster: usize| ClusterConfig {
            name: ClusterName::new(&format!("g{group}c{cluster}")),
            timing,
            priority: 100,
        };
        let node = |index: usize| {
            let group = index / size.group;
            let clock = Clock {
                booted: 0,
                offset: SECOND * (1 + index as u64),
                rate: 1_000_000,
            };
            Node::new(
                index,
                clock,
                (0..size.clusters).map(|cluster| config(group, cluster)).collect(),
            )
        };
        let count = size.group * size.groups;
        let mut crowd = Self {
            now: 0,
            nodes: (0..count).map(node).collect(),
            store: Store::new(true, true),
            size,
            bill: Bill::default(),
            queue: BinaryHeap::new(),
            inputs: BTreeMap::new(),
            sequence: 0,
            watchers: BTreeMap::new(),
            watched: vec![Vec::new(); count],
        };
        for index in 0..count {
            // Not all in one instant, as machines are.
            let start = (index as u64).wrapping_mul(7919) % 1000 * MILLISECOND;
            crowd.nodes[index].start(start, [index as u64, 1], None);
            if size.watch {
                crowd.put(start, index, Input::Watching(true));
            }
            crowd.put(start, index, Input::Tick);
        }
        crowd
    }

    fn put(&mut self, at: Micros, node: usize, input: Input) {
        self.sequence += 1;
        self.inputs.insert(self.sequence, input);
        self.queue.push(Reverse((at, self.sequence, node)));
    }

    fn run(&mut self, end: Micros) {
        while let Some(Reverse((at, sequence, node))) = self.queue.peek().copied() {
            if at > end {
                break;
            }
            self.queue.pop();
            self.now = at;
            let Some(input) = self.inputs.remove(&sequence) else {
                continue;
            };
            let is_stale = input == Input::Tick && self.process(node).wake.is_some_and(|wake| wake != at);
            if !is_stale {
                self.step(node, input);
            }
        }
        self.now = end;
    }

    fn process(&mut self, node: usize) -> &mut Process {
        self.nodes[node].process.as_mut().expect("never stopped")
    }

    fn step(&mut self, node: usize, input: Input) {
        let now = self.nodes[node].clock.at(self.now);
        let mut actions = Vec::new();
        self.process(node).machine.step(now, input, &mut actions);
        for action in actions {
            self.execute(node, action);
        }
    }

    fn execute(&mut self, node: usize, action: Action) {
        match action {
            Action::Read { call, keys, .. } => {
                self.bill.reads += 1;
                self.bill.keys += keys.len() as u64;
                let reading = self.store.read(&keys);
                self.watch(node, &keys);
                self.put(self.now + 2 * WAY, node, Input::Read(call, Some(reading)));
            }
            Action::Change { call, change, .. } => {
                let verdict = self.store.change(&change);
                self.bill.changes += 1;
                if verdict == lease::Verdict::Done {
                    self.bill.writes += change.writes.len() as u64;
                    change.writes.iter().for_each(|(key, _)| self.hint(key));
                } else {
                    self.bill.refused += 1;
                }
                self.put(self.now + 2 * WAY, node, Input::Changed(call, verdict));
            }
            Action::WriteState { cluster, content } => {
                let place = self.nodes[node]
                    .configs
                    .iter()
                    .position(|config| config.name == cluster);
                self.nodes[node].write(place.expect("its own"), content);
                self.put(self.now, node, Input::StateWritten { cluster, done: true });
            }
            Action::PersistEpoch { cluster, epoch } => {
                let done = true;
                self.put(self.now, node, Input::EpochKept { cluster, epoch, done });
            }
            Action::WakeAt(at) => {
                let at = self.nodes[node].clock.when(at);
                if self.process(node).wake.replace(at) != Some(at) {
                    self.put(at, node, Input::Tick);
                }
            }
            Action::KeepIdentity(_) | Action::Notify(_) | Action::Stopped => {}
        }
    }

    /// All but its own session.
    fn watch(&mut self, node: usize, keys: &[Key]) {
        if !self.size.watch {
            return;
        }
        let wanted: Vec<String> = keys.iter().skip(1).map(name).collect();
        if wanted == self.watched[node] {
            return;
        }
        for key in &self.watched[node] {
            if let Some(watchers) = self.watchers.get_mut(key) {
                watchers.remove(&node);
            }
        }
        for key in &wanted {
            self.watchers.entry(key.clone()).or_default().insert(node);
        }
        self.watched[node] = wanted;
    }

    fn hint(&mut self, key: &Key) {
        let watchers: Vec<_> = self.watchers.get(&name(key)).into_iter().flatten().copied().collect();
        self.bill.hints += watchers.len() as u64;
        for node in watchers {
            self.put(self.now + 2 * WAY, node, Input::Hint);
        }
    }

    fn settle_bill(mut self, seconds: u64) -> Bill {
        self.bill.seconds = seconds;
        self.bill.watched = self.watched.iter().map(|keys| keys.len() as u64).sum();
        let clusters = 0..self.size.clusters;
        let active = |node: &Node| {
            clusters
                .clone()
                .filter(|cluster| node.active_end(*cluster).is_some_and(|end| end > self.now))
                .count()
        };
        self.bill.active = self.nodes.iter().map(active).sum();
        self.bill
    }
}

fn name(key: &Key) -> String {
    match key {
        Key::Session(node) => format!("s{}", node.as_str()),
        Key::Cluster(cluster) => format!("c{}", cluster.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(group: usize, groups: usize, clusters: usize, watch: bool) -> Bill {
        count(Size {
            group,
            groups,
            clusters,
            lease: Duration::from_secs(10),
            watch,
        })
    }

    #[test]
    fn a_node_writes_once_each_third_of_a_lease_however_many_clusters_it_has() {
        for watch in [false, true] {
            let (one, many) = (bill(3, 1, 1, watch), bill(3, 1, 100, watch));
            assert_eq!((one.active, many.active), (1, 100));
            assert_eq!((one.refused, many.refused), (0, 0));
            // 60 s / (10 s / 3), and the moments at both ends.
            assert!(
                (51..=57).contains(&one.changes) && (51..=57).contains(&many.changes),
                "{one:?} {many:?}"
            );
        }
    }

    #[test]
    fn groups_cost_as_much_together_as_each_by_itself() {
        let (one, ten) = (bill(3, 1, 1, true), bill(3, 10, 1, true));
        assert_eq!(ten.active, 10);
        assert!(
            ten.reads <= one.reads * 11 && ten.changes <= one.changes * 11,
            "{one:?} {ten:?}"
        );
    }
}
