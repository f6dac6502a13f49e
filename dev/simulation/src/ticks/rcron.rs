//! An rcron: it asks the local daemon for its tick, starts the job, watches the state file, and says how the job ended.
//!
//! Its wait for a grant is the real one, [`ClaimWait`].

mod connection;
mod run;

use super::job::Job;
use super::world::{Event, TickWorld};
use crate::{MILLISECOND, Micros, SECOND};
use policy::claim::wait::{Action, ClaimWait, Event as WaitEvent, NotConnected};
use policy::claim::{Answer, Claim, ClaimId};
use policy::moment::BootTime;
use policy::tick::TickTime;
pub use run::Run;
use std::collections::VecDeque;

/// How soon an rcron whose job runs connects again.
const RETRY: Micros = SECOND;
/// How long rcron waits until its last message is noted.
const LAST_WORD: Micros = 200 * MILLISECOND;

/// An rcron, and its job.
#[derive(Debug)]
pub struct Rcron {
    /// The server's index.
    pub node: usize,
    /// The job's index.
    pub job: usize,
    /// What it asks for.
    pub claim: Claim,
    /// How far it has come.
    pub stage: Stage,
    /// Since when it has been waiting without standing still.
    pub waiting_since: Micros,
    /// It stands still until then.
    pub stopped_until: Micros,
    /// The job, once it is started.
    pub started: Option<Run>,
    /// The logic of its wait.
    wait: ClaimWait,
    /// It takes messages.
    listens: bool,
    /// The number of its connection.
    connection: Option<u64>,
    /// What it has not noticed yet, beside messages.
    inbox: VecDeque<Item>,
    /// Messages that it has not read yet.
    messages: VecDeque<(u64, Option<Answer>)>,
    /// When its wait wants to be woken.
    wake: Option<Micros>,
    /// When its last message arrives, and the last one to it: messages of a connection stay in order.
    order: [Micros; 2],
}

/// How far an rcron has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waits for a grant.
    Waiting,
    /// The job runs.
    Running,
    /// It has said how the job ended, and waits until this is noted.
    Leaving,
    /// It has ended.
    Gone,
}

/// What an rcron notices, beside messages.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// What its wait did has succeeded or failed.
    Wait(WaitEvent),
    /// Its wait wanted to be woken.
    Wake,
    /// The job runs without a connection, and it is time to connect again.
    Connect,
    /// The state file has changed, or its lease ends.
    CheckState,
    /// The job has ended.
    JobEnded,
    /// The time for the last word is over.
    Leave,
}

impl Rcron {
    /// The tick that it or the daemon names.
    #[must_use]
    pub fn tick(&self, job: &Job) -> Option<TickTime> {
        let within = job.configs[self.node].start_within;
        let start = self.claim.started_wall;
        match self.claim.tick {
            Some(tick) => (start.0 <= tick.wall().0 + within).then_some(tick),
            None => job.schedule.name(start, within),
        }
    }

    /// When `start_within` is over.
    #[must_use]
    pub fn deadline(&self, job: &Job, tick: TickTime) -> BootTime {
        let end = tick.wall().0 + job.configs[self.node].start_within;
        self.claim
            .started_boot
            .after(end.saturating_sub(self.claim.started_wall.0))
    }
}

impl TickWorld {
    /// cron starts an rcron.
    pub(super) fn start_rcron(&mut self, node: usize, job: usize) {
        let number = self.rcrons.len();
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let now = self.clocks(node);
        let wall = now.wall.0.as_secs_f64();
        self.note(|| format!("n{node}'s cron starts r{number} of j{job} at its {wall:.3}"));
        let config = self.jobs[job].configs[node];
        let tick = self.named_tick(node, job);
        let claim = Claim {
            run: ClaimId::new(id.as_bytes()).expect("a UUID"),
            started_wall: now.wall,
            started_boot: now.boot,
            start_within: Some(config.start_within),
            rerun: config.rerun,
            skips_overlap: config.skips_overlap,
            kill_after: None,
            tick,
            job: self.jobs[job].key.job.to_string(),
            state_file: Vec::new(),
        };
        self.rcrons.push(Rcron {
            node,
            job,
            wait: ClaimWait::new(claim.clone()),
            claim,
            stage: Stage::Waiting,
            waiting_since: self.now(),
            stopped_until: 0,
            started: None,
            listens: false,
            connection: None,
            inbox: VecDeque::from([Item::Wait(WaitEvent::Time)]),
            messages: VecDeque::new(),
            wake: None,
            order: [0; 2],
        });
        self.servers[node].rcrons.push(number);
        self.begin_probes(number);
        self.run_rcron(number);
    }

