//! What many nodes cost one store while nothing goes wrong: the real machines with their clusters, and every call counted.

use crate::clock::{Clock, TRUE_RATE};
use crate::node::{Node, Process};
use crate::queue::Queue;
use crate::store::Store;
use crate::{MILLISECOND, Micros, SECOND};
use lease::{Action, ClusterConfig, ClusterName, Input, Key, RunOn, Timing, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A request and its answer, or a change and the hint at it.
const ROUND_TRIP: Micros = MILLISECOND;

/// How large a workload is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// The servers in a group. All of them have the same clusters.
    pub group: usize,
    /// The number of groups.
    pub groups: usize,
    /// The clusters of each group.
    pub clusters: usize,
    /// The lease of every cluster.
    pub lease: Duration,
    /// Whether the store's watch works.
    pub watch: bool,
}

/// What all nodes together have cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallCounts {
    /// How long the calls were counted.
    pub seconds: u64,
    /// Read calls.
    pub reads: u64,
    /// Records requested in these reads.
    pub keys: u64,
    /// Change calls.
    pub changes: u64,
    /// Changes that the store refused.
    pub refused: u64,
    /// Records written by the other changes.
    pub writes: u64,
    /// Hints sent to nodes.
    pub hints: u64,
    /// Watched keys at the end.
    pub watched: u64,
    /// Clusters with an active node at the end.
    pub active: usize,
}

struct Workload {
    now: Micros,
    nodes: Vec<Node>,
    store: Store,
    size: Size,
    counts: CallCounts,
    queue: Queue<(usize, Input)>,
    /// The nodes that watch a key.
    watchers: BTreeMap<String, BTreeSet<usize>>,
    /// The keys that each node watches.
    watched: Vec<Vec<String>>,
}

/// Runs until every cluster is held, and then counts the calls of one minute.
///
/// # Panics
/// If the lease is outside its limits.
#[must_use]
pub fn count_calls(size: Size) -> CallCounts {
    let mut workload = Workload::new(size);
    let settled = 3 * u64::try_from(size.lease.as_micros()).expect("minutes") + 5 * SECOND;
    workload.run_until(settled);
    workload.counts = CallCounts::default();
    workload.run_until(settled + 60 * SECOND);
    workload.into_counts(60)
}

impl Workload {
    fn new(size: Size) -> Self {
        let second = Duration::from_secs(1);
        let timing = Timing::new(size.lease, second, Duration::ZERO, 30 * second).expect("a lease");
        let config = |group: usize, cluster: usize| ClusterConfig {
            name: ClusterName::new(&format!("g{group}c{cluster}")),
            timing,
            priority: 100,
            run_on: RunOn::Active,
        };
        let node = |index: usize| {
            let clock = Clock {
                booted: 0,
                offset: SECOND * (1 + index as u64),
                rate: TRUE_RATE,
            };
            let configs = (0..size.clusters).map(|cluster| config(index / size.group, cluster));
            Node::new(index, clock, configs.collect())
        };
        let count = size.group * size.groups;
        let mut workload = Self {
            now: 0,
            nodes: (0..count).map(node).collect(),
            store: Store::new(true, true),
            size,
            counts: CallCounts::default(),
            queue: Queue::new(),
            watchers: BTreeMap::new(),
            watched: vec![Vec::new(); count],
        };
        for index in 0..count {
            // Machines do not start at the same instant.
            let start = (index as u64).wrapping_mul(7919) % 1000 * MILLISECOND;
            workload.nodes[index].start(start, [index as u64, 1], None);
            if size.watch {
                workload.queue.put(start, (index, Input::Watching(true)));
            }
            workload.queue.put(start, (index, Input::Tick));
        }
        workload
    }

