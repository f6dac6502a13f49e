//! What a round decides about one job: the ends of this node's runs, its waiting rcrons, what is due, what an administrator wants.

mod effects;
mod room;
mod waiting;

use super::draft::Draft;
use super::outcome::Effect;
use super::permit::Standing;
use super::run::{Run, RunKey, RunState};
use super::{JobView, Machine, PendingDue};
use crate::job::JobKey;
use crate::message::{Gap, MissReason, Notice, Now};
use crate::mutation::Mutation;
use crate::record::{EntryState, FloorRecord, Outcome};
use crate::sessions::Over;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use policy::claim::{Ended, WaitReason};
use policy::tick::TickTime;

/// What the decisions about one job depend on, beside its record.
pub(super) struct Round<'a> {
    pub(super) now: Now,
    pub(super) standing: &'a Standing<'a>,
    /// The version of this node's session record, whatever it says.
    pub(super) session_version: Option<lease::Version>,
    pub(super) floor: TickTime,
}

/// What was decided about one job.
pub(super) struct Decision {
    pub(super) draft: Draft,
    /// What follows if the change is done.
    pub(super) effects: Vec<Effect>,
    /// The floor is lowered, too.
    pub(super) reopened_floor: Option<TickTime>,
}

impl Machine {
    /// Decides about one job. `None`: its record cannot be read.
    pub(super) fn decide_job(&mut self, round: &Round, job: &JobKey) -> Option<Decision> {
        let draft = match self.jobs.get(job)? {
            JobView::Missing => Draft::new_job(),
            JobView::Readable(version, record) => Draft::of(*version, record.clone()),
            JobView::Unreadable => return None,
        };
        let mut decision = Decision {
            draft,
            effects: Vec::new(),
            reopened_floor: None,
        };
        if self.reopens.iter().any(|reopen| reopen.job == *job) {
            self.reopen(round, job, &mut decision);
            // A claim in the same change would be decided by the old floor, and what it closes be opened again.
            self.queue.push(job.clone());
            return Some(decision);
        }
        self.write_ends(job, &mut decision);
        self.give_up_lost_runs(round, job, &mut decision);
        let mut waiting: Vec<(TickTime, RunKey)> = self
            .runs_of(job)
            .filter(|(_, run)| run.is_waiting())
            .map(|(key, run)| (run.tick, key.clone()))
            .collect();
        waiting.sort_unstable();
        for (_, key) in waiting {
            self.decide_run(round, &key, &mut decision);
        }
        self.record_missed(round, job, &mut decision);
        Some(decision)
    }

    /// The runs of this node that are over, or that were not started.
    fn write_ends(&self, job: &JobKey, decision: &mut Decision) {
        for (key, run) in self.runs_of(job) {
            let draft = &mut decision.draft;
            let place = draft.record.entries.iter().position(|entry| entry.run == key.run);
            match (&run.state, place) {
                (RunState::Waiting | RunState::Granted, _) => {}
                (RunState::Ending(ended), Some(at)) => {
                    write_end(draft, at, ended);
                    decision.effects.push(Effect::Finished(key.clone()));
                }
                (RunState::GivingBack { .. }, Some(at)) if !self.is_mutated(Mutation::NothingIsGivenBack) => {
                    draft.record.entries[at].state = EntryState::NeverStarted;
                    draft.is_changed = true;
                    decision.effects.push(Effect::GaveBack(key.clone()));
                }
                // Another node has recorded the run as lost.
                (RunState::Ending(_), None) => decision.effects.push(Effect::Finished(key.clone())),
                (RunState::GivingBack { .. }, _) => decision.effects.push(Effect::GaveBack(key.clone())),
            }
        }
    }

    /// Attempts of this node's own session whose rcron is gone: nobody else can tell.
    fn give_up_lost_runs(&self, round: &Round, job: &JobKey, decision: &mut Decision) {
        let Some((session, _)) = round.standing.session else {
            return;
        };
        let is_lost = |entry: &crate::record::Entry| {
            let key = RunKey::new(job, entry.run);
            let is_own = entry.node == self.node && entry.session == session && entry.state == EntryState::Running;
            let is_pending = self
                .runs
                .get(&key)
                .is_some_and(|run| !matches!(run.state, RunState::Granted));
            is_own && !is_pending && self.is_lost(&key, round.now.boot)
        };
        while let Some(at) = decision.draft.record.entries.iter().position(is_lost) {
            let entry = decision.draft.record.entries[at].clone();
            decision.draft.end(at, Outcome::Lost, None);
            decision.draft.needs_session = true;
            decision
                .effects
                .push(Effect::Notify(settled(job, &entry, Outcome::Lost)));
            decision.effects.push(Effect::Finished(RunKey::new(job, entry.run)));
        }
        // What is left has no entry of this session: another node or session decides about it.
        let is_left =
            |(key, run): &(&RunKey, &Run)| matches!(run.state, RunState::Granted) && self.is_lost(key, round.now.boot);
        let left = self.runs_of(job).filter(is_left);
        decision
            .effects
            .extend(left.map(|(key, _)| Effect::Finished(key.clone())));
    }

