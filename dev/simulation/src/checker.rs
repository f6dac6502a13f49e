//! The promises that every history must keep.

use crate::Micros;
use crate::node::Node;
use policy::decide::{Decision, Rules, Skip, decide};
use policy::moment::{Moment, WallTime};
use policy::state::Word;
use std::fmt;
use std::time::Duration;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The true time.
    pub at: Micros,
    /// The promise, and the nodes that broke it.
    pub what: Broken,
}

/// Which promise was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Two nodes would run the cluster's jobs at the same time.
    TwoActive {
        /// The cluster's index.
        cluster: usize,
        /// The indices of both nodes.
        nodes: [usize; 2],
    },
    /// A new holder is active while the old one's jobs may still run.
    Grace {
        /// The cluster's index.
        cluster: usize,
        /// The old holder, then the new one.
        nodes: [usize; 2],
    },
    /// A new holder is active within `settle` of the old one.
    Settle {
        /// The cluster's index.
        cluster: usize,
        /// The old holder, then the new one.
        nodes: [usize; 2],
    },
    /// A job gets a fencing token that is not greater than that of an earlier holder.
    Epoch {
        /// The cluster's index.
        cluster: usize,
        /// The node's index.
        node: usize,
        /// The job's token.
        epoch: u64,
        /// The greatest token before.
        highest: u64,
    },
    /// A node takes a cluster over with an epoch that it has seen in a record, or that was on its disk when it started.
    SeenEpoch {
        /// The cluster's index.
        cluster: usize,
        /// The node's index.
        node: usize,
        /// The epoch of the takeover.
        epoch: u64,
        /// The highest epoch that the node knows of.
        known: u64,
    },
    /// A node has changed a record that it cannot read.
    Overwritten {
        /// The cluster's index.
        cluster: usize,
        /// The node's index.
        node: usize,
    },
    /// A state file permits what a session has claimed although other nodes may have started it again.
    OverAndPermitted {
        /// The cluster's index.
        cluster: usize,
        /// The node's index.
        node: usize,
    },
    /// A node that is to share a cluster does not.
    NotShared {
        /// The cluster's index.
        cluster: usize,
        /// The node's index.
        node: usize,
    },
    /// No node is active although one could be.
    NobodyActive {
        /// The cluster's index.
        cluster: usize,
    },
    /// There is no end of events: a process calls the store in a loop.
    Storm,
}

/// What has been seen so far.
#[derive(Clone, Debug)]
pub struct Checker {
    /// For each cluster: the highest epoch, and the node that had it.
    highest: Vec<Option<(u64, usize)>>,
    /// For each node and cluster: the highest epoch of that node.
    own_highest: Vec<Vec<u64>>,
    /// For each node and cluster: when its last activity ends or ended, as far as is known.
    ends: Vec<Vec<Option<Micros>>>,
    /// For each node and cluster: the highest epoch that the node's process has seen, or that was on the disk when it started.
    known: Vec<Vec<u64>>,
    /// The store has lost data: a winner knows only the epochs that it has seen itself.
    store_lost_data: bool,
}

/// As for a cluster that rcrond runs.
const RULES: Rules = Rules {
    default_state: Word::Passive,
    state_max_age: None,
    require_lease: true,
    once_per_tick: false,
};

impl Checker {
    /// Nothing has been seen.
    #[must_use]
    pub fn new(nodes: usize, clusters: usize) -> Self {
        Self {
            highest: vec![None; clusters],
            own_highest: vec![vec![0; clusters]; nodes],
            ends: vec![vec![None; clusters]; nodes],
            known: vec![vec![0; clusters]; nodes],
            store_lost_data: false,
        }
    }

    /// From now on epochs must grow on each node only.
    pub fn store_lost_data(&mut self) {
        self.store_lost_data = true;
    }

    /// The node no longer knows the epochs that it had.
    pub fn disk_lost(&mut self, node: usize) {
        self.own_highest[node].fill(0);
    }

    /// The node's process starts, and finds these epochs on its disk.
    pub fn started(&mut self, node: usize, saved: &[u64]) {
        self.known[node].copy_from_slice(saved);
    }

    /// The node's process has read a record with this epoch.
    pub fn epoch_seen(&mut self, node: usize, cluster: usize, epoch: u64) {
        let known = &mut self.known[node][cluster];
        *known = epoch.max(*known);
    }

    /// The node's process asks the store for a takeover.
    ///
    /// # Errors
    /// It knows of this epoch, or of a greater one.
    pub fn check_takeover(&self, now: Micros, node: usize, cluster: usize, epoch: u64) -> Result<(), Violation> {
        let known = self.known[node][cluster];
        if epoch > known {
            return Ok(());
        }
        let what = Broken::SeenEpoch {
            cluster,
            node,
            epoch,
            known,
        };
        Err(Violation { at: now, what })
    }

    /// A reboot ends the node's jobs.
    pub fn rebooted(&mut self, node: usize, now: Micros) {
        for end in self.ends[node].iter_mut().flatten() {
            *end = now.min(*end);
        }
    }

