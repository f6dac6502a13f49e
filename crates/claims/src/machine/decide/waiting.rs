//! What a round decides about one waiting rcron.

use super::effects::{missed, over, over_done, over_ended, wait};
use super::room::Room;
use super::{Decision, Round, end_entry, end_session};
use crate::machine::Machine;
use crate::machine::draft::{Draft, NEVER_STARTED};
use crate::machine::outcome::Effect;
use crate::machine::permit::Permit;
use crate::machine::run::{Run, RunKey, Sent};
use crate::mutation::Mutation;
use crate::record::{Entry, EntryState, Outcome};
use crate::sessions::Over;
use alloc::string::String;
use core::time::Duration;
use policy::claim::{OverReason, RunResult, WaitReason};
use policy::moment::BootTime;

impl Machine {
    pub(super) fn decide_run(&mut self, round: &Round, key: &RunKey, decision: &mut Decision) {
        let Some(run) = self.settle_sent(round, key, &decision.draft) else {
            return;
        };
        let record = &decision.draft.record;
        if let Some(at) = record.entries.iter().position(|entry| entry.run == key.run) {
            self.decide_claimed(round, key, &run, at, decision);
        } else if run.client.is_none() {
            // Its claim may still be done.
        } else if run.tick <= round.floor {
            decision.effects.push(over(key, OverReason::Superseded, None));
        } else if run.tick > record.closed && run.tick < record.closed.after(run.spacing) {
            // Another server has given the same scheduled time another name.
            let newest = record.entries.iter().find(|entry| entry.tick == record.closed);
            let last = record.last.as_ref().and_then(|last| last.node.as_ref());
            let by = newest.map(|entry| &entry.node).or(last).map(String::from);
            decision.effects.push(over(key, OverReason::Done, by));
        } else if run.tick > record.closed || (run.tick == record.closed && self.is_mutated(Mutation::ClosedIsIgnored))
        {
            self.decide_unclaimed(round, key, &run, decision);
        } else if let Some(at) = decision.draft.place(run.tick) {
            self.decide_entry(round, key, &run, at, decision);
        } else {
            decision.effects.push(over_ended(key, &run, &decision.draft));
        }
    }

    /// Forgets a claim that was sent and can no longer be done, and the run with it if its rcron is gone.
    fn settle_sent(&mut self, round: &Round, key: &RunKey, draft: &Draft) -> Option<Run> {
        let run = self.runs.get_mut(key)?;
        if let Some(sent) = run.sent {
            let is_possible = sent.job == draft.version && Some(sent.session) == round.session_version;
            if !is_possible {
                run.sent = None;
            }
        }
        run.turn = None;
        let is_gone = run.client.is_none() && run.sent.is_none() && draft.record.entry(key.run).is_none();
        let run = run.clone();
        if is_gone {
            self.runs.remove(key);
            return None;
        }
        Some(run)
    }

    /// The run has an entry although it waits: the answer to its claim was lost, or an earlier process of this daemon sent it.
    fn decide_claimed(&mut self, round: &Round, key: &RunKey, run: &Run, at: usize, decision: &mut Decision) {
        let entry = decision.draft.record.entries[at].clone();
        let own = round.standing.session.map(|(session, _)| session);
        let is_own = entry.state == EntryState::Running && Some(entry.session) == own && entry.node == self.node;
        let permit = self.permit(round, key);
        // The store may have gone back to a moment before the entry was given back, and another server have started the tick since.
        let is_forgotten = entry.tick <= round.floor && !self.is_mutated(Mutation::GrantBelowFloor);
        if let (true, Some(_), Ok(permit)) = (is_own && !is_forgotten, run.client, &permit) {
            let start_by = self.start_by(run, &entry, permit);
            if round.now.boot < start_by {
                // The record is written once more, so that no earlier change of it that was not answered can still be done: this
                // process or an earlier one may have tried to give the entry back.
                if !self.is_mutated(Mutation::GrantOnRead) {
                    decision.draft.is_changed = true;
                    self.send_claim(key, &mut decision.draft, permit);
                }
                decision.effects.push(Effect::Grant {
                    key: key.clone(),
                    attempt: entry.attempt,
                    start_by,
                    identity: permit.identity.clone(),
                });
                return;
            }
        }
        if entry.state == EntryState::Running {
            if self.is_mutated(Mutation::NothingIsGivenBack) {
                return;
            }
            // It was never started: the rcron waits, or was gone before it could be granted.
            decision.draft.record.entries[at].state = EntryState::NeverStarted;
            decision.draft.is_changed = true;
            decision.effects.push(Effect::GaveBack(key.clone()));
        } else if run.client.is_none() {
            decision.effects.push(Effect::Finished(key.clone()));
        } else if is_forgotten {
            decision.effects.push(over(key, OverReason::Superseded, None));
        } else {
            self.decide_entry(round, key, run, at, decision);
        }
    }

