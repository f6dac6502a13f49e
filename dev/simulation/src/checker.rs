//! What must never be, and when it is, why.

use crate::Micros;
use crate::node::Node;
use policy::decide::{Decision, Rules, Skip, decide};
use policy::moment::{Moment, WallTime};
use policy::state::Word;
use std::fmt;
use std::time::Duration;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, in true time.
    pub at: Micros,
    /// What.
    pub what: Broken,
}

/// Which promise was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Two nodes would run the cluster's jobs.
    TwoActive {
        /// The cluster.
        cluster: usize,
        /// The nodes.
        nodes: [usize; 2],
    },
    /// A new holder is active while the old one's jobs may still run.
    Grace {
        /// The cluster.
        cluster: usize,
        /// The old and the new holder.
        nodes: [usize; 2],
    },
    /// A job was handed a fencing token that is not higher than that of an earlier holder.
    Epoch {
        /// The cluster.
        cluster: usize,
        /// The node.
        node: usize,
        /// Its token.
        epoch: u64,
        /// The highest so far.
        highest: u64,
    },
    /// Nobody is active though somebody could be.
    NobodyActive {
        /// The cluster.
        cluster: usize,
    },
    /// A process asks the store without end.
    Storm,
}

/// What has been seen.
#[derive(Clone, Debug)]
pub struct Checker {
    /// For each cluster: the highest epoch, and who had it.
    highest: Vec<Option<(u64, usize)>>,
    /// For each node and cluster: its own highest epoch.
    own: Vec<Vec<u64>>,
    /// For each node and cluster: the end of its activity, as far as known.
    pub ends: Vec<Vec<Option<Micros>>>,
    grace: Micros,
    lossy: bool,
}

/// As for a cluster run by rcrond.
const RULES: Rules = Rules {
    default_state: Word::Passive,
    state_max_age: None,
    require_lease: true,
};

impl Checker {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(nodes: usize, clusters: usize, grace: Micros) -> Self {
        Self {
            highest: vec![None; clusters],
            own: vec![vec![0; clusters]; nodes],
            ends: vec![vec![None; clusters]; nodes],
            grace,
            lossy: false,
        }
    }

    /// Data was lost: from now on a winner knows only what it has seen itself.
    pub fn store_lost(&mut self) {
        self.lossy = true;
    }

    /// The node has lost its disk.
    pub fn disk_lost(&mut self, node: usize) {
        self.own[node].fill(0);
    }

    /// The node's jobs are gone with its boot.
    pub fn rebooted(&mut self, node: usize, now: Micros) {
        for end in self.ends[node].iter_mut().flatten() {
            *end = now.min(*end);
        }
    }

    /// A state file was written. Only this can make a second node active.
    ///
    /// # Errors
    /// [`Violation`] if it has.
    pub fn written(&mut self, now: Micros, nodes: &[Node], node: usize, cluster: usize) -> Result<(), Violation> {
        let before = self.ends[node][cluster];
        self.ends[node][cluster] = match nodes[node].active_end(cluster) {
            Some(end) if end > now => Some(end),
            _ => before.map(|end| end.min(now)),
        };
        if !runs(&nodes[node], cluster, now) {
            return Ok(());
        }
        let broken = |what| Err(Violation { at: now, what });
        for (other, of) in nodes.iter().enumerate().filter(|(other, _)| *other != node) {
            let nodes = [other, node];
            if runs(of, cluster, now) {
                return broken(Broken::TwoActive { cluster, nodes });
            }
            // Both clocks may be wrong: the old holder's, and that of the new one which counts the grace.
            let over = self.ends[other][cluster].is_none_or(|end| now >= end + self.grace * 98 / 100);
            if !over {
                return broken(Broken::Grace { cluster, nodes });
            }
        }
        self.check_epoch(now, node, cluster, nodes[node].epoch(cluster).unwrap_or(0))
    }

    fn check_epoch(&mut self, now: Micros, node: usize, cluster: usize, epoch: u64) -> Result<(), Violation> {
        let (highest, by) = self.highest[cluster].unwrap_or((0, node));
        let own = self.own[node][cluster];
        let elsewhere = !self.lossy && (epoch < highest || (epoch == highest && by != node));
        let lower = elsewhere || epoch < own || epoch == 0;
        if lower {
            let highest = highest.max(own);
            return Err(Violation {
                at: now,
                what: Broken::Epoch {
                    cluster,
                    node,
                    epoch,
                    highest,
                },
            });
        }
        self.highest[cluster] = Some((epoch, node));
        self.own[node][cluster] = epoch;
        Ok(())
    }

    /// Somebody was active in the last `span`.
    ///
    /// # Errors
    /// [`Violation`] if nobody was.
    pub fn somebody(&self, now: Micros, cluster: usize, span: Micros) -> Result<(), Violation> {
        let ends = self.ends.iter().filter_map(|of| of[cluster]);
        if ends.max().is_some_and(|end| end + span >= now) {
            Ok(())
        } else {
            let what = Broken::NobodyActive { cluster };
            Err(Violation { at: now, what })
        }
    }
}

/// Whether rcron would run a job there, or let a running one go on.
#[must_use]
pub fn runs(node: &Node, cluster: usize, now: Micros) -> bool {
    let Some(reading) = node.reading(cluster) else {
        return false;
    };
    let moment = Moment {
        boot: node.clock.at(now),
        // Wall clocks are set to anything: here a different time on each node and at each instant.
        wall: WallTime(Duration::from_micros(now.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12)),
        boot_id: Some(node.boot_id()),
    };
    matches!(
        decide(reading, &RULES, &moment),
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
            Broken::Epoch {
                cluster,
                node,
                epoch,
                highest,
            } => write!(f, "n{node} is active in c{cluster} with epoch {epoch} after {highest}"),
            Broken::NobodyActive { cluster } => write!(f, "nobody is active in c{cluster}"),
            Broken::Storm => write!(f, "the store is asked without end"),
        }
    }
}
