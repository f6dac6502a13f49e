//! The world: true time, and the events to come.

mod inject;
mod network;
mod process;
pub(crate) mod trace;
mod witness;

use crate::Micros;
use crate::checker::{Broken, Checker, Violation};
use crate::faults::{Fault, FaultProfile};
use crate::node::Node;
use crate::queue::Queue;
use crate::random::Random;
use crate::store::Store;
use crate::witness::Witness;
use lease::{Call, ClusterName, Input, Mutation, StateFileContent};
use network::Request;

/// Servers, their store, and what happens to them.
pub struct World {
    /// True time.
    pub now: Micros,
    /// All have the same clusters, in the same order.
    pub nodes: Vec<Node>,
    /// The one store of all nodes.
    pub store: Store,
    /// The promises, and what they depend on.
    pub checker: Checker,
    /// How messages, files and processes behave.
    pub profile: FaultProfile,
    /// What other nodes conclude about sessions; `None` if no node shares a cluster.
    pub witness: Option<Witness>,
    /// The rule that is left out of the logic.
    pub mutation: Option<Mutation>,
    /// What happens is added here, if it is present.
    pub trace: Option<Vec<String>>,
    /// How many events there were.
    pub events: u64,
    /// All faults have ended.
    healed: bool,
    /// The first promise that was broken between two events.
    broken: Option<Violation>,
    queue: Queue<Event>,
    /// The time of the last [`Event::Look`].
    witness_looks_at: Option<Micros>,
    random: Random,
    clusters: Vec<ClusterName>,
}

/// The life of a node's process. An event for an earlier process is ignored.
#[derive(Clone, Copy)]
struct Life {
    node: usize,
    number: u32,
}

enum Event {
    Fault(Fault),
    Wake(Life),
    /// The witness looks at the sessions.
    Look,
    /// A pause may be over.
    Resume(Life),
    /// A request arrives at the store.
    Request(Life, Call, Box<Request>),
    /// The store's answer or hint arrives at a node.
    Message(Life, Box<Input>),
    /// A write to the node's disk has ended.
    DiskResult(Life, Box<Input>),
    /// The state file of a cluster has its new content.
    Written(Life, usize, StateFileContent),
}

/// No history has as many events without a loop.
const MOST_EVENTS: u64 = 400_000;

impl World {
    /// No server is started.
    #[must_use]
    pub fn new(nodes: Vec<Node>, store: Store, profile: FaultProfile, seed: u64) -> Self {
        let clusters: Vec<_> = nodes[0].configs.iter().map(|config| config.name.clone()).collect();
        Self {
            now: 0,
            checker: Checker::new(nodes.len(), clusters.len()),
            nodes,
            store,
            profile,
            witness: None,
            witness_looks_at: None,
            mutation: None,
            trace: None,
            events: 0,
            healed: false,
            broken: None,
            queue: Queue::new(),
            random: Random::new(seed),
            clusters,
        }
    }

    /// The fault will happen at this time.
    pub fn schedule(&mut self, at: Micros, fault: Fault) {
        self.queue.put(at, Event::Fault(fault));
    }

    /// Runs until this time.
    ///
    /// # Errors
    /// The first broken promise.
    pub fn run_until(&mut self, end: Micros) -> Result<(), Violation> {
        while self.run_event(end)? {}
        self.now = end;
        Ok(())
    }

    /// When the next event comes.
    pub(crate) fn next_at(&self) -> Option<Micros> {
        self.queue.next_at()
    }

    /// Runs the next event if it is not after `end`, and returns whether there was one.
    pub(crate) fn run_event(&mut self, end: Micros) -> Result<bool, Violation> {
        let Some((at, event)) = self.queue.next_until(end) else {
            return Ok(false);
        };
        self.now = at;
        self.events += 1;
        if self.events > MOST_EVENTS {
            let what = Broken::Storm;
            return Err(Violation { at, what });
        }
        self.handle_event(event)?;
        self.broken.take().map_or(Ok(true), Err)
    }

    fn handle_event(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            // The end of a fault that began before all faults were ended.
            Event::Fault(_) if self.healed => {}
            Event::Fault(fault) => {
                self.inject(fault);
                self.look_at_sessions();
            }
            Event::Look => {
                self.witness_looks_at = None;
                self.look_at_sessions();
            }
            Event::Wake(life) => self.wake(life),
            Event::Resume(life) => {
                if self.is_alive(life) {
                    self.run_process(life.node);
                }
            }
            Event::Request(life, call, request) => self.answer_request(life, call, &request),
            Event::Message(life, input) => {
                if self.nodes[life.node].link.answers {
                    self.pass_input(life, *input);
                }
            }
            Event::DiskResult(life, input) => self.pass_input(life, *input),
            Event::Written(life, cluster, content) => self.complete_write(life, cluster, content)?,
        }
        Ok(())
    }

    fn life(&self, node: usize) -> Life {
        let number = self.nodes[node].lives;
        Life { node, number }
    }

    fn is_alive(&self, life: Life) -> bool {
        let node = &self.nodes[life.node];
        node.lives == life.number && node.process.is_some()
    }

    fn cluster_index(&self, cluster: &ClusterName) -> usize {
        let found = self.clusters.iter().position(|name| name == cluster);
        found.expect("a cluster of this world")
    }
}
