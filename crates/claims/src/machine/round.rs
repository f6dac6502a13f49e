//! When a round begins, its read, and what happens when time passes.

use super::outcome::Effect;
use super::run::RunKey;
use super::{JobView, Machine};
use crate::job::JobKey;
use crate::message::{Action, Call, Due, Facts, Key, Now};
use crate::mutation::Mutation;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;
use lease::{ClusterName, LeaseDuration};
use policy::claim::{Answer, Over, OverReason, RunResult, Wait, WaitReason};
use policy::moment::BootTime;

/// How many jobs one round reads and changes. With floors and sessions, a read has about 100 keys, which a store reads at once.
pub(super) const MOST_JOBS: usize = 90;
/// The shortest time between the beginnings of two rounds that hints cause.
const HINT_PAUSE: Duration = Duration::from_millis(50);
/// The pause after a call without an answer, before jitter.
const RETRY: Duration = Duration::from_millis(500);
/// A run of this node that is not connected for this long is given up.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(10);
/// The pause until it is tried again to give up a lost run.
const LOST_AGAIN: Duration = Duration::from_secs(1);
/// A client that waits for the end of an attempt is told again to wait, so that it waits this long after a failure of rcrond.
const FOLLOW: Duration = Duration::from_secs(600);

/// What is known of the store, and when to call it next.
#[derive(Clone, Debug)]
pub(super) struct StoreState {
    pub(super) is_answering: bool,
    pub(super) is_watching: bool,
    /// Something was changed since the last look at all jobs.
    pub(super) is_hinted: bool,
    /// No call before this.
    pub(super) retry_at: BootTime,
    /// When all waiting jobs were last queued.
    pub(super) swept_at: BootTime,
    /// How many jobs the next change may have: fewer after refusals, so that one busy record does not hold up the others.
    pub(super) most_jobs: usize,
    pub(super) refusals: u32,
}

/// The call to the store that is under way.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Idle,
    /// `facts` are from before the read went out. After `by` there is no answer.
    Reading {
        call: Call,
        by: BootTime,
        facts: Facts,
        jobs: Vec<JobKey>,
        keys: Vec<Key>,
    },
    /// What follows if the change is done.
    Changing {
        call: Call,
        by: BootTime,
        jobs: Vec<JobKey>,
        effects: Vec<Effect>,
    },
}

impl StoreState {
    pub(super) const fn new(now: BootTime) -> Self {
        Self {
            is_answering: true,
            is_watching: false,
            is_hinted: false,
            retry_at: now,
            swept_at: now,
            most_jobs: MOST_JOBS,
            refusals: 0,
        }
    }
}

