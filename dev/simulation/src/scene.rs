//! A quiet world for one story: equal servers, fine weather.

use crate::checker::runs;
use crate::clock::Clock;
use crate::faults::{Fault, Weather};
use crate::node::Node;
use crate::store::Store;
use crate::world::World;
use crate::{Micros, SECOND};
use lease::{ClusterConfig, ClusterName, Timing};
use std::time::Duration;

/// Servers with clocks of these rates and one cluster, a lease of 10 s, `settle` 1 s, `preempt_delay` 5 s. None is started.
///
/// # Panics
/// Never: the spans are good ones.
#[must_use]
pub fn quiet(rates: &[u64], seed: u64) -> World {
    let span = Duration::from_secs;
    let config = ClusterConfig {
        name: ClusterName::new("c0"),
        timing: Timing::new(span(10), span(1), span(0), span(5)).expect("good spans"),
        priority: 0,
    };
    let nodes = rates.iter().enumerate().map(|(node, rate)| {
        let clock = Clock {
            booted: 0,
            offset: 1000 * SECOND * (node as u64 + 1),
            rate: *rate,
        };
        Node::new(node, clock, vec![config.clone()])
    });
    World::new(nodes.collect(), Store::new(true, true), Weather::FINE, seed)
}

impl World {
    /// Starts the first server, and the others once it holds the cluster.
    pub fn start_all(&mut self, later: Micros) {
        self.at(0, Fault::Start(0));
        for node in 1..self.nodes.len() {
            self.at(later + node as u64, Fault::Start(node));
        }
    }

    /// The servers that run jobs of the first cluster.
    #[must_use]
    pub fn active(&self) -> Vec<usize> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| runs(node, 0, self.now))
            .map(|(node, _)| node)
            .collect()
    }

    /// Goes on until one of these servers is active; `None` if none is by then.
    ///
    /// # Panics
    /// If anything happens that must not be.
    pub fn run_until_active(&mut self, nodes: &[usize], end: Micros) -> Option<Micros> {
        while self.now < end {
            let next = self.now + 1000;
            self.run(next).expect("nothing that must not be");
            if self.active().iter().any(|node| nodes.contains(node)) {
                return Some(self.now);
            }
        }
        None
    }
}