    pub(super) fn put_item(&mut self, at: Micros, rcron: usize, item: Item) {
        self.queue.put(at, Event::Item(rcron, item));
    }

    /// Whether it does nothing now: it is stopped, or its host sleeps.
    pub(super) fn stands_still(&self, rcron: usize) -> bool {
        let of = &self.rcrons[rcron];
        of.stopped_until.max(self.servers[of.node].asleep_until) > self.now()
    }

    pub(super) fn take_item(&mut self, rcron: usize, item: Item) {
        let (now, of) = (self.lease.now, &mut self.rcrons[rcron]);
        let is_out_of_date = match item {
            _ if of.stage == Stage::Gone => true,
            Item::CheckState => of.started.as_mut().is_none_or(|run| run.take_check(now)),
            Item::Wake => of.wake.take_if(|at| *at == now).is_none(),
            _ => false,
        };
        if !is_out_of_date {
            of.inbox.push_back(item);
            self.run_rcron(rcron);
        }
    }

    /// A message of the daemon arrives; `None`: the end of the connection.
    pub(super) fn take_answer_of_daemon(&mut self, rcron: usize, connection: u64, answer: Option<Answer>) {
        if self.rcrons[rcron].stage != Stage::Gone {
            self.rcrons[rcron].messages.push_back((connection, answer));
            self.run_rcron(rcron);
        }
    }

    /// rcron goes on until it waits for something, or stands still.
    pub(super) fn run_rcron(&mut self, rcron: usize) {
        while !self.stands_still(rcron) && self.rcrons[rcron].stage != Stage::Gone {
            let of = &self.rcrons[rcron];
            let reads = of.stage != Stage::Waiting || of.listens;
            if of.inbox.is_empty() && (!reads || of.messages.is_empty()) {
                return;
            }
            let profile = self.cron_profile;
            if self.random.per_mille(profile.stops) {
                let duration = self.random.between(1, profile.max_stop);
                self.stop_rcron(rcron, duration);
                return;
            }
            if self.random.per_mille(profile.kills) {
                self.kill_rcron(rcron);
                return;
            }
            // As the real one does, it reads what has come before it looks at the time.
            let of = &mut self.rcrons[rcron];
            let goes_on = matches!(of.inbox.front(), Some(Item::Wait(_)));
            let message = if reads && !goes_on {
                of.messages.pop_front()
            } else {
                None
            };
            match message {
                Some((connection, answer)) if of.connection == Some(connection) => self.handle_message(rcron, answer),
                Some(_) => {}
                None => {
                    if let Some(item) = of.inbox.pop_front() {
                        self.handle_item(rcron, item);
                    }
                }
            }
        }
    }

    fn handle_item(&mut self, rcron: usize, item: Item) {
        let is_waiting = self.rcrons[rcron].stage == Stage::Waiting;
        match item {
            Item::Wait(event) if is_waiting => self.wait(rcron, event),
            Item::Wake if is_waiting => self.wait(rcron, WaitEvent::Time),
            Item::Wait(_) | Item::Wake => {}
            Item::Connect => self.connect_held(rcron),
            Item::CheckState => self.check_state(rcron),
            Item::JobEnded => self.report_end(rcron),
            Item::Leave => self.end_rcron(rcron),
        }
    }

