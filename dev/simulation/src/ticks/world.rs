//! The world of both machines: the lease's world, and the events around it.

use super::checker::{Broken, Checker, Violation};
use super::faults::{CronProfile, TickFault};
use super::job::Job;
use super::network::Request;
use super::rcron::{Item, Rcron};
use super::server::Server;
use crate::queue::Queue;
use crate::random::Random;
use crate::world::World;
use crate::{MILLISECOND, Micros};
use claims::{Call, Input, MissReason, Mutation};
use policy::claim::{Answer, Ended};
use policy::tick::TickTime;
use std::time::Duration;

/// Servers with crons, rcrons and jobs.
pub struct TickWorld {
    /// The servers' clocks, disks and lease machines, and the store.
    pub lease: World,
    /// The rest of each server.
    pub servers: Vec<Server>,
    /// All servers have the same jobs in their crontabs.
    pub jobs: Vec<Job>,
    /// All rcrons that were ever started.
    pub rcrons: Vec<Rcron>,
    /// The promises, and what they depend on.
    pub checker: Checker,
    /// How crons and rcrons behave.
    pub cron_profile: CronProfile,
    /// `max_skew`.
    pub max_skew: Duration,
    /// The rule that is left out of the claims machine.
    pub mutation: Option<Mutation>,
    pub(super) connections: u64,
    pub(super) broken: Option<Violation>,
    pub(super) queue: Queue<Event>,
    pub(super) random: Random,
    healed: bool,
}

/// The life of a node's process. An event for an earlier process is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub node: usize,
    pub number: u32,
}

/// What an rcron says.
#[derive(Clone, Debug)]
pub(super) enum FromRcron {
    Claim,
    Held { tick: TickTime, attempt: u32 },
    NotStarted,
    Ended(Ended),
    HungUp,
}

pub(super) enum Event {
    Fault(TickFault),
    /// cron's time for a tick of a job comes within a second.
    Cron(usize, usize, TickTime),
    /// cron starts an rcron.
    Start(usize, usize),
    /// The daemon's claims machine wanted to be woken.
    Wake(Life),
    /// A tick of a job should have been started by now.
    Due(Life, usize),
    /// A request arrives at the store.
    Request(Life, Call, Box<Request>),
    /// The store's answer or hint arrives at a node.
    Answer(Life, Box<Input>),
    /// A message of an rcron arrives at the daemon, on the connection of this number.
    Message(Life, u64, usize, FromRcron),
    /// An rcron notices something.
    Item(usize, Item),
    /// A message of the daemon arrives at an rcron, on the connection of this number; `None`: the connection is closed.
    AnswerToRcron(usize, u64, Option<Answer>),
    /// An rcron may no longer stand still.
    Continue(usize),
    /// A job ends.
    JobEnds(usize),
    /// Is this rcron's tick claimed?
    Probe(usize),
    /// Has this rcron ended its job, which the store takes for over?
    Reach(usize),
}

/// No history has as many events without a loop.
const MOST_EVENTS: u64 = 400_000;

impl TickWorld {
    /// No server is started.
    #[must_use]
    pub fn new(lease: World, ahead: &[i64], jobs: Vec<Job>, max_skew: Duration, seed: u64) -> Self {
        let mut world = Self {
            servers: ahead.iter().map(|ahead| Server::new(*ahead)).collect(),
            checker: Checker::new(jobs.len()),
            lease,
            jobs,
            rcrons: Vec::new(),
            cron_profile: CronProfile::NONE,
            max_skew,
            mutation: None,
            connections: 0,
            broken: None,
            queue: Queue::new(),
            random: Random::new(seed),
            healed: false,
        };
        for node in 0..world.servers.len() {
            for job in 0..world.jobs.len() {
                world.plan_first_tick(node, job);
            }
        }
        world
    }

    /// True time.
    #[must_use]
    pub const fn now(&self) -> Micros {
        self.lease.now
    }

    /// The fault will happen at this time.
    pub fn schedule(&mut self, at: Micros, fault: TickFault) {
        self.queue.put(at, Event::Fault(fault));
    }

    /// Runs until this time.
    ///
    /// # Errors
    /// The first broken promise.
    pub fn run_until(&mut self, end: Micros) -> Result<(), Violation> {
        while self.run_event(end)? {
            self.observe_servers();
            if let Some(violation) = self.broken.take() {
                return Err(violation);
            }
        }
        self.lease.now = end;
        Ok(())
    }

