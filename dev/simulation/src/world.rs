//! The world: true time, messages under way, and what happens when.

mod strike;

use crate::checker::{Broken, Checker, Violation};
use crate::faults::{Fault, Weather};
use crate::node::Node;
use crate::random::Random;
use crate::store::Store;
use crate::{MILLISECOND, Micros};
use lease::{Action, Call, Change, ClusterName, Input, Key, Mutation, StateFileContent, Verdict};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Everything.
pub struct World {
    /// True time.
    pub now: Micros,
    /// The servers.
    pub nodes: Vec<Node>,
    /// The store.
    pub store: Store,
    /// What must not be.
    pub checker: Checker,
    /// How things behave.
    pub weather: Weather,
    /// A rule left out of the logic.
    pub mutation: Option<Mutation>,
    /// What happened, if anybody wants to read it.
    pub trace: Option<Vec<String>>,
    /// How many events there were.
    pub events: u64,
    healed: bool,
    queue: BinaryHeap<Reverse<Due>>,
    sequence: u64,
    random: Random,
    names: Vec<ClusterName>,
}

/// An event with its time; what was put in first comes first.
struct Due {
    at: Micros,
    sequence: u64,
    event: Event,
}

enum Event {
    Fault(Fault),
    Wake(usize, u32),
    Resume(usize, u32),
    Arrive(usize, u32, Call, Box<Request>),
    /// An input for a process; `true`: over the network.
    Input(usize, u32, Box<Input>, bool),
    Written(usize, u32, usize, StateFileContent),
}

#[derive(Clone)]
enum Request {
    Read(Vec<Key>),
    Change(Change),
}

/// More events than any history has: a loop without end.
const STORM: u64 = 400_000;

impl World {
    /// A world with these servers, at rest.
    #[must_use]
    pub fn new(nodes: Vec<Node>, store: Store, weather: Weather, seed: u64) -> Self {
        let names: Vec<_> = nodes[0].configs.iter().map(|config| config.name.clone()).collect();
        let grace = nodes[0].configs[0].timing.grace();
        let grace = u64::try_from(grace.as_micros()).unwrap_or(0);
        Self {
            now: 0,
            checker: Checker::new(nodes.len(), names.len(), grace),
            nodes,
            store,
            weather,
            mutation: None,
            trace: None,
            events: 0,
            healed: false,
            queue: BinaryHeap::with_capacity(64),
            sequence: 0,
            random: Random::new(seed),
            names,
        }
    }

    /// Something that will happen.
    pub fn at(&mut self, at: Micros, fault: Fault) {
        self.put(at, Event::Fault(fault));
    }

    /// Goes on to that instant.
    ///
    /// # Errors
    /// [`Violation`] at the first thing that must not be.
    pub fn run(&mut self, end: Micros) -> Result<(), Violation> {
        while self.queue.peek().is_some_and(|Reverse(due)| due.at <= end) {
            let Some(Reverse(due)) = self.queue.pop() else { break };
            self.now = due.at;
            self.events += 1;
            if self.events > STORM {
                return Err(Violation {
                    at: self.now,
                    what: Broken::Storm,
                });
            }
            self.happen(due.event)?;
        }
        self.now = end;
        Ok(())
    }

