//! A world without faults for one scenario: equal servers.

use crate::checker::runs_jobs;
use crate::clock::Clock;
use crate::faults::{Fault, FaultProfile};
use crate::node::Node;
use crate::store::Store;
use crate::world::World;
use crate::{Micros, SECOND};
use lease::{ClusterConfig, ClusterName, RunOn, Timing};
use std::time::Duration;

/// Servers whose clocks have these rates, and one cluster with a lease of 10 s, `settle` 1 s and `preempt_delay` 5 s. No server is
/// started.
///
/// # Panics
/// Never: the durations are within their limits.
#[must_use]
pub fn world_without_faults(rates: &[u64], seed: u64) -> World {
    let seconds = Duration::from_secs;
    let config = ClusterConfig {
        name: ClusterName::new("c0"),
        timing: Timing::new(seconds(10), seconds(1), seconds(0), seconds(5)).expect("within their limits"),
        priority: 0,
        run_on: RunOn::Active,
    };
    let nodes = rates.iter().enumerate().map(|(node, rate)| {
        let clock = Clock {
            booted: 0,
            offset: 1000 * SECOND * (node as u64 + 1),
            rate: *rate,
        };
        Node::new(node, clock, vec![config.clone()])
    });
    World::new(nodes.collect(), Store::new(true, true), FaultProfile::NONE, seed)
}

impl World {
    /// Starts the first server at once, and the others at `later`, when it should hold the cluster.
    pub fn start_all(&mut self, later: Micros) {
        self.schedule(0, Fault::Start(0));
        for node in 1..self.nodes.len() {
            self.schedule(later + node as u64, Fault::Start(node));
        }
    }

    /// The servers that run jobs of the first cluster.
    #[must_use]
    pub fn active_nodes(&self) -> Vec<usize> {
        let nodes = 0..self.nodes.len();
        nodes
            .filter(|node| runs_jobs(&self.nodes[*node], 0, self.now))
            .collect()
    }

    /// Runs until one of these servers is active; `None` if none is before `end`.
    ///
    /// # Panics
    /// If a promise is broken.
    pub fn run_until_active(&mut self, nodes: &[usize], end: Micros) -> Option<Micros> {
        while self.now < end {
            let next = self.now + 1000;
            self.run_until(next).expect("no broken promise");
            if self.active_nodes().iter().any(|node| nodes.contains(node)) {
                return Some(self.now);
            }
        }
        None
    }
}