    /// Runs the next event if it is not after `end`, and returns whether there was one.
    fn run_event(&mut self, end: Micros) -> Result<bool, Violation> {
        let own = self.queue.next_at();
        if let Some(at) = self.lease.next_at().filter(|at| own.is_none_or(|own| *at <= own)) {
            let result = self.lease.run_event(end);
            return result.map_err(|violation| Violation {
                at,
                what: Broken::Lease(violation.what),
            });
        }
        let Some((at, event)) = self.queue.next_until(end) else {
            return Ok(false);
        };
        self.lease.now = at;
        self.lease.events += 1;
        if self.lease.events > MOST_EVENTS {
            let what = Broken::Storm;
            return Err(Violation { at, what });
        }
        self.handle_event(event);
        Ok(true)
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            // The end of a fault that began before all faults were ended.
            Event::Fault(_) if self.healed => {}
            Event::Fault(fault) => self.inject(fault),
            Event::Cron(node, job, tick) => self.fire(node, job, tick),
            Event::Start(node, job) => self.start_from_cron(node, job),
            Event::Wake(life) => self.wake(life),
            Event::Due(life, job) => self.find_due(life, job, MissReason::NotAsked),
            Event::Request(life, call, request) => self.answer_request(life, call, *request),
            Event::Answer(life, input) => self.take_answer(life, *input),
            Event::Message(life, client, rcron, message) => self.take_message(life, client, rcron, &message),
            Event::Item(rcron, item) => self.take_item(rcron, item),
            Event::AnswerToRcron(rcron, connection, answer) => self.take_answer_of_daemon(rcron, connection, answer),
            Event::Continue(rcron) => self.run_rcron(rcron),
            Event::JobEnds(rcron) => self.end_job(rcron),
            Event::Probe(rcron) => self.probe(rcron),
            Event::Reach(rcron) => self.check_reach(rcron),
        }
    }

    fn inject(&mut self, fault: TickFault) {
        self.note(|| format!("-- {fault:?}"));
        match fault {
            TickFault::SetClock(node, ahead) => self.set_clock(node, ahead),
            TickFault::Sleep(node, duration) => self.sleep(node, duration),
            TickFault::CutClaims(node, cut) => {
                let link = &mut self.servers[node].link;
                (link.requests, link.answers) = (!cut, !cut);
            }
            TickFault::HoldChange(node, duration) => self.servers[node].held_for = Some(duration),
            TickFault::StopRcron(node, duration) => {
                self.choose_rcron(node, |world, rcron| world.stop_rcron(rcron, duration));
            }
            TickFault::KillRcron(node) => self.choose_rcron(node, Self::kill_rcron),
            TickFault::TerminateRcron(node) => self.choose_rcron(node, Self::terminate_rcron),
            TickFault::Start(node, job) => self.start_from_cron(node, job),
            TickFault::Reopen(node, job) => self.reopen(node, job),
            TickFault::Heal => self.heal(),
        }
    }

    fn choose_rcron(&mut self, node: usize, fault: impl Fn(&mut Self, usize)) {
        let rcrons = &self.servers[node].rcrons;
        if !rcrons.is_empty() {
            let rcron = rcrons[self.random.index(rcrons.len())];
            fault(self, rcron);
        }
    }

    fn sleep(&mut self, node: usize, duration: Micros) {
        let until = self.now() + duration;
        self.lease.pause(node, duration);
        self.servers[node].asleep_until = self.servers[node].asleep_until.max(until);
        for rcron in self.servers[node].rcrons.clone() {
            // When the host wakes up, processes run in any order.
            let until = until + self.random.below(50 * MILLISECOND);
            let of = &mut self.rcrons[rcron];
            of.stopped_until = of.stopped_until.max(until);
            of.waiting_since = of.waiting_since.max(until);
            self.queue.put(until, Event::Continue(rcron));
        }
    }

    fn reopen(&mut self, node: usize, job: usize) {
        let Some(life) = self.life(node) else { return };
        self.checker.jobs[job].reopens += 1;
        let job = self.jobs[job].key.clone();
        let client = claims::Client(u64::MAX);
        self.pass_input(life, Input::Reopen(claims::Reopen { client, job }));
    }

    /// The lease's world is healed by a fault of its own.
    fn heal(&mut self) {
        self.healed = true;
        self.cron_profile = CronProfile::NONE;
        self.wake_jobs();
        for server in &mut self.servers {
            server.link = crate::node::Link::UP;
            server.held_for = None;
            server.asleep_until = server.asleep_until.min(self.lease.now);
        }
        for rcron in 0..self.rcrons.len() {
            let of = &mut self.rcrons[rcron];
            of.stopped_until = of.stopped_until.min(self.lease.now);
            self.run_rcron(rcron);
        }
        let most = i64::try_from(self.max_skew.as_micros() / 2).unwrap_or(0);
        for node in 0..self.servers.len() {
            if self.servers[node].ahead.abs() > most {
                self.set_clock(node, 0);
            }
        }
    }

    /// Jobs that are to end when their host wakes up end now.
    fn wake_jobs(&mut self) {
        let now = self.lease.now;
        for rcron in 0..self.rcrons.len() {
            let awake = self.servers[self.rcrons[rcron].node].asleep_until;
            let run = self.rcrons[rcron].started.as_mut();
            if let Some(run) = run.filter(|run| awake > now && run.ends == awake + 1) {
                run.ends = now + 1;
                self.queue.put(now + 1, Event::JobEnds(rcron));
            }
        }
    }

    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        self.lease.note(line);
    }

    pub(super) fn break_promise(&mut self, what: Broken) {
        let at = self.now();
        self.broken.get_or_insert(Violation { at, what });
    }
}