impl Machine {
    pub(super) fn begin_round_if_due(&mut self, now: Now, out: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Idle) || now.boot < self.store.retry_at {
            return;
        }
        self.sweep_if_due(now.boot);
        if self.queue.is_empty() && self.expected.is_empty() {
            return;
        }
        let jobs = self.queue.take(self.store.most_jobs);
        let keys = self.keys(&jobs);
        let (call, by) = self.next_call(now.boot);
        self.phase = Phase::Reading {
            call,
            by,
            facts: self.facts.clone(),
            jobs,
            keys: keys.clone(),
        };
        out.push(Action::Read { call, keys, by });
    }

    /// Queues the jobs that wait for something in the store: when it hints at changes, and from time to time.
    fn sweep_if_due(&mut self, now: BootTime) {
        if now < self.sweep_at() {
            return;
        }
        self.store.swept_at = now;
        self.store.is_hinted = false;
        let pending = self
            .runs
            .iter()
            .filter(|(_, run)| !matches!(run.state, super::RunState::Granted));
        let jobs: Vec<JobKey> = pending.map(|(key, _)| key.job.clone()).collect();
        self.queue.extend(jobs);
    }

    fn sweep_at(&self) -> BootTime {
        let lease = self.shortest_lease();
        let interval = match (self.store.is_hinted, self.store.is_watching) {
            (true, _) => HINT_PAUSE,
            (false, true) => lease.third(),
            (false, false) => lease.poll_interval(),
        };
        self.store.swept_at.after(interval)
    }

    fn shortest_lease(&self) -> LeaseDuration {
        let leases = self.facts.clusters.values().map(|facts| facts.lease);
        leases.min().unwrap_or(LeaseDuration::LONGEST)
    }

    /// What a round reads: this node's session, floors, jobs, the sessions that their entries name, and the list of jobs where one
    /// may be new.
    fn keys(&self, jobs: &[JobKey]) -> Vec<Key> {
        let clusters: BTreeSet<&ClusterName> = jobs.iter().map(|job| &job.cluster).chain(&self.expected).collect();
        let mut keys = Vec::from([Key::Session(self.node.clone())]);
        keys.extend(clusters.into_iter().cloned().map(Key::Floor));
        keys.extend(jobs.iter().cloned().map(Key::Job));
        let mut nodes = BTreeSet::new();
        let mut lists = BTreeSet::new();
        for job in jobs {
            match self.jobs.get(job) {
                Some(JobView::Readable(_, record)) => nodes.extend(record.entries.iter().map(|entry| &entry.node)),
                Some(JobView::Unreadable) => {}
                None if self.listed.contains(job) => {}
                Some(JobView::Missing) | None => {
                    lists.insert(&job.cluster);
                }
            }
        }
        nodes.remove(&self.node);
        keys.extend(nodes.into_iter().cloned().map(Key::Session));
        keys.extend(lists.into_iter().cloned().map(Key::Jobs));
        keys
    }

    pub(super) fn next_call(&mut self, now: BootTime) -> (Call, BootTime) {
        self.last_call += 1;
        (self.last_call, now.after(self.shortest_lease().call_limit()))
    }

    pub(super) fn give_up_waiting(&mut self, now: Now, out: &mut Vec<Action>) {
        match &self.phase {
            Phase::Reading { call, by, .. } if *by <= now.boot => {
                let call = *call;
                self.take_reading(now, call, None, out);
            }
            Phase::Changing { call, by, .. } if *by <= now.boot => {
                let call = *call;
                self.take_verdict(now, call, lease::Verdict::NoAnswer, out);
            }
            _ => {}
        }
    }

    /// A call was not answered.
    pub(super) fn store_is_silent(&mut self, now: Now, jobs: Vec<JobKey>, out: &mut Vec<Action>) {
        self.store.is_answering = false;
        self.store.retry_at = now.boot.after(self.random.jittered(RETRY));
        for job in jobs {
            let waiting: Vec<RunKey> = self
                .runs_of(&job)
                .filter(|(_, run)| run.is_waiting() && !run.follows)
                .map(|(key, _)| key.clone())
                .collect();
            for key in waiting {
                self.tell(now, &key, WaitReason::Store, None, out);
            }
            self.queue.push(job);
        }
    }

    /// Ends the wait of the rcrons whose time is over, and queues what time alone has changed.
    pub(super) fn expire(&mut self, now: Now, out: &mut Vec<Action>) {
        let mut over = Vec::new();
        let mut due = Vec::new();
        for (key, run) in &self.runs {
            match run.state {
                super::RunState::Waiting if now.boot >= run.gives_up_at() && !run.follows && run.client.is_some() => {
                    over.push(key.clone());
                }
                super::RunState::Waiting if run.turn.is_some_and(|turn| turn <= now.boot) => due.push(key.clone()),
                super::RunState::Granted
                    if self.is_lost(key, now.boot) && run.turn.is_none_or(|turn| turn <= now.boot) =>
                {
                    due.push(key.clone());
                }
                _ => {}
            }
        }
        for key in over {
            self.end_wait(&key, OverReason::TooLate, None, None, out);
        }
        for key in due {
            if let Some(run) = self.runs.get_mut(&key) {
                // Without a session, a lost run stays.
                let is_lost = !run.is_waiting();
                run.turn = is_lost.then(|| now.boot.after(LOST_AGAIN));
            }
            self.queue.push(key.job);
        }
        let dues = self
            .dues
            .values()
            .filter(|due| !due.is_queued && self.until_missed(now, &due.due).is_zero())
            .filter(|due| due.turn.is_none_or(|turn| turn <= now.boot));
        let dues: Vec<JobKey> = dues.map(|due| due.due.job.clone()).collect();
        for job in dues {
            if let Some(due) = self.dues.get_mut(&job) {
                due.is_queued = true;
            }
            self.queue.push(job);
        }
        let waiting: Vec<RunKey> = self
            .runs
            .iter()
            .filter(|(_, run)| run.follows && run.client.is_some())
            .filter(|(_, run)| {
                run.told
                    .as_ref()
                    .is_some_and(|(_, _, until)| until.since(now.boot) < FOLLOW / 2)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in waiting {
            let Some((reason, by, _)) = self.runs.get_mut(&key).and_then(|run| run.told.take()) else {
                continue;
            };
            self.tell(now, &key, reason, by, out);
        }
    }

    /// Whether a run of this node's session is given up: its rcron has not been connected for a while.
    pub(super) fn is_lost(&self, key: &RunKey, now: BootTime) -> bool {
        let since = self.runs.get(key).map_or(Some(self.started), |run| match run.client {
            Some(_) => None,
            None => run.hung_up,
        });
        !self.is_mutated(Mutation::LostRunsStay) && since.is_some_and(|since| now >= since.after(LOST_AFTER))
    }

    /// How long until the tick is recorded as missed, unless a server has started it: by the wall clock, which can be set.
    pub(super) fn until_missed(&self, now: Now, due: &Due) -> Duration {
        let skew = if self.is_mutated(Mutation::MissedWithoutSkew) {
            Duration::ZERO
        } else {
            self.max_skew
        };
        let missed_at = due.expired.wall().0.saturating_add(skew);
        missed_at.saturating_sub(now.wall.0)
    }

    /// Tells the client why it waits, if it does not know.
    pub(super) fn tell(
        &mut self,
        now: Now,
        key: &RunKey,
        reason: WaitReason,
        by: Option<alloc::string::String>,
        out: &mut Vec<Action>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let Some(client) = run.client else { return };
        if run
            .told
            .as_ref()
            .is_some_and(|(told, node, _)| *told == reason && *node == by)
        {
            return;
        }
        let until = if run.follows {
            now.boot.after(FOLLOW).max(run.deadline)
        } else {
            run.deadline
        };
        run.told = Some((reason, by.clone(), until));
        let wait = Wait {
            until,
            tick: Some(run.tick),
            reason,
            by,
        };
        out.push(Action::Answer(client, Answer::Wait(wait)));
    }

    /// Tells the client that there is no grant. A claim that was sent is remembered until it cannot be done any more.
    pub(super) fn end_wait(
        &mut self,
        key: &RunKey,
        reason: OverReason,
        by: Option<alloc::string::String>,
        ended: Option<RunResult>,
        out: &mut Vec<Action>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let reason = match (&run.told, reason) {
            (Some((why, _, _)), OverReason::TooLate) => OverReason::NoGrant(*why),
            (_, reason) => reason,
        };
        let tick = Some(run.tick);
        if let Some(client) = run.client.take() {
            self.clients.remove(&client);
            let over = Over {
                reason,
                by,
                tick,
                ended,
            };
            out.push(Action::Answer(client, Answer::Over(over)));
        }
        run.hung_up = Some(run.deadline);
        if run.sent.is_none() {
            self.runs.remove(key);
        }
    }

    pub(super) fn wake_at(&self, now: Now) -> Option<BootTime> {
        let phase = match &self.phase {
            Phase::Reading { by, .. } | Phase::Changing { by, .. } => Some(*by),
            Phase::Idle if !self.queue.is_empty() || !self.expected.is_empty() => Some(self.store.retry_at),
            Phase::Idle => None,
        };
        let pending = self
            .runs
            .values()
            .any(|run| !matches!(run.state, super::RunState::Granted));
        let sweep = pending.then(|| self.sweep_at());
        let dues = self.dues.values().filter(|due| !due.is_queued);
        let dues = dues.map(|due| {
            let missed_at = now.boot.after(self.until_missed(now, &due.due));
            due.turn.map_or(missed_at, |turn| missed_at.max(turn))
        });
        let runs = self.runs.values().filter_map(|run| match run.state {
            super::RunState::Waiting => {
                let deadline = (!run.follows && run.client.is_some()).then_some(run.gives_up_at());
                let again = run.told.as_ref().map(|(_, _, until)| *until).filter(|_| run.follows);
                let again = again.map(|until| BootTime(until.0.saturating_sub(FOLLOW / 2)));
                [deadline, run.turn, again].into_iter().flatten().min()
            }
            super::RunState::Granted if run.client.is_none() => run.turn.or(run.hung_up.map(|at| at.after(LOST_AFTER))),
            _ => None,
        });
        let times = [phase, sweep].into_iter().flatten().chain(runs).chain(dues);
        times.filter(|time| *time > now.boot).min()
    }
}
