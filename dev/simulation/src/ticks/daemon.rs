//! The claims' part of rcrond: it names ticks, passes inputs to the machine, and executes its actions.

use super::network::{Request, describe_change};
use super::server::Daemon;
use super::world::{Event, FromRcron, Life, TickWorld};
use crate::Micros;
use claims::{Action, Claim, Client, Due, Held, Input, Machine, MissReason, Now, Schedule, Start};
use lease::RunOn;
use policy::claim::{Answer, Over, OverReason};
use policy::moment::{BootTime, WallTime};
use policy::tick::TickTime;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

impl TickWorld {
    /// The lease's daemon has been started, and this is its other part.
    pub(super) fn start_daemon(&mut self, node: usize) {
        let now = self.clocks(node);
        let start = Start {
            node: self.lease.nodes[node].name.clone(),
            max_skew: self.max_skew,
            seed: [self.random.bits(), self.random.bits()],
        };
        let mut inputs = VecDeque::from([Input::Tick]);
        if self.lease.profile.hints {
            inputs.push_back(Input::Watching(true));
        }
        let life = self.lease.nodes[node].lives;
        self.servers[node].daemon = Some(Daemon {
            life,
            machine: Machine::new(start, now).mutated(self.mutation),
            inputs,
            actions: VecDeque::new(),
            wake: None,
            has_read: false,
            is_unaware: self.checker.is_rewound,
            clients: BTreeMap::new(),
        });
        let life = Life { node, number: life };
        for job in 0..self.jobs.len() {
            self.find_due(life, job, MissReason::NotRunning);
        }
        self.run_daemon(node);
    }

    /// The process goes on until it waits for an input, or pauses.
    pub(super) fn run_daemon(&mut self, node: usize) {
        loop {
            if self.lease.nodes[node].paused_until > self.now() {
                return;
            }
            let pauses = self.lease.profile.pauses;
            let Some(daemon) = &mut self.servers[node].daemon else {
                return;
            };
            if let Some(action) = daemon.actions.pop_front() {
                let has_no_effect = matches!(action, Action::WakeAt(_) | Action::Notify(_));
                if !has_no_effect && self.random.per_mille(pauses) {
                    daemon.actions.push_front(action);
                    let duration = self.random.between(1, self.lease.profile.max_pause);
                    self.lease.pause(node, duration);
                    return;
                }
                self.execute(node, action);
            } else if let Some(input) = daemon.inputs.pop_front() {
                self.step(node, input);
            } else {
                return;
            }
        }
    }

    fn step(&mut self, node: usize, input: Input) {
        let (now, facts) = (self.clocks(node), self.facts(node));
        let Some(daemon) = &mut self.servers[node].daemon else {
            return;
        };
        daemon.has_read |= matches!(input, Input::Read(_, Some(_)));
        let mut out = Vec::new();
        daemon.machine.step(now, &facts, input, &mut out);
        daemon.actions.extend(out);
    }

    pub(super) fn pass_input(&mut self, life: Life, input: Input) {
        if self.life(life.node) != Some(life) {
            return;
        }
        if let Some(daemon) = &mut self.servers[life.node].daemon {
            daemon.inputs.push_back(input);
        }
        self.run_daemon(life.node);
    }

    pub(super) fn wake(&mut self, life: Life) {
        let now = self.now();
        if self.life(life.node) != Some(life) {
            return;
        }
        let daemon = self.servers[life.node].daemon.as_mut();
        // Only the last WakeAt counts.
        if daemon.is_some_and(|daemon| daemon.wake.take_if(|at| *at == now).is_some()) {
            self.pass_input(life, Input::Tick);
        }
    }

    fn execute(&mut self, node: usize, action: Action) {
        let Some(life) = self.life(node) else { return };
        match action {
            Action::Read { call, keys, .. } => self.send(life, call, Request::Read(keys)),
            Action::Change { call, change, .. } => {
                self.note(|| format!("n{node}'s claims ask {}", describe_change(&change)));
                self.send(life, call, Request::Change(change));
            }
            Action::Answer(client, answer) => self.answer_rcron(life, client, answer),
            Action::Reopened(_, result) => self.note(|| format!("n{node} reopens: {result:?}")),
            Action::Notify(notice) => self.note(|| format!("n{node}'s claims say {notice:?}")),
            Action::WakeAt(local) => {
                let at = self.lease.nodes[node].clock.when(local).max(self.now() + 1);
                let daemon = self.servers[node].daemon.as_mut();
                if daemon.is_some_and(|daemon| daemon.wake.replace(at) != Some(at)) {
                    self.queue.put(at, Event::Wake(life));
                }
            }
        }
    }