    /// A tick that should have been started by now, and older attempts whose end nobody has recorded.
    fn record_missed(&mut self, round: &Round, job: &JobKey, decision: &mut Decision) {
        let Some(PendingDue { due, .. }) = self.dues.get(job) else {
            return;
        };
        if round.standing.session.is_none() {
            return; // a session that comes queues the job again
        }
        if !self.until_missed(round.now, due).is_zero() {
            if let Some(due) = self.dues.get_mut(job) {
                due.is_queued = false;
            }
            return;
        }
        let due = due.clone();
        let tick = due.tick;
        let reason = if tick > round.floor {
            due.reason
        } else {
            MissReason::DataLost
        };
        let schedule = &due.schedule;
        let unsettled = self.settle_entries(round, job, tick, decision);
        let draft = &mut decision.draft;
        if tick > draft.record.closed {
            // A tick from before the daemon's start of a job without a record: the job may be newer, and what follows counts from it.
            let is_new = draft.version.is_none();
            if !(is_new && due.reason == MissReason::NotRunning) {
                let missed = schedule.gap(draft.record.closed, TickTime(tick.0.saturating_add(1)));
                let gap = missed.filter(|_| !is_new).unwrap_or(Gap::single(tick));
                draft.miss(gap, Outcome::Missed(reason), &self.node, round.now);
                let job = job.clone();
                decision
                    .effects
                    .push(Effect::Notify(Notice::Missed { job, gap, reason }));
            }
            draft.record.closed = tick;
            draft.is_changed = true;
            draft.needs_session = true;
        }
        match unsettled {
            Unsettled::None => decision.effects.push(Effect::DueDone(job.clone(), tick)),
            Unsettled::Until(moment) => {
                if let Some(due) = self.dues.get_mut(job) {
                    (due.is_queued, due.turn) = (false, moment);
                }
            }
        }
    }

    /// Ends the entries up to this tick that no attempt can follow: they were given back and nobody took them, or their session is
    /// over and they cannot be started again. Returns when it will be known of others whether their session is over.
    fn settle_entries(&self, round: &Round, job: &JobKey, tick: TickTime, decision: &mut Decision) -> Unsettled {
        let mut unsettled = Unsettled::None;
        let mut at = 0;
        while let Some(entry) = decision.draft.record.entries.get(at).cloned() {
            let is_newest = entry.tick == decision.draft.record.closed;
            let can_follow = entry.reruns > 0 && is_newest;
            let is_over = match entry.state {
                _ if entry.tick > tick => false,
                // After the first attempt a tick has no deadline.
                EntryState::NeverStarted => entry.attempt == 1 || !is_newest,
                EntryState::CutOff => !can_follow,
                EntryState::Running => match self.entry_over(round, &entry) {
                    Over::Yes { end } if !can_follow => {
                        if let Some((version, record)) = end {
                            end_session(&mut decision.draft, &entry, version, &record);
                        }
                        true
                    }
                    Over::NotBefore(moment) if !can_follow && !self.is_alive(round, &entry) => {
                        unsettled = unsettled.and_until(moment);
                        false
                    }
                    _ => false,
                },
            };
            if !is_over {
                at += 1;
                continue;
            }
            decision.draft.needs_session = true;
            end_entry(job, at, &entry, decision);
        }
        unsettled
    }

    /// Whether the node of an entry is known to renew its session: this one, or another.
    fn is_alive(&self, round: &Round, entry: &crate::record::Entry) -> bool {
        let own = round.standing.session.map(|(session, _)| session);
        own == Some(entry.session) || self.sessions.is_alive(entry)
    }

    /// Whether the session of an entry is over, by the entry's own terms. One of this node's own open session is not.
    fn entry_over(&self, round: &Round, entry: &crate::record::Entry) -> Over {
        if round
            .standing
            .session
            .is_some_and(|(session, _)| session == entry.session)
        {
            return Over::NotBefore(None);
        }
        let (mut lease, mut grace) = (entry.lease, entry.grace);
        if self.is_mutated(Mutation::OwnTermsForSessions) {
            if let Some(own) = self.facts.clusters.values().next() {
                (lease, grace) = (own.lease, own.grace);
            }
        }
        self.sessions.over(entry, lease, grace, round.now.boot)
    }