    /// A state file was written. Only this can make a second node active.
    ///
    /// # Errors
    /// A promise was broken by it.
    pub fn check_written(&mut self, now: Micros, nodes: &[Node], node: usize, cluster: usize) -> Result<(), Violation> {
        let before = self.ends[node][cluster];
        self.ends[node][cluster] = match nodes[node].active_until(cluster) {
            Some(end) if end > now => Some(end),
            _ => before.map(|end| end.min(now)),
        };
        if !runs_jobs(&nodes[node], cluster, now) {
            return Ok(());
        }
        let broken = |what| Err(Violation { at: now, what });
        let timing = nodes[node].configs[cluster].timing;
        // Both clocks may be wrong: that of the old holder, and that of the new one, which counts these durations.
        let in_full = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX) / 100 * 98;
        let (settle, grace) = (in_full(timing.settle()), in_full(timing.grace()));
        for (other, of) in nodes.iter().enumerate().filter(|(other, _)| *other != node) {
            let nodes = [other, node];
            if runs_jobs(of, cluster, now) {
                return broken(Broken::TwoActive { cluster, nodes });
            }
            let is_over = |duration| self.ends[other][cluster].is_none_or(|end| now >= end + duration);
            if !is_over(grace) {
                return broken(Broken::Grace { cluster, nodes });
            }
            // This holds for a node that does not settle, too: it was active after the other one, and had settled then.
            if !is_over(settle) {
                return broken(Broken::Settle { cluster, nodes });
            }
        }
        self.check_epoch(now, node, cluster, nodes[node].epoch(cluster).unwrap_or(0))
    }

    fn check_epoch(&mut self, now: Micros, node: usize, cluster: usize, epoch: u64) -> Result<(), Violation> {
        let (highest, by) = self.highest[cluster].unwrap_or((0, node));
        let own = self.own_highest[node][cluster];
        let elsewhere = !self.store_lost_data && (epoch < highest || (epoch == highest && by != node));
        if elsewhere || epoch < own || epoch == 0 {
            let what = Broken::Epoch {
                cluster,
                node,
                epoch,
                highest: highest.max(own),
            };
            return Err(Violation { at: now, what });
        }
        self.highest[cluster] = Some((epoch, node));
        self.own_highest[node][cluster] = epoch;
        Ok(())
    }

    /// A node must have been active within `duration` before now.
    ///
    /// # Errors
    /// None was.
    pub fn check_somebody_active(&self, now: Micros, cluster: usize, duration: Micros) -> Result<(), Violation> {
        let ends = self.ends.iter().filter_map(|of| of[cluster]);
        if ends.max().is_some_and(|end| end + duration >= now) {
            Ok(())
        } else {
            let what = Broken::NobodyActive { cluster };
            Err(Violation { at: now, what })
        }
    }
}

/// Whether rcron would start a job there, or let a running one go on.
#[must_use]
pub fn runs_jobs(node: &Node, cluster: usize, now: Micros) -> bool {
    permits(&RULES, node, cluster, now)
}

/// The same for a job with `once_per_tick` that has its grant.
#[must_use]
pub fn permits_grants(node: &Node, cluster: usize, now: Micros) -> bool {
    let rules = Rules {
        once_per_tick: true,
        ..RULES
    };
    permits(&rules, node, cluster, now)
}

fn permits(rules: &Rules, node: &Node, cluster: usize, now: Micros) -> bool {
    let Some(reading) = node.state_file(cluster) else {
        return false;
    };
    let moment = Moment {
        boot: node.clock.at(now),
        // The wall clock may show anything: here another time on each node and at each instant.
        wall: WallTime(Duration::from_micros(now.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12)),
        boot_id: Some(node.boot_id()),
    };
    matches!(
        decide(reading, rules, &moment),
        Decision::Run(_) | Decision::Skip(Skip::Draining)
    )
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {:.3} s: ", Duration::from_micros(self.at).as_secs_f64())?;
        match &self.what {
            Broken::TwoActive { cluster, nodes: [a, b] } => write!(f, "n{a} and n{b} are both active in c{cluster}"),
            Broken::Grace { cluster, nodes: [a, b] } => {
                write!(f, "n{b} is active in c{cluster} within the grace of n{a}'s jobs")
            }
            Broken::Settle { cluster, nodes: [a, b] } => {
                write!(f, "n{b} is active in c{cluster} within `settle` of n{a}")
            }
            Broken::SeenEpoch {
                cluster,
                node,
                epoch,
                known,
            } => write!(
                f,
                "n{node} takes c{cluster} over with epoch {epoch}, though it knows of {known}"
            ),
            Broken::Overwritten { cluster, node } => {
                write!(f, "n{node} has changed the record of c{cluster}, which it cannot read")
            }
            Broken::Epoch {
                cluster,
                node,
                epoch,
                highest,
            } => write!(f, "n{node} is active in c{cluster} with epoch {epoch} after {highest}"),
            Broken::OverAndPermitted { cluster, node } => write!(
                f,
                "n{node} may run what it has claimed in c{cluster}, though other nodes may have started it again"
            ),
            Broken::NotShared { cluster, node } => write!(f, "n{node} does not share c{cluster}"),
            Broken::NobodyActive { cluster } => write!(f, "no node is active in c{cluster}"),
            Broken::Storm => write!(f, "a process calls the store without end"),
        }
    }
}
