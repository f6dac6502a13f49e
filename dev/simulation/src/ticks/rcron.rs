//! An rcron: it asks the local daemon for its tick, starts the job, watches the state file, and says how the job ended.

mod connection;
mod run;

use super::job::Job;
use super::world::{Event, TickWorld};
use crate::{MILLISECOND, Micros, SECOND};
use policy::claim::{Answer, ClaimId, Grant};
use policy::moment::{BootTime, WallTime};
use policy::tick::TickTime;
pub use run::Run;
use std::collections::VecDeque;
use std::time::Duration;

/// How soon a waiting rcron connects again.
const RETRY_WAITING: Micros = 250 * MILLISECOND;
/// How soon a running rcron connects again.
const RETRY_RUNNING: Micros = SECOND;
/// How long rcron waits until its last message is noted.
const LAST_WORD: Micros = 200 * MILLISECOND;

/// An rcron, and its job.
#[derive(Debug)]
pub struct Rcron {
    /// The server's index.
    pub node: usize,
    /// The job's index.
    pub job: usize,
    /// Its run id.
    pub run: ClaimId,
    /// When it was started.
    pub started_wall: WallTime,
    /// The same on the boot clock.
    pub started_boot: BootTime,
    /// How far it has come.
    pub stage: Stage,
    /// Since when it has been waiting without standing still.
    pub waiting_since: Micros,
    /// It stands still until then.
    pub stopped_until: Micros,
    /// The job, once it is started.
    pub started: Option<Run>,
    /// The number of its connection.
    connection: Option<u64>,
    /// Until when it connects again, by the last `wait` of a daemon.
    waits_until: Option<BootTime>,
    /// What it has not noticed yet.
    inbox: VecDeque<Item>,
    /// When its last message arrives, and the last one to it: messages of a connection stay in order.
    order: [Micros; 2],
}

/// How far an rcron has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waits for a grant.
    Waiting,
    /// It has a grant, and looks whether it may start the job.
    Starting(Grant),
    /// The job runs.
    Running,
    /// It has said how the job ended, or that it was not started, and waits until this is noted.
    Leaving,
    /// It has ended.
    Gone,
}

/// What an rcron notices.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// It is time to connect.
    Connect,
    /// A message of the daemon, with the connection's number.
    Answer(u64, Answer),
    /// The daemon is gone.
    Closed(u64),
    /// Goes on to the start.
    Start,
    /// The state file has changed, or its lease ends.
    CheckState,
    /// The job has ended.
    JobEnded,
    /// The time for the last word is over.
    Leave,
}

impl Rcron {
    /// The tick that the daemon names.
    #[must_use]
    pub fn tick(&self, job: &Job) -> Option<TickTime> {
        let config = job.configs[self.node];
        job.schedule.name(self.started_wall, config.start_within)
    }

    /// When `start_within` is over.
    #[must_use]
    pub fn deadline(&self, job: &Job, tick: TickTime) -> BootTime {
        let end = tick.wall().0 + job.configs[self.node].start_within;
        self.started_boot.after(end.saturating_sub(self.started_wall.0))
    }

    /// Whether it connects again at this time.
    fn still_waits(&self, job: &Job, now: BootTime) -> bool {
        let untold = job.configs[self.node].start_within.min(Duration::from_secs(30));
        now < self.waits_until.unwrap_or_else(|| self.started_boot.after(untold))
    }
}

impl TickWorld {
    /// cron starts an rcron.
    pub(super) fn start_rcron(&mut self, node: usize, job: usize) {
        let number = self.rcrons.len();
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let now = self.clocks(node);
        self.note(|| format!("n{node}'s cron starts r{number} of j{job} at its {:.3}", seconds(now.wall.0)));
        self.rcrons.push(Rcron {
            node,
            job,
            run: ClaimId::new(id.as_bytes()).expect("a UUID"),
            started_wall: now.wall,
            started_boot: now.boot,
            stage: Stage::Waiting,
            waiting_since: self.now(),
            stopped_until: 0,
            started: None,
            connection: None,
            waits_until: None,
            inbox: VecDeque::new(),
            order: [0; 2],
        });
        self.servers[node].rcrons.push(number);
        self.put_item(self.now() + 1, number, Item::Connect);
        self.begin_probes(number);
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
        if self.rcrons[rcron].stage == Stage::Gone {
            return;
        }
        if let Item::CheckState = item {
            let run = self.rcrons[rcron].started.as_mut();
            if run.is_none_or(|run| run.take_check(self.lease.now)) {
                return;
            }
        }
        self.rcrons[rcron].inbox.push_back(item);
        self.run_rcron(rcron);
    }

    /// rcron goes on until it waits for something, or stands still.
    pub(super) fn run_rcron(&mut self, rcron: usize) {
        while !self.stands_still(rcron) && self.rcrons[rcron].stage != Stage::Gone {
            if self.rcrons[rcron].inbox.is_empty() {
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
            if let Some(item) = self.rcrons[rcron].inbox.pop_front() {
                self.handle_item(rcron, item);
            }
        }
    }

    fn handle_item(&mut self, rcron: usize, item: Item) {
        match item {
            Item::Connect => self.connect(rcron),
            Item::Closed(connection) => self.lose_connection(rcron, connection),
            Item::Answer(connection, answer) => {
                if self.rcrons[rcron].connection == Some(connection) {
                    self.handle_answer(rcron, answer);
                }
            }
            Item::Start => self.start_job(rcron),
            Item::CheckState => self.check_state(rcron),
            Item::JobEnded => self.report_end(rcron),
            Item::Leave => self.end_rcron(rcron),
        }
    }

    fn handle_answer(&mut self, rcron: usize, answer: Answer) {
        let of = &mut self.rcrons[rcron];
        match answer {
            Answer::Wait(wait) if of.stage == Stage::Waiting => of.waits_until = Some(wait.until),
            Answer::Grant(grant) if of.stage == Stage::Waiting => {
                self.note(|| format!("r{rcron} has the grant of {:?}, attempt {}", grant.tick, grant.attempt));
                self.rcrons[rcron].stage = Stage::Starting(grant);
                let at = self.now() + self.random.between(50, 5000);
                self.put_item(at, rcron, Item::Start);
            }
            Answer::Over(over) if of.stage == Stage::Waiting => {
                self.note(|| format!("r{rcron} is over: {:?} by {:?}", over.reason, over.by));
                self.end_rcron(rcron);
            }
            Answer::Noted if of.stage == Stage::Leaving => self.end_rcron(rcron),
            Answer::Refused { message } => {
                self.note(|| format!("r{rcron} is refused: {message}"));
                self.end_rcron(rcron);
            }
            _ => {}
        }
    }

    /// The process ends.
    pub(super) fn end_rcron(&mut self, rcron: usize) {
        self.hang_up(rcron);
        let of = &mut self.rcrons[rcron];
        of.stage = Stage::Gone;
        of.inbox.clear();
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

pub(super) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
