//! Injects planned faults into a running scenario, and heals them.

use super::plan::{Direction, Fault, NodeFault, Planned, ServerFault};
use super::servers::Servers;
use crate::scenario::Scenario;
use crate::site::Site;
use control::{Request, Response};
use nix::sys::signal::Signal;
use std::time::Instant;
use testing::lab::Host;
use testing::process::Running;
use testing::until;

/// The cluster and its nodes while faults happen.
pub(super) struct Injector<'a, S> {
    scenario: &'a Scenario,
    site: &'a Site,
    store: &'a mut S,
    /// The planned faults that have begun and not ended, each with the process that is ending.
    ongoing: Vec<(Planned, Option<Running>)>,
    count: usize,
}

impl<'a, S: Servers> Injector<'a, S> {
    pub(super) const fn new(scenario: &'a Scenario, site: &'a Site, store: &'a mut S) -> Self {
        Self {
            scenario,
            site,
            store,
            ongoing: Vec::new(),
            count: 0,
        }
    }

    /// How many faults were injected.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Injects the faults of a burst, and heals each at its end.
    pub(super) fn run_burst(&mut self, plan: &[Planned]) {
        let zero = Instant::now();
        let mut next = plan.iter().peekable();
        loop {
            let first_end = self.ongoing.iter().map(|(planned, _)| planned.end).min();
            let begin = next.peek().map(|planned| planned.begin);
            match (begin, first_end) {
                (Some(begin), end) if end.is_none_or(|end| begin < end) => {
                    self.scenario.watch_until(zero + begin);
                    if let Some(planned) = next.next() {
                        self.begin(*planned);
                    }
                }
                (_, Some(end)) => {
                    self.scenario.watch_until(zero + end);
                    self.end_all(|planned| planned.end <= end);
                }
                (_, None) => return,
            }
        }
    }

    fn begin(&mut self, planned: Planned) {
        let ending = match planned.fault {
            Fault::Node(node, fault) => self.begin_at_node(node, fault),
            Fault::Server(server, fault) => {
                match fault {
                    ServerFault::Kill => self.store.kill(server),
                    ServerFault::Pause => self.store.pause(server, Signal::SIGSTOP),
                    ServerFault::Clock(offset) => self.store.set_wall_clock(server, offset),
                }
                None
            }
            Fault::SpoilSession(node) => {
                let name = self.scenario.nodes[node].name();
                self.store.spoil(&format!("session/{name}"));
                None
            }
            Fault::SpoilCluster => {
                if !self.is_epoch_agreed() {
                    return self
                        .scenario
                        .say("    not all nodes have seen the epoch: the record stays");
                }
                self.store.spoil("cluster/web");
                None
            }
            Fault::LoseData => {
                if !self.is_epoch_agreed() {
                    return self
                        .scenario
                        .say("    not all nodes have seen the epoch: the data stay");
                }
                self.store.kill(0);
                self.store.lose_data();
                self.store.start(0);
                self.store.prepare();
                None
            }
            Fault::Cut(..) | Fault::Split(_) | Fault::Isolate(_) => None,
        };
        self.scenario.say(&format!("{:?}", planned.fault));
        self.count += 1;
        self.ongoing.push((planned, ending));
        self.cut_network();
    }

    /// Returns the process if it ends only later.
    fn begin_at_node(&self, number: usize, fault: NodeFault) -> Option<Running> {
        let node = &self.scenario.nodes[number];
        match fault {
            NodeFault::Kill => node.end(Signal::SIGKILL),
            NodeFault::Upgrade => node.end(Signal::SIGUSR1),
            NodeFault::Pause => node.signal(Signal::SIGSTOP),
            NodeFault::Clock(offset) => node.set_wall_clock(offset),
            NodeFault::FullDisk => node.fill_disk(),
            NodeFault::Priority(priority) => self.set_priority(number, priority),
            NodeFault::Drain => node.send(&Request::Drain {
                clusters: Vec::new(),
                wait_ms: None,
            }),
            NodeFault::Stop => return Some(node.begin_to_end(Signal::SIGTERM)),
        }
        None
    }

    /// Ends these faults.
    fn end_all(&mut self, which: impl Fn(&Planned) -> bool) {
        let all = std::mem::take(&mut self.ongoing);
        let (ended, ongoing): (Vec<_>, _) = all.into_iter().partition(|(planned, _)| which(planned));
        self.ongoing = ongoing;
        self.cut_network();
        for (planned, ending) in ended {
            self.end(planned.fault, ending);
        }
    }