    fn put(&mut self, at: Micros, event: Event) {
        self.sequence += 1;
        self.queue.push(Reverse(Due {
            at,
            sequence: self.sequence,
            event,
        }));
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let at = Duration::from_micros(self.now).as_secs_f64();
            trace.push(format!("{at:>9.4}  {}", line()));
        }
    }

    fn alive(&self, node: usize, life: u32) -> bool {
        self.nodes[node].lives == life && self.nodes[node].process.is_some()
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            // The end of a fault that began before all were ended.
            Event::Fault(_) if self.healed => {}
            Event::Fault(fault) => self.strike(fault),
            Event::Wake(node, life) => {
                if self.alive(node, life) {
                    let now = self.now;
                    let Some(process) = &mut self.nodes[node].process else {
                        return Ok(());
                    };
                    // Only the last WakeAt counts.
                    if process.wake == Some(now) {
                        process.wake = None;
                        process.inbox.push_back(Input::Tick);
                        self.go(node);
                    }
                }
            }
            Event::Resume(node, life) => {
                if self.alive(node, life) {
                    self.go(node);
                }
            }
            Event::Arrive(node, life, call, request) => self.arrive(node, life, call, &request),
            Event::Input(node, life, input, network) => {
                let reached = !network || self.nodes[node].reaches[1];
                if self.alive(node, life) && reached {
                    if let Some(process) = &mut self.nodes[node].process {
                        process.inbox.push_back(*input);
                    }
                    self.go(node);
                }
            }
            Event::Written(node, life, cluster, content) => self.written(node, life, cluster, content)?,
        }
        Ok(())
    }

    /// The process does what it can, until it waits or stands still.
    fn go(&mut self, node: usize) {
        loop {
            let now = self.now;
            let server = &mut self.nodes[node];
            if server.paused > now {
                return;
            }
            let local = server.clock.at(now);
            let Some(process) = &mut server.process else { return };
            if let Some(action) = process.todo.pop_front() {
                let brief = matches!(action, Action::WakeAt(_) | Action::Notify(_));
                if !brief && self.random.per_mille(self.weather.pauses) {
                    process.todo.push_front(action);
                    let pause = self.random.between(1, self.weather.pause);
                    self.pause(node, pause);
                    return;
                }
                self.execute(node, action);
            } else if let Some(input) = process.inbox.pop_front() {
                let mut out = Vec::with_capacity(4);
                process.machine.step(local, input, &mut out);
                process.todo.extend(out);
            } else {
                return;
            }
        }
    }

    fn pause(&mut self, node: usize, span: Micros) {
        let until = self.now + span;
        self.note(|| format!("n{node} stands still for {} ms", span / MILLISECOND));
        self.nodes[node].paused = self.nodes[node].paused.max(until);
        let life = self.nodes[node].lives;
        self.put(until, Event::Resume(node, life));
    }

    fn execute(&mut self, node: usize, action: Action) {
        let life = self.nodes[node].lives;
        match action {
            Action::Read { call, keys, .. } => self.send(node, life, call, Request::Read(keys)),
            Action::Change { call, change, .. } => {
                self.note(|| format!("n{node} asks {}", told(&change)));
                self.send(node, life, call, Request::Change(change));
            }
            Action::WriteState { cluster, content } => self.write(node, life, &cluster, content),
            Action::PersistEpoch { cluster, epoch } => {
                let at = self.index(&cluster);
                let done = self.nodes[node].writable || self.random.per_mille(500);
                if done {
                    self.nodes[node].epochs[at] = epoch;
                }
                let input = Input::EpochKept { cluster, epoch, done };
                self.inform(node, life, 200, input, false);
            }
            Action::KeepIdentity(id) => self.nodes[node].kept = Some(id),
            Action::Notify(tell) => self.note(|| format!("n{node} says {tell:?}")),
            Action::WakeAt(local) => {
                let at = self.nodes[node].clock.when(local).max(self.now + 1);
                let Some(process) = &mut self.nodes[node].process else {
                    return;
                };
                if process.wake != Some(at) {
                    process.wake = Some(at);
                    self.put(at, Event::Wake(node, life));
                }
            }
            Action::Stopped => {
                self.note(|| format!("n{node} has stopped"));
                self.nodes[node].process = None;
            }
        }
    }

    fn index(&self, cluster: &ClusterName) -> usize {
        self.names.iter().position(|name| name == cluster).unwrap_or(0)
    }

    fn inform(&mut self, node: usize, life: u32, after: Micros, input: Input, network: bool) {
        self.put(self.now + after, Event::Input(node, life, Box::new(input), network));
    }

    fn transit(&mut self) -> Micros {
        let weather = self.weather;
        if self.random.per_mille(weather.strays) {
            self.random.between(weather.quick, weather.stray)
        } else {
            self.random.between(weather.quick, weather.slow)
        }
    }

    fn send(&mut self, node: usize, life: u32, call: Call, request: Request) {
        let lost = self.random.per_mille(self.weather.lost_requests) || !self.nodes[node].reaches[0];
        if self.random.per_mille(self.weather.duplicates) {
            let late = self.random.between(1, self.weather.stray);
            let copy = Box::new(request.clone());
            self.put(self.now + late, Event::Arrive(node, life, call, copy));
        }
        if !lost {
            let at = self.now + self.transit();
            self.put(at, Event::Arrive(node, life, call, Box::new(request)));
        }
    }

    fn arrive(&mut self, node: usize, life: u32, call: Call, request: &Request) {
        if !self.store.up {
            // Refused by the kernel, or lost.
            if self.random.per_mille(500) {
                let input = match request {
                    Request::Read(_) => Input::Read(call, None),
                    Request::Change(_) => Input::Changed(call, Verdict::NoAnswer),
                };
                let after = self.transit();
                self.inform(node, life, after, input, true);
            }
            return;
        }
        let input = match request {
            Request::Read(keys) => Input::Read(call, Some(self.store.read(keys))),
            Request::Change(change) => {
                let verdict = self.store.change(change);
                self.note(|| format!("the store to n{node}: {verdict:?}, {}", told(change)));
                if verdict == Verdict::Done && change.writes.len() > 1 {
                    self.hint(node);
                }
                Input::Changed(call, verdict)
            }
        };
        if !self.random.per_mille(self.weather.lost_answers) {
            let after = self.transit();
            self.inform(node, life, after, input, true);
        }
    }

    /// The store's watch: of a change of clusters, to all others.
    fn hint(&mut self, of: usize) {
        if !self.weather.hints {
            return;
        }
        for node in (0..self.nodes.len()).filter(|node| *node != of) {
            let (life, after) = (self.nodes[node].lives, self.transit());
            self.inform(node, life, after, Input::Hint, true);
        }
    }

    fn write(&mut self, node: usize, life: u32, cluster: &ClusterName, content: StateFileContent) {
        let failed = !self.nodes[node].writable || self.random.per_mille(self.weather.failed_writes);
        let slow = self.random.per_mille(self.weather.slow_writes);
        let takes = if slow {
            self.random.between(100, self.weather.pause)
        } else {
            100
        };
        // A write that fails may have been done all the same: the error came after the rename.
        if !failed || (self.nodes[node].writable && self.random.per_mille(300)) {
            let at = self.index(cluster);
            self.put(self.now + takes, Event::Written(node, life, at, content));
        }
        let cluster = cluster.clone();
        let done = !failed;
        self.inform(node, life, takes + 100, Input::StateWritten { cluster, done }, false);
    }

    fn written(&mut self, node: usize, life: u32, cluster: usize, content: StateFileContent) -> Result<(), Violation> {
        if !self.alive(node, life) {
            return Ok(());
        }
        self.note(|| format!("n{node}'s state file of c{cluster}: {}", said(content)));
        self.nodes[node].write(cluster, content);
        self.checker.written(self.now, &self.nodes, node, cluster)
    }
}

fn told(change: &Change) -> String {
    let record = |record: &lease::Record| match record {
        lease::Record::Session(session) => session.to_text(),
        lease::Record::Cluster(cluster) => cluster.to_text(),
    };
    let brief = |text: String| text.replace("00000000", "");
    let writes = change
        .writes
        .iter()
        .map(|(key, what)| format!("{key:?} = {}", brief(record(what))));
    writes.collect::<Vec<_>>().join("; ")
}

fn said(content: StateFileContent) -> String {
    match content {
        StateFileContent::Passive => "passive".to_string(),
        StateFileContent::Active { until, epoch, draining } => {
            let draining = if draining { " draining" } else { "" };
            format!("active{draining} until its {:.3} epoch {epoch}", until.0.as_secs_f64())
        }
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}