    /// Nobody has claimed the tick.
    fn decide_unclaimed(&mut self, round: &Round, key: &RunKey, run: &Run, decision: &mut Decision) {
        let now = round.now;
        let Some(permit) = self.permit_in_turn(round, key, run, decision) else {
            return;
        };
        let entry = self.new_entry(round, key, run, &permit);
        let start_by = self.start_by(run, &entry, &permit);
        if now.boot >= start_by {
            decision.effects.push(wait(key, WaitReason::Passive, None));
            return;
        }
        let room = self.make_room(round, key, run, decision);
        if let Room::NotYet(moment) = room {
            self.set_turn(key, moment);
            decision.effects.push(wait(key, WaitReason::Elsewhere, None));
            return;
        }
        let draft = &mut decision.draft;
        if draft.version.is_some() {
            let gap = run
                .schedule
                .as_ref()
                .and_then(|schedule| schedule.gap(draft.record.closed, run.tick));
            if let Some(gap) = gap {
                draft.miss(gap, NEVER_STARTED, &self.node, now);
                decision.effects.push(missed(key, gap));
            }
        }
        if room == Room::None {
            draft.miss(crate::Gap::single(run.tick), Outcome::Skipped, &self.node, now);
            draft.record.closed = run.tick;
            draft.needs_session = true;
            decision.effects.push(over(key, OverReason::Overlap, None));
            return;
        }
        draft.record.closed = draft.record.closed.max(run.tick);
        draft.record.entries.push(entry);
        draft.is_changed = true;
        self.send_claim(key, draft, &permit);
        decision.effects.push(Effect::Grant {
            key: key.clone(),
            attempt: 1,
            start_by,
            identity: permit.identity,
        });
    }

    /// Another run has the tick, or had it and gave it back.
    fn decide_entry(&mut self, round: &Round, key: &RunKey, run: &Run, at: usize, decision: &mut Decision) {
        let entry = decision.draft.record.entries[at].clone();
        let is_newest = entry.tick == decision.draft.record.closed || self.is_mutated(Mutation::AgainForAnOlderTick);
        let reruns = if self.is_mutated(Mutation::AskersReruns) {
            run.rerun
        } else {
            entry.reruns
        };
        let can_follow = is_newest && (entry.state == EntryState::NeverStarted || reruns > 0);
        let session = match entry.state {
            EntryState::NeverStarted | EntryState::CutOff => Over::Yes { end: None },
            EntryState::Running => self.entry_over(round, &entry),
        };
        match session {
            Over::Yes { end } if can_follow => self.start_again(round, key, run, (at, end), decision),
            Over::Yes { end } => {
                if let Some((version, record)) = end {
                    end_session(&mut decision.draft, &entry, version, &record);
                }
                end_entry(&key.job, at, &entry, decision);
                decision.draft.needs_session = true;
                let by = Some(String::from(&entry.node));
                if is_newest {
                    let was_started = entry.state != EntryState::NeverStarted;
                    let ended = was_started.then_some(RunResult::Interrupted);
                    decision.effects.push(over_done(key, run, by, ended));
                } else {
                    decision.effects.push(over(key, OverReason::Superseded, by));
                }
            }
            Over::NotBefore(_) if !is_newest => decision.effects.push(over_ended(key, run, &decision.draft)),
            Over::NotBefore(moment) => self.wait_for_entry(round, key, &entry, moment, decision),
        }
    }

