//! The change of a round: composed of what was decided about its jobs; and what follows from the store's answer.

use super::Machine;
use super::decide::{Decision, Round};
use super::floor::Floors;
use super::permit::Standing;
use super::reading::{ListView, Snapshot};
use super::round::{MOST_JOBS, Phase};
use super::run::{RunKey, RunState};
use crate::job::JobKey;
use crate::message::{Action, Call, Change, Key, Notice, Now, Record, Reopen};
use crate::mutation::Mutation;
use crate::record::JobList;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use lease::{ClusterName, Incarnation, Verdict, Version};
use policy::claim::{Answer, Grant, OverReason, RunResult, WaitReason};
use policy::moment::BootTime;
use policy::tick::TickTime;

/// How many conditions or writes one change has at most: etcd accepts 128 operations by default (`--max-txn-ops`).
const MOST_OPERATIONS: usize = 110;

/// What follows from a decision: at once, or when the change is done.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// A floor was set.
    FloorSet(Notice),
    /// The run has a grant.
    Grant {
        key: RunKey,
        attempt: u32,
        start_by: BootTime,
        identity: String,
    },
    /// The run gets no grant.
    Over {
        key: RunKey,
        reason: OverReason,
        by: Option<String>,
        ended: Option<RunResult>,
    },
    /// The run waits.
    Wait {
        key: RunKey,
        reason: WaitReason,
        by: Option<String>,
    },
    /// The run's entry is open again: the run waits as before.
    GaveBack(RunKey),
    /// Nothing is left to be written for the run.
    Finished(RunKey),
    /// The tick is closed or recorded as missed.
    DueDone(JobKey, TickTime),
    /// An administrator's request was carried out.
    Reopened(Reopen, Result<String, String>),
    /// To be logged.
    Notify(Notice),
}

/// Why a new job cannot be entered in the list of jobs.
#[derive(Clone, Copy)]
enum NotListed {
    Full,
    Unreadable,
    NotRead,
}

/// The change that a round composes.
struct Composition<'a> {
    change: Change,
    effects: Vec<Effect>,
    jobs: Vec<JobKey>,
    lists: BTreeMap<&'a ClusterName, ListView>,
    needs_session: bool,
    notified: BTreeSet<&'a ClusterName>,
}

impl Machine {
    /// Decides about the jobs of a round, and sends the change.
    #[expect(clippy::too_many_arguments, reason = "all that a read has found")]
    pub(super) fn plan(
        &mut self,
        now: Now,
        standing: &Standing,
        floors: &Floors,
        jobs: &[JobKey],
        snapshot: &Snapshot,
        incarnation: Option<&Incarnation>,
        out: &mut Vec<Action>,
    ) {
        let session_key = Key::Session(self.node.clone());
        let session_version = snapshot.get(&session_key).flatten().map(|found| found.version);
        let clusters = Self::clusters_of(jobs);
        let lists = clusters
            .iter()
            .filter_map(|cluster| Some((*cluster, Self::list(snapshot, cluster)?)));
        let mut composition = Composition {
            change: Change {
                incarnation: incarnation.cloned(),
                ..Change::default()
            },
            effects: Vec::new(),
            jobs: Vec::new(),
            lists: lists.collect(),
            needs_session: false,
            notified: BTreeSet::new(),
        };
        for job in jobs {
            let Some((floor, floor_version)) = floors.get(&job.cluster) else {
                self.job_is_unreadable(now, job, out);
                continue;
            };
            let round = Round {
                now,
                standing,
                session_version,
                floor,
            };
            let Some(decision) = self.decide_job(&round, job) else {
                self.job_is_unreadable(now, job, out);
                continue;
            };
            self.add(now, job, decision, floor_version, &mut composition, out);
        }
        self.send(now, standing, composition, out);
    }