    fn run_until(&mut self, end: Micros) {
        while let Some((at, (node, input))) = self.queue.next_until(end) {
            self.now = at;
            // Only the last WakeAt counts.
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
                self.counts.reads += 1;
                self.counts.keys += keys.len() as u64;
                let reading = self.store.read(&keys);
                self.watch(node, &keys);
                self.pass(node, ROUND_TRIP, Input::Read(call, Some(reading)));
            }
            Action::Change { call, change, .. } => {
                let verdict = self.store.change(&change);
                self.counts.changes += 1;
                if verdict == Verdict::Done {
                    self.counts.writes += change.writes.len() as u64;
                    change.writes.iter().for_each(|(key, _)| self.hint(key));
                } else {
                    self.counts.refused += 1;
                }
                self.pass(node, ROUND_TRIP, Input::Changed(call, verdict));
            }
            Action::WriteState { cluster, content } => {
                let mut configs = self.nodes[node].configs.iter();
                let index = configs.position(|config| config.name == cluster);
                self.nodes[node].write_state_file(index.expect("a cluster of this node"), content);
                self.pass(node, 0, Input::StateWritten { cluster, done: true });
            }
            Action::PersistEpoch { cluster, epoch } => {
                let done = true;
                self.pass(node, 0, Input::EpochKept { cluster, epoch, done });
            }
            Action::WakeAt(at) => {
                let at = self.nodes[node].clock.when(at);
                if self.process(node).wake.replace(at) != Some(at) {
                    self.queue.put(at, (node, Input::Tick));
                }
            }
            Action::KeepIdentity(_) | Action::Notify(_) | Action::Stopped => {}
        }
    }

    fn pass(&mut self, node: usize, after: Micros, input: Input) {
        self.queue.put(self.now + after, (node, input));
    }

    /// The daemon watches what the last read covered, except its own session, which is the first key.
    fn watch(&mut self, node: usize, keys: &[Key]) {
        if !self.size.watch {
            return;
        }
        let wanted: Vec<String> = keys.iter().skip(1).map(key_name).collect();
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
        let watchers = self.watchers.get(&key_name(key)).cloned().unwrap_or_default();
        self.counts.hints += watchers.len() as u64;
        for node in watchers {
            self.pass(node, ROUND_TRIP, Input::Hint);
        }
    }

    fn into_counts(self, seconds: u64) -> CallCounts {
        let is_active = |node: &Node, cluster: usize| node.active_until(cluster).is_some_and(|end| end > self.now);
        let clusters = 0..self.size.clusters;
        let active = |node: &Node| clusters.clone().filter(|cluster| is_active(node, *cluster)).count();
        CallCounts {
            seconds,
            watched: self.watched.iter().map(|keys| keys.len() as u64).sum(),
            active: self.nodes.iter().map(active).sum(),
            ..self.counts
        }
    }
}

fn key_name(key: &Key) -> String {
    match key {
        Key::Session(node) => format!("s{}", node.as_str()),
        Key::Cluster(cluster) => format!("c{}", cluster.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(group: usize, groups: usize, clusters: usize, watch: bool) -> CallCounts {
        count_calls(Size {
            group,
            groups,
            clusters,
            lease: Duration::from_secs(10),
            watch,
        })
    }

    #[test]
    fn a_node_writes_once_in_a_third_of_a_lease_however_many_clusters_it_has() {
        for watch in [false, true] {
            let (one, many) = (count(3, 1, 1, watch), count(3, 1, 100, watch));
            assert_eq!((one.active, many.active), (1, 100));
            assert_eq!((one.refused, many.refused), (0, 0));
            // 60 s / (10 s / 3) for each of three nodes, and one more or less at both ends.
            assert!(
                (51..=57).contains(&one.changes) && (51..=57).contains(&many.changes),
                "{one:?} {many:?}"
            );
        }
    }

    #[test]
    fn groups_together_cost_as_much_as_each_alone() {
        let (one, ten) = (count(3, 1, 1, true), count(3, 10, 1, true));
        assert_eq!(ten.active, 10);
        assert!(
            ten.reads <= one.reads * 11 && ten.changes <= one.changes * 11,
            "{one:?} {ten:?}"
        );
    }
}