    fn end(&mut self, fault: Fault, ending: Option<Running>) {
        match fault {
            Fault::Node(number, fault) => {
                let node = &self.scenario.nodes[number];
                match fault {
                    NodeFault::Kill | NodeFault::Upgrade => node.start(),
                    NodeFault::Stop => {
                        let status = ending.expect("it is ending").wait();
                        assert!(status.success(), "rcrond on {} after SIGTERM: {status}", node.name());
                        node.start();
                    }
                    NodeFault::Pause => node.signal(Signal::SIGCONT),
                    NodeFault::FullDisk => node.empty_disk(),
                    NodeFault::Priority(_) => self.set_priority(number, self.scenario.settings.priority),
                    NodeFault::Drain => node.send(&undrain()),
                    NodeFault::Clock(_) => {}
                }
            }
            Fault::Server(server, ServerFault::Kill) => self.store.start(server),
            Fault::Server(server, ServerFault::Pause) => self.store.pause(server, Signal::SIGCONT),
            Fault::SpoilCluster => {
                until("the cluster's record to be deleted", || {
                    self.store.delete("cluster/web").then_some(())
                });
            }
            Fault::Server(_, ServerFault::Clock(_))
            | Fault::Cut(..)
            | Fault::Split(_)
            | Fault::Isolate(_)
            | Fault::SpoilSession(_)
            | Fault::LoseData => {}
        }
    }

    fn set_priority(&self, number: usize, priority: u32) {
        let node = &self.scenario.nodes[number];
        let mut settings = self.scenario.settings.clone();
        settings.priority = priority;
        node.configure(&settings);
        // A process that is not there, or stands still, reads it later.
        if node.runs() {
            node.signal(Signal::SIGHUP);
        }
    }

    /// Drops the packets that the ongoing faults say, and no others.
    fn cut_network(&self) {
        let lab = &self.site.lab;
        lab.heal();
        let (nodes, servers) = (self.scenario.hosts(), self.store.hosts());
        for (planned, _) in &self.ongoing {
            match planned.fault {
                Fault::Cut(node, server, direction) => {
                    let some = server.map_or_else(|| servers.clone(), |server| vec![servers[server]]);
                    if direction != Direction::FromServer {
                        lab.lose(&[nodes[node]], &some);
                    }
                    if direction != Direction::ToServer {
                        lab.lose(&some, &[nodes[node]]);
                    }
                }
                Fault::Split(server) => lab.part(&[servers[server]], &without(&servers, server)),
                Fault::Isolate(node) => lab.part(&[nodes[node]], &without(&nodes, node)),
                _ => {}
            }
        }
    }

    /// Whether all nodes have read the epoch of the holder, so that none uses it again if the store forgets it.
    fn is_epoch_agreed(&self) -> bool {
        let active = self.scenario.active();
        let [holder] = active[..] else { return false };
        self.scenario.nodes.iter().all(|node| {
            let report = node.report();
            report.is_some_and(|report| report.clusters[0].epoch == holder.epoch)
        })
    }

    /// After a burst: waits until all nodes can win again, one is active and runs jobs, and all know it. This is what the cluster
    /// must come back to, whatever has happened.
    pub(super) fn recover(&mut self) {
        self.end_all(|_| true);
        for node in &self.scenario.nodes {
            node.comes_up();
            self.scenario.wait(&format!("{} to be undrained", node.name()), || {
                matches!(node.ask(&undrain()), Some(Response::Done { .. })).then_some(())
            });
        }
        let holder = self.scenario.steady_holder();
        self.scenario
            .wait("all nodes to know the epoch", || self.is_epoch_agreed().then_some(()));
        let (name, epoch) = (self.scenario.node(holder).name(), holder.epoch);
        self.scenario
            .say(&format!("recovered: {name} is active with epoch {epoch}"));
    }
}

const fn undrain() -> Request {
    Request::Undrain { clusters: Vec::new() }
}

fn without<'a>(hosts: &[&'a Host], but: usize) -> Vec<&'a Host> {
    let others = hosts.iter().enumerate().filter(|(index, _)| *index != but);
    others.map(|(_, host)| *host).collect()
}