    /// Adds what was decided about a job to the change. What needs no change follows at once.
    fn add<'a>(
        &mut self,
        now: Now,
        job: &'a JobKey,
        decision: Decision,
        floor_version: Option<Version>,
        composition: &mut Composition<'a>,
        out: &mut Vec<Action>,
    ) {
        let Decision {
            draft,
            effects,
            reopened_floor,
        } = decision;
        if !draft.is_changed {
            self.apply(now, effects, out);
            return;
        }
        let change = &composition.change;
        let room = MOST_OPERATIONS.saturating_sub(change.writes.len().max(change.conditions.len()));
        let list = if draft.version.is_none() {
            Self::listed(job, composition)
        } else {
            Ok(None)
        };
        let list = match list {
            Ok(list) => list,
            Err(why) => {
                self.is_not_listed(now, job, why, out);
                return;
            }
        };
        if draft.writes() + 6 > room && !composition.jobs.is_empty() {
            self.queue.push(job.clone());
            return;
        }
        let change = &mut composition.change;
        if !self.is_mutated(Mutation::ChangeWithoutJobVersion) {
            change.conditions.push((Key::Job(job.clone()), draft.version));
        }
        let floor_key = Key::Floor(job.cluster.clone());
        if !change.conditions.iter().any(|(key, _)| *key == floor_key) {
            change.conditions.push((floor_key.clone(), floor_version));
        }
        if let Some(floor) = reopened_floor {
            let record = self.reopened_floor(floor);
            change.writes.retain(|(key, _)| *key != floor_key);
            change.writes.push((floor_key, Record::Floor(record)));
        }
        for (node, (version, _)) in &draft.ended_sessions {
            let key = Key::Session(node.clone());
            if !change.conditions.iter().any(|(of, _)| *of == key) {
                change.conditions.push((key, Some(*version)));
            }
        }
        composition.needs_session |= draft.needs_session;
        let keeps_sessions = self.is_mutated(Mutation::AgainWithoutEnding);
        for (key, record) in draft.into_writes(job) {
            let is_session = matches!(key, Key::Session(_));
            let is_written = change.writes.iter().any(|(of, _)| *of == key);
            if !(is_session && (is_written || keeps_sessions)) {
                change.writes.push((key, record));
            }
        }
        if let Some((version, list)) = list {
            let key = Key::Jobs(job.cluster.clone());
            if !change.conditions.iter().any(|(of, _)| *of == key) {
                change.conditions.push((key.clone(), version));
            }
            change.writes.retain(|(of, _)| *of != key);
            change.writes.push((key, Record::Jobs(list.clone())));
            composition
                .lists
                .insert(&job.cluster, ListView::Readable(version, list));
        }
        if composition.notified.insert(&job.cluster) {
            let random = self.random.next();
            change
                .writes
                .push((Key::Notify(job.cluster.clone()), Record::Notify(random)));
        }
        composition.effects.extend(effects);
        composition.jobs.push(job.clone());
    }

    /// The list of jobs with this new one; `Ok(None)` if it is in it.
    fn listed(job: &JobKey, composition: &Composition) -> Result<Option<(Option<Version>, JobList)>, NotListed> {
        match composition.lists.get(&job.cluster) {
            Some(ListView::Readable(_, list)) if list.contains(&job.user, &job.job) => Ok(None),
            Some(ListView::Readable(version, list)) => {
                let longer = list.with(&job.user, &job.job).ok_or(NotListed::Full)?;
                Ok(Some((*version, longer)))
            }
            Some(ListView::Unreadable) => Err(NotListed::Unreadable),
            None => Err(NotListed::NotRead),
        }
    }

    /// A new job cannot be entered in the list of jobs: nothing is written for it.
    fn is_not_listed(&mut self, now: Now, job: &JobKey, why: NotListed, out: &mut Vec<Action>) {
        match why {
            // The job's record was there at an earlier read, and is gone. The next round reads the list.
            NotListed::NotRead => {
                self.listed.remove(job);
                self.queue.push(job.clone());
            }
            NotListed::Unreadable => self.job_is_unreadable(now, job, out),
            NotListed::Full => self.refuse_new_job(job, out),
        }
    }

    fn refuse_new_job(&mut self, job: &JobKey, out: &mut Vec<Action>) {
        self.dues.remove(job);
        let keys: Vec<RunKey> = self.runs_of(job).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let Some(client) = self.runs.remove(&key).and_then(|run| run.client) else {
                continue;
            };
            self.clients.remove(&client);
            let message = String::from(
                "the store has too many jobs of this user or cluster with once_per_tick: see the log of rcrond",
            );
            out.push(Action::Answer(client, Answer::Refused { message }));
            out.push(Action::Notify(Notice::TooManyJobs(job.clone())));
        }
    }

    fn send(&mut self, now: Now, standing: &Standing, composition: Composition, out: &mut Vec<Action>) {
        let Composition {
            mut change,
            effects,
            jobs,
            needs_session,
            ..
        } = composition;
        if jobs.is_empty() {
            self.store.refusals = 0;
            return;
        }
        if needs_session && !self.is_mutated(Mutation::ClaimWithoutSession) {
            // Without a session of its own, a round decides nothing that needs one.
            let version = standing.session.map(|(_, version)| version);
            change.conditions.push((Key::Session(self.node.clone()), version));
        }
        self.begin_change(now, change, jobs, effects, out);
    }

    pub(super) fn take_verdict(&mut self, now: Now, call: Call, verdict: Verdict, out: &mut Vec<Action>) {
        let Phase::Changing { call: current, .. } = &self.phase else {
            return;
        };
        if *current != call {
            return;
        }
        let Phase::Changing { jobs, effects, .. } = core::mem::replace(&mut self.phase, Phase::Idle) else {
            return;
        };
        match verdict {
            Verdict::NoAnswer if self.is_mutated(Mutation::GrantOnNoAnswer) => self.apply(now, effects, out),
            Verdict::Done => {
                self.store.is_answering = true;
                self.store.refusals = 0;
                self.store.most_jobs = (self.store.most_jobs * 2).min(MOST_JOBS);
                let is_floor = effects.iter().any(|effect| matches!(effect, Effect::FloorSet(_)));
                self.apply(now, effects, out);
                if is_floor {
                    self.queue.extend(jobs);
                }
            }
            Verdict::Refused => {
                self.store.is_answering = true;
                self.store.refusals += 1;
                if self.store.refusals >= 2 {
                    self.store.most_jobs = (self.store.most_jobs / 2).max(1);
                }
                Self::give_up_requests(effects, out);
                self.queue.extend(jobs);
            }
            Verdict::NoAnswer => {
                Self::give_up_requests(effects, out);
                self.store_is_silent(now, jobs, out);
            }
        }
    }

    /// An administrator hears of a failure instead of waiting for another round.
    fn give_up_requests(effects: Vec<Effect>, out: &mut Vec<Action>) {
        for effect in effects {
            if let Effect::Reopened(reopen, _) = effect {
                let message = String::from("the store has refused the change or not answered; try again");
                out.push(Action::Reopened(reopen.client, Err(message)));
            }
        }
    }

    pub(super) fn apply(&mut self, now: Now, effects: Vec<Effect>, out: &mut Vec<Action>) {
        for effect in effects {
            match effect {
                Effect::FloorSet(notice) => {
                    if let Notice::FloorSet { cluster, .. } = &notice {
                        self.suspects.remove(cluster);
                    }
                    out.push(Action::Notify(notice));
                }
                Effect::Grant {
                    key,
                    attempt,
                    start_by,
                    identity,
                } => self.grant(now, &key, attempt, start_by, identity, out),
                Effect::Over { key, reason, by, ended } => self.end_wait(&key, reason, by, ended, out),
                Effect::Wait { key, reason, by } => self.tell(now, &key, reason, by, out),
                Effect::GaveBack(key) => self.gave_back(&key, out),
                Effect::Finished(key) => self.finish(&key, out),
                Effect::DueDone(job, tick) => {
                    if self.dues.get(&job).is_some_and(|pending| pending.due.tick == tick) {
                        self.dues.remove(&job);
                    }
                }
                Effect::Reopened(reopen, result) => out.push(Action::Reopened(reopen.client, result)),
                Effect::Notify(notice) => out.push(Action::Notify(notice)),
            }
        }
    }

    /// Grants the tick, unless the rcron is gone or it is too late: then its entry is given back.
    fn grant(
        &mut self,
        now: Now,
        key: &RunKey,
        attempt: u32,
        start_by: BootTime,
        lease: String,
        out: &mut Vec<Action>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        run.sent = None;
        let client = run.client.filter(|_| now.boot < start_by && run.is_waiting());
        let Some(client) = client else {
            if run.is_waiting() {
                run.state = RunState::GivingBack { is_asked: false };
            }
            self.queue.push(key.job.clone());
            return;
        };
        run.state = RunState::Granted;
        let tick = run.tick;
        let grant = Grant {
            tick,
            attempt,
            start_by,
            lease,
        };
        out.push(Action::Answer(client, Answer::Grant(grant)));
        let job = key.job.clone();
        out.push(Action::Notify(Notice::Granted { job, tick, attempt }));
    }

    /// The rcron waits again, if it is still there.
    fn gave_back(&mut self, key: &RunKey, out: &mut Vec<Action>) {
        let Some(run) = self.runs.get_mut(key) else { return };
        match run.client {
            Some(client) => {
                if let RunState::GivingBack { is_asked: true } = run.state {
                    out.push(Action::Answer(client, Answer::Noted));
                }
                run.state = RunState::Waiting;
                run.told = None;
                self.queue.push(key.job.clone());
            }
            None => {
                self.runs.remove(key);
            }
        }
    }

    fn finish(&mut self, key: &RunKey, out: &mut Vec<Action>) {
        let Some(run) = self.runs.remove(key) else { return };
        if let Some(client) = run.client {
            self.clients.remove(&client);
            out.push(Action::Answer(client, Answer::Noted));
        }
    }
}