    /// What a wrong clock has closed ahead of time is open again from now on.
    fn reopen(&mut self, round: &Round, job: &JobKey, decision: &mut Decision) {
        let now = TickTime::from(round.now.wall);
        let (wanted, others) = core::mem::take(&mut self.reopens)
            .into_iter()
            .partition(|reopen| reopen.job == *job);
        self.reopens = others;
        let wanted: Vec<crate::message::Reopen> = wanted;
        let draft = &mut decision.draft;
        let result = if draft.version.is_none() {
            Err(String::from(
                "the store has no record of this job: no tick of it is closed",
            ))
        } else {
            let mut done = Vec::new();
            if self.is_ahead(round.now, draft.record.closed) {
                done.push(format!("ticks after {} can be started again", now.rfc3339()));
                draft.record.closed = now;
                draft.is_changed = true;
            }
            if self.is_ahead(round.now, round.floor) {
                done.push(format!(
                    "the floor of the cluster was lowered from {}",
                    round.floor.rfc3339()
                ));
                decision.reopened_floor = Some(now);
                draft.is_changed = true;
            }
            if done.is_empty() {
                Ok("no tick is closed further ahead than clocks may differ: nothing was changed".to_string())
            } else {
                Ok(done.join("; "))
            }
        };
        let clients = wanted
            .into_iter()
            .map(|reopen| Effect::Reopened(reopen, result.clone()));
        decision.effects.extend(clients);
    }

    /// The record of the floor as an administrator's request sets it.
    pub(super) fn reopened_floor(&self, floor: TickTime) -> FloorRecord {
        FloorRecord {
            incarnation: self.incarnation.clone(),
            floor,
        }
    }

    /// A job whose record cannot be read: its rcrons wait.
    pub(super) fn job_is_unreadable(&mut self, now: Now, job: &JobKey, out: &mut Vec<crate::message::Action>) {
        let keys: Vec<RunKey> = self
            .runs_of(job)
            .filter(|(_, run)| run.is_waiting())
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.tell(now, &key, WaitReason::Store, None, out);
        }
    }
}

/// Whether entries are left that only time can settle.
enum Unsettled {
    None,
    /// Until this moment; `None`: until the next read.
    Until(Option<policy::moment::BootTime>),
}

impl Unsettled {
    fn and_until(self, moment: Option<policy::moment::BootTime>) -> Self {
        match self {
            Self::Until(earlier) => Self::Until(earlier.max(moment)),
            Self::None => Self::Until(moment),
        }
    }
}

/// How a run ended, in its job's record.
fn write_end(draft: &mut Draft, at: usize, ended: &Ended) {
    let entry = &mut draft.record.entries[at];
    let outcome = match ended.outcome {
        _ if ended.is_demoted && entry.reruns > 0 => {
            entry.state = EntryState::CutOff;
            draft.is_changed = true;
            return;
        }
        _ if ended.is_demoted => Outcome::Interrupted,
        policy::exit::Outcome::Exited(status) => Outcome::Exited(status),
        policy::exit::Outcome::Killed(signal) => Outcome::Killed(signal),
    };
    draft.end(at, outcome, Some(ended.lasted));
}

/// Ends an entry that no attempt follows.
fn end_entry(job: &JobKey, at: usize, entry: &crate::record::Entry, decision: &mut Decision) {
    let notice = if entry.state == EntryState::NeverStarted {
        decision.draft.end_unstarted(at).then(|| Notice::Missed {
            job: job.clone(),
            gap: Gap::single(entry.tick),
            reason: MissReason::NotAsked,
        })
    } else {
        decision.draft.end(at, Outcome::Interrupted, None);
        Some(settled(job, entry, Outcome::Interrupted))
    };
    decision.effects.extend(notice.map(Effect::Notify));
}

fn settled(job: &JobKey, entry: &crate::record::Entry, outcome: Outcome) -> Notice {
    Notice::Settled {
        job: job.clone(),
        tick: entry.tick,
        node: entry.node.clone(),
        outcome,
    }
}

/// Ends the session of an entry in the same change: from then on its node can do nothing in its name.
fn end_session(
    draft: &mut Draft,
    entry: &crate::record::Entry,
    version: lease::Version,
    record: &lease::SessionRecord,
) {
    let ended = lease::SessionRecord {
        state: lease::SessionState::Ended { lease: entry.lease },
        heartbeat: record.heartbeat.saturating_add(1),
        id: record.id,
    };
    draft.ended_sessions.insert(entry.node.clone(), (version, ended));
}