    /// A message of an rcron.
    pub(super) fn take_message(&mut self, life: Life, client: u64, rcron: usize, message: &FromRcron) {
        if self.life(life.node) != Some(life) {
            return;
        }
        let client = Client(client);
        let input = match *message {
            FromRcron::Claim => match self.name_claim(life, client, rcron) {
                Some(claim) => Input::Claim(Box::new(claim)),
                None => return,
            },
            FromRcron::Held { tick, attempt } => Input::Held(Held {
                client,
                run: self.rcrons[rcron].claim.run,
                job: self.jobs[self.rcrons[rcron].job].key.clone(),
                tick,
                attempt,
            }),
            FromRcron::NotStarted => Input::NotStarted(client),
            FromRcron::Ended(ended) => Input::Ended(client, ended),
            FromRcron::HungUp => {
                if let Some(daemon) = &mut self.servers[life.node].daemon {
                    daemon.clients.remove(&client.0);
                }
                Input::HungUp(client)
            }
        };
        self.pass_input(life, input);
    }

    /// Names the tick; or answers that rcron has come too late, or names a tick that is too far ahead.
    fn name_claim(&mut self, life: Life, client: Client, rcron: usize) -> Option<Claim> {
        let rcron = &self.rcrons[rcron];
        let job = &self.jobs[rcron.job];
        let config = job.configs[life.node];
        let latest = self.servers[life.node].wall(self.now()).0 + self.max_skew;
        if rcron.claim.tick.is_some_and(|tick| tick.wall().0 > latest) {
            let message = "the tick is too far ahead".to_owned();
            self.answer_rcron(life, client, Answer::Refused { message });
            return None;
        }
        let Some(tick) = rcron.tick(job) else {
            let over = Over {
                reason: OverReason::TooLate,
                by: None,
                tick: None,
                ended: None,
            };
            self.answer_rcron(life, client, Answer::Over(over));
            return None;
        };
        let delay = self.rank_delay(life.node, rcron.job);
        Some(Claim {
            client,
            run: rcron.claim.run,
            job: job.key.clone(),
            tick,
            deadline: rcron.deadline(job, tick),
            not_before: rcron.claim.started_boot.after(delay),
            rerun: config.rerun,
            skips_overlap: config.skips_overlap,
            spacing: Duration::ZERO,
            schedule: job.is_scheduled.then(|| Arc::new(job.schedule) as Arc<dyn Schedule>),
        })
    }

    /// With `run_on = "any"`: how long this server leaves a tick to those of higher rank whose daemon runs.
    fn rank_delay(&self, node: usize, job: usize) -> Duration {
        let (nodes, job) = (&self.lease.nodes, &self.jobs[job]);
        if nodes[node].configs[job.cluster].run_on == RunOn::Active {
            return Duration::ZERO;
        }
        let running = nodes.iter().filter(|other| other.process.is_some());
        let names: Vec<_> = running.map(|other| other.name.clone()).collect();
        claims::delay(&job.key, &nodes[node].name, &names)
    }

    fn answer_rcron(&mut self, life: Life, client: Client, answer: Answer) {
        let daemon = self.servers[life.node].daemon.as_ref();
        if let Some(rcron) = daemon.and_then(|daemon| daemon.clients.get(&client.0).copied()) {
            self.send_to_rcron(rcron, client.0, answer);
        }
    }

    /// Passes the latest tick whose `start_within` is over, and comes again for the next one.
    pub(super) fn find_due(&mut self, life: Life, job: usize, reason: MissReason) {
        if self.life(life.node) != Some(life) || !self.jobs[job].is_scheduled {
            return;
        }
        let server = &self.servers[life.node];
        let late = self.jobs[job].configs[life.node].start_within;
        let (schedule, key) = (self.jobs[job].schedule, self.jobs[job].key.clone());
        let wall = server.wall(self.now());
        let latest = wall
            .0
            .checked_sub(late)
            .and_then(|time| schedule.latest(time.as_secs()));
        let next = schedule.after(latest.unwrap_or(TickTime(0)));
        let at = server.when(WallTime(next.wall().0 + late)).max(self.now() + 1);
        if let Some(tick) = latest {
            let due = Due {
                job: key,
                tick,
                expired: tick.after(late),
                reason,
                schedule: Arc::new(schedule),
            };
            self.pass_input(life, Input::Due(Box::new(due)));
        }
        self.queue.put(at, Event::Due(life, job));
    }

    /// Both clocks of a node.
    pub(super) fn clocks(&self, node: usize) -> Now {
        Now {
            boot: self.boot_clock(node),
            wall: self.servers[node].wall(self.now()),
        }
    }

    pub(super) fn boot_clock(&self, node: usize) -> BootTime {
        self.lease.nodes[node].clock.at(self.now())
    }

    pub(super) fn life(&self, node: usize) -> Option<Life> {
        let number = self.servers[node].daemon.as_ref()?.life;
        Some(Life { node, number })
    }

    /// When a node's boot clock will show this.
    pub(super) fn when_boot(&self, node: usize, time: BootTime) -> Micros {
        self.lease.nodes[node].clock.when(time)
    }
}