    fn handle_message(&mut self, rcron: usize, answer: Option<Answer>) {
        if answer.is_none() {
            self.rcrons[rcron].connection = None;
        }
        match (self.rcrons[rcron].stage, answer) {
            (Stage::Waiting, Some(answer)) => {
                if matches!(answer, Answer::Grant(_) | Answer::Over(_)) {
                    self.note(|| format!("r{rcron} hears {}", answer.line()));
                }
                self.wait(rcron, WaitEvent::Answer(answer));
            }
            (Stage::Waiting, None) => self.wait(rcron, WaitEvent::Closed),
            (Stage::Running, None) => self.put_item(self.now() + RETRY, rcron, Item::Connect),
            (Stage::Leaving, None | Some(Answer::Noted)) => self.end_rcron(rcron),
            _ => {}
        }
    }

    /// One step of the wait, and what it asks for.
    fn wait(&mut self, rcron: usize, event: WaitEvent) {
        let now = self.boot_clock(self.rcrons[rcron].node);
        let action = self.rcrons[rcron].wait.step(event, now);
        self.rcrons[rcron].listens = matches!(action, Action::Listen(_));
        let event = match action {
            Action::Connect => {
                self.hang_up(rcron);
                if self.open_connection(rcron) {
                    WaitEvent::Connected
                } else {
                    WaitEvent::NotConnected(NotConnected::Absent)
                }
            }
            Action::Send(request) => self.say_waiting(rcron, &request),
            Action::ReadState => {
                // From here to the start of the job it takes less than the margin of the lease.
                let (decision, identity) = self.read_state(rcron);
                self.wait(rcron, WaitEvent::State(decision, identity));
                return;
            }
            Action::Start(grant, basis) => {
                self.begin_run(rcron, &grant, basis);
                return;
            }
            Action::Listen(until) | Action::Rest(until) => {
                let at = self.when_boot(self.rcrons[rcron].node, until).max(self.now() + 1);
                if self.rcrons[rcron].wake.replace(at) != Some(at) {
                    self.put_item(at, rcron, Item::Wake);
                }
                return;
            }
            Action::GiveUp(_) | Action::Reject(_) => {
                self.note(|| format!("r{rcron} ends without a start: {action:?}"));
                self.end_rcron(rcron);
                return;
            }
        };
        self.rcrons[rcron].inbox.push_front(Item::Wait(event));
    }

    /// The process ends.
    pub(super) fn end_rcron(&mut self, rcron: usize) {
        self.hang_up(rcron);
        let of = &mut self.rcrons[rcron];
        of.stage = Stage::Gone;
        of.inbox.clear();
        of.messages.clear();
        let node = of.node;
        if !of.started.as_ref().is_some_and(|run| run.is_alive) {
            self.servers[node].rcrons.retain(|other| *other != rcron);
        }
    }

    /// SIGKILL, of which its job knows nothing.
    pub(super) fn kill_rcron(&mut self, rcron: usize) {
        self.note(|| format!("r{rcron} is killed"));
        self.end_rcron(rcron);
    }

    /// SIGSTOP, and SIGCONT after this duration.
    pub(super) fn stop_rcron(&mut self, rcron: usize, duration: Micros) {
        self.note(|| format!("r{rcron} stands still for {} ms", duration / MILLISECOND));
        let until = self.now() + duration;
        let of = &mut self.rcrons[rcron];
        of.stopped_until = of.stopped_until.max(until);
        of.waiting_since = of.waiting_since.max(until);
        self.queue.put(until, Event::Continue(rcron));
    }

    /// SIGTERM. A job is left to end.
    pub(super) fn terminate_rcron(&mut self, rcron: usize) {
        if self.rcrons[rcron].stage == Stage::Waiting {
            self.note(|| format!("r{rcron} gets SIGTERM"));
            self.end_rcron(rcron);
        }
    }

    /// The machine of these rcrons is rebooted.
    pub(super) fn lose_rcrons(&mut self, node: usize) {
        for rcron in std::mem::take(&mut self.servers[node].rcrons) {
            let of = &mut self.rcrons[rcron];
            of.stage = Stage::Gone;
            of.connection = None;
            if let Some(run) = &mut of.started {
                run.is_alive = false;
            }
        }
    }
}