    /// The attempt cannot run any more, and another may follow: this node's, if it may start ticks.
    fn start_again(
        &mut self,
        round: &Round,
        key: &RunKey,
        run: &Run,
        (at, end): (usize, Option<(lease::Version, lease::SessionRecord)>),
        decision: &mut Decision,
    ) {
        let old = decision.draft.record.entries[at].clone();
        let was_started = old.state != EntryState::NeverStarted;
        self.set_follows(key, was_started || old.attempt > 1);
        if run.skips_overlap && self.runs_beside(round, at, decision) {
            decision
                .effects
                .push(wait(key, WaitReason::Elsewhere, Some(String::from(&old.node))));
            return;
        }
        let Some(permit) = self.permit_in_turn(round, key, run, decision) else {
            return;
        };
        let next = Entry {
            attempt: old.attempt + u32::from(was_started),
            reruns: old.reruns.saturating_sub(u32::from(was_started)),
            ..self.new_entry(round, key, run, &permit)
        };
        let start_by = self.start_by(run, &next, &permit);
        if round.now.boot >= start_by {
            decision.effects.push(wait(key, WaitReason::Passive, None));
            return;
        }
        let draft = &mut decision.draft;
        if let Some((version, record)) = end {
            end_session(draft, &old, version, &record);
        }
        let attempt = next.attempt;
        draft.replace(at, next);
        self.send_claim(key, draft, &permit);
        decision.effects.push(Effect::Grant {
            key: key.clone(),
            attempt,
            start_by,
            identity: permit.identity,
        });
    }

    /// Another run has the tick, and may still run. An rcron without reruns waits only as long as the grant could be given back.
    fn wait_for_entry(
        &mut self,
        round: &Round,
        key: &RunKey,
        entry: &Entry,
        moment: Option<BootTime>,
        decision: &mut Decision,
    ) {
        let now = round.now.boot;
        let follows = entry.reruns > 0;
        let by = Some(String::from(&entry.node));
        self.set_follows(key, follows);
        let Some(run) = self.runs.get_mut(key) else { return };
        let since = match run.seen {
            Some((seen, since)) if seen == entry.run => since,
            _ => now,
        };
        run.seen = Some((entry.run, since));
        let started = since.after(entry.lease.wait_duration());
        if !follows && now >= started {
            decision.effects.push(over(key, OverReason::Elsewhere, by));
            return;
        }
        let certain = (!follows).then_some(started);
        run.turn = [certain, moment].into_iter().flatten().min();
        decision.effects.push(wait(key, WaitReason::Elsewhere, by));
    }

    fn set_follows(&mut self, key: &RunKey, follows: bool) {
        if let Some(run) = self.runs.get_mut(key) {
            run.follows = follows;
        }
    }

    /// The permission to start ticks, once it is this server's turn. Otherwise the run waits, and knows for what.
    fn permit_in_turn(&mut self, round: &Round, key: &RunKey, run: &Run, decision: &mut Decision) -> Option<Permit> {
        let reason = match self.permit(round, key) {
            Ok(permit) if round.now.boot >= run.not_before => return Some(permit),
            Ok(_) => {
                self.set_turn(key, Some(run.not_before));
                WaitReason::Passive
            }
            Err(reason) => reason,
        };
        decision.effects.push(wait(key, reason, None));
        None
    }

    fn set_turn(&mut self, key: &RunKey, turn: Option<BootTime>) {
        if let Some(run) = self.runs.get_mut(key) {
            run.turn = turn;
        }
    }

    fn permit(&self, round: &Round, key: &RunKey) -> Result<Permit, WaitReason> {
        round
            .standing
            .permit(&key.job.cluster, &|mutation| self.is_mutated(mutation))
    }

    fn new_entry(&self, round: &Round, key: &RunKey, run: &Run, permit: &Permit) -> Entry {
        Entry {
            tick: run.tick,
            attempt: 1,
            state: EntryState::Running,
            node: self.node.clone(),
            session: permit.session,
            lease: permit.lease,
            grace: permit.grace,
            run: key.run,
            reruns: run.rerun,
            claimed: round.now.wall,
        }
    }

    /// When the job must be started: before the end of the lease, and a tick that was never started before its deadline, too.
    fn start_by(&self, run: &Run, entry: &Entry, permit: &Permit) -> BootTime {
        if self.is_mutated(Mutation::StartByDeadlineOnly) {
            return run.deadline.max(permit.until.after(Duration::from_secs(3600)));
        }
        if entry.attempt == 1 {
            run.deadline.min(permit.until)
        } else {
            permit.until
        }
    }

    /// The claim goes out with these versions as conditions.
    fn send_claim(&mut self, key: &RunKey, draft: &mut Draft, permit: &Permit) {
        draft.needs_session = true;
        if let Some(run) = self.runs.get_mut(key) {
            run.sent = Some(Sent {
                job: draft.version,
                session: permit.version,
            });
        }
    }
}
