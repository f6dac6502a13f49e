//! What is observed after each event: in the lease's world, in the store, and when a job is started.

use super::checker::Broken;
use super::facts::session;
use super::rcron::{Rcron, Stage};
use super::server::Seen;
use super::world::{Event, TickWorld};
use crate::{MILLISECOND, Micros, SECOND};
use claims::{Change, Entry, EntryState, Input, JobRecord, Key, Outcome, Permission, Record, StopReason};
use lease::SessionState;
use policy::claim::ClaimId;
use policy::tick::TickTime;

impl TickWorld {
    /// Compares each server with the last observation, and does what follows from a difference.
    pub(super) fn observe_servers(&mut self) {
        self.checker.store_losses(self.lease.store.losses());
        if self.checker.store_rewinds(self.lease.store.rewinds()) {
            self.observe_rewind();
        }
        for node in 0..self.servers.len() {
            let (seen, before) = (self.look_at(node), self.servers[node].seen);
            if seen != before {
                self.servers[node].seen = seen;
                self.observe_difference(node, &before, &seen);
            }
        }
    }

    /// Connections have ended, and what was on its way is lost.
    fn observe_rewind(&mut self) {
        self.queue.retain(|event| !matches!(event, Event::Request(..)));
        for daemon in self.servers.iter_mut().filter_map(|server| server.daemon.as_mut()) {
            daemon.is_unaware |= !daemon.has_read;
        }
    }

    fn look_at(&mut self, node: usize) -> Seen {
        let is_running = self.lease.nodes[node].process.is_some();
        let permissions = if is_running {
            self.permissions(node)
        } else {
            [Permission::None(StopReason::Passive); super::server::MOST_CLUSTERS]
        };
        let of = &self.lease.nodes[node];
        let (own, claims) = (of.link, self.servers[node].link);
        Seen {
            life: is_running.then_some(of.lives),
            is_paused: of.paused_until > self.now(),
            is_prompt: self.lease.profile.is_prompt() && self.servers[node].held_for.is_none(),
            link: [own.requests, own.answers, claims.requests, claims.answers],
            store: (self.lease.store.up, self.lease.store.restarts()),
            session: session(of),
            permissions,
            file_writes: of.file_writes,
            reboots: of.reboots,
        }
    }

    fn observe_difference(&mut self, node: usize, before: &Seen, seen: &Seen) {
        if seen.is_disturbed(before) {
            self.servers[node].calm_since = self.now();
        }
        if seen.reboots != before.reboots {
            self.servers[node].is_down = true;
            self.lose_rcrons(node);
        }
        if seen.life != before.life {
            let old = self.servers[node].daemon.take();
            self.close_connections(old.into_iter().flat_map(|daemon| daemon.clients));
            if seen.life.is_some() {
                self.servers[node].is_down = false;
                self.start_daemon(node);
            }
        } else if seen.has_other_facts(before) {
            if let Some(life) = self.life(node) {
                self.pass_input(life, Input::Tick);
            }
        }
        if before.is_paused && !seen.is_paused {
            self.run_daemon(node);
        }
        if seen.file_writes != before.file_writes {
            self.notify_runs(node);
        }
    }

    /// The jobs that a change writes, as they are before.
    pub(super) fn changed_jobs(&self, change: &Change) -> Vec<(usize, Option<JobRecord>)> {
        let jobs = change.writes.iter().filter_map(|(key, _)| self.job_index(key));
        let before = |job: usize| match self.lease.store.tick_record(&Key::Job(self.jobs[job].key.clone())) {
            Some(Record::Job(record)) => Some(record.clone()),
            _ => None,
        };
        jobs.map(|job| (job, before(job))).collect()
    }

    fn job_index(&self, key: &Key) -> Option<usize> {
        let Key::Job(key) = key else { return None };
        self.jobs.iter().position(|job| job.key == *key)
    }

    /// The store has done a change.
    pub(super) fn observe_change(&mut self, node: usize, change: &Change, before: &[(usize, Option<JobRecord>)]) {
        for (key, record) in &change.writes {
            match (key, record) {
                (Key::Floor(_), Record::Floor(record)) => {
                    let floor = record.floor;
                    for daemon in self.servers.iter_mut().filter_map(|server| server.daemon.as_mut()) {
                        daemon.is_unaware = false;
                    }
                    if !self.checker.floor_written(floor) {
                        self.break_promise(Broken::FloorWentBack { floor });
                    }
                }
                (Key::Job(_), Record::Job(after)) => {
                    let old = before.iter().find(|(job, _)| self.job_index(key) == Some(*job));
                    if let Some((job, old)) = old {
                        self.observe_job(node, *job, old.as_ref(), after);
                    }
                }
                (Key::Ended(key, _), Record::Ended(ended)) => {
                    if let Some(job) = self.jobs.iter().position(|job| job.key == *key) {
                        self.observe_ended(node, job, ended);
                    }
                }
                _ => {}
            }
        }
    }

    fn observe_job(&mut self, node: usize, job: usize, before: Option<&JobRecord>, after: &JobRecord) {
        let now = self.now();
        self.checker.jobs[job].changes += 1;
        let lowered = before.filter(|before| before.closed > after.closed);
        // With clocks that differ by no more than `max_skew`, there is nothing to reopen.
        let has_right_clocks = self.checker.has_right_clocks;
        if lowered.is_some_and(|before| has_right_clocks || !self.checker.jobs[job].reopened(before, after)) {
            let closed = after.closed;
            self.break_promise(Broken::ClosedWentBack { job, closed });
        }
        if lowered.is_some() {
            self.checker.jobs[job].reopened_at = now;
        }
        if before.is_none() && after.entries.is_empty() && after.last.is_none() {
            self.checker.jobs[job].baseline = after.closed;
        }
        for entry in after.entries.iter().filter(|entry| !runs(before, entry.run)) {
            if entry.state == EntryState::Running {
                self.observe_grant(node, job, entry);
            }
        }
        for entry in before.into_iter().flat_map(|before| &before.entries) {
            if entry.state != EntryState::Running || runs(Some(after), entry.run) {
                continue;
            }
            self.write_off(entry.run);
            let is_given_back = |later: &Entry| later.run == entry.run && later.state == EntryState::NeverStarted;
            if after.entries.iter().any(is_given_back) {
                self.checker.jobs[job].tick(entry.tick).given_back = Some(now);
            }
        }
    }

    /// An attempt is granted: the entry is new.
    fn observe_grant(&mut self, node: usize, job: usize, entry: &Entry) {
        let (tick, attempt) = (entry.tick, entry.attempt);
        let is_unaware = |daemon: &super::server::Daemon| daemon.is_unaware;
        if self.servers[node].daemon.as_ref().is_some_and(is_unaware) {
            self.forget_tick(job, entry);
        }
        if !self.checker.jobs[job].granted(entry) {
            self.break_promise(Broken::FenceNotGrowing { job, tick, attempt });
        }
        let session = self.lease.store.session(&entry.node);
        let is_open = session.is_some_and(|record| record.id == entry.session && record.state == SessionState::Open);
        if !is_open {
            self.break_promise(Broken::ClaimedByDeadSession { job, tick, node });
        }
    }

    /// The granting daemon cannot know what the store has forgotten about this tick (docs/design/ticks.md, "Checked by simulation").
    fn forget_tick(&mut self, job: usize, entry: &Entry) {
        let is_other = |rcron: &&mut Rcron| rcron.job == job && rcron.claim.run != entry.run;
        let others = self.rcrons.iter_mut().filter(is_other);
        let of_tick = |rcron: &mut Rcron| {
            let run = rcron.started.as_mut().filter(|run| run.tick == entry.tick);
            if let Some(run) = run {
                run.is_out_of_reach = true;
            }
            rcron.claim.run
        };
        let runs: Vec<ClaimId> = others.map(of_tick).collect();
        self.checker.jobs[job].granted_unaware(entry.tick, runs.into_iter());
    }

    /// The store no longer takes this run for a running one. If it runs all the same, its rcron must have been unable to end it.
    fn write_off(&mut self, run: ClaimId) {
        let Some(rcron) = self.rcrons.iter().position(|rcron| rcron.claim.run == run) else {
            return;
        };
        let stood_still = self.acts_since(rcron) > self.now();
        let of = &self.rcrons[rcron];
        let config = self.jobs[of.job].configs[of.node];
        let is_killed = of.stage == Stage::Gone;
        let Some(run) = &mut self.rcrons[rcron].started else {
            return;
        };
        run.is_out_of_reach |= stood_still || is_killed || !config.terminates || run.escaped;
        if run.is_alive && config.rerun > 0 && !is_killed && !run.escaped {
            self.queue.put(self.lease.now + 1, Event::Reach(rcron));
        }
    }

    /// When an rcron that stood still has had `grace` to end its job.
    fn acts_since(&self, rcron: usize) -> Micros {
        let of = &self.rcrons[rcron];
        let cluster = self.jobs[of.job].cluster;
        let grace = self.lease.nodes[of.node].configs[cluster].timing.grace();
        let grace = u64::try_from(grace.as_micros()).unwrap_or(0);
        of.stopped_until.max(self.servers[of.node].asleep_until) + grace + 50 * MILLISECOND
    }

    /// An rcron that stood still while its run was written off ends the job as soon as it can.
    pub(super) fn check_reach(&mut self, rcron: usize) {
        let (now, acts_since) = (self.now(), self.acts_since(rcron));
        let of = &self.rcrons[rcron];
        let Some(run) = of
            .started
            .as_ref()
            .filter(|run| run.is_alive && of.stage != Stage::Gone)
        else {
            return;
        };
        if acts_since > now {
            self.queue.put(acts_since, Event::Reach(rcron));
            return;
        }
        let (job, tick, node) = (of.job, run.tick, of.node);
        let rcrons = self.rcrons.iter().enumerate();
        let mut others = rcrons.filter(|(other, of)| *other != rcron && of.job == job);
        let is_alive = |of: &Rcron| of.started.as_ref().is_some_and(|run| run.is_alive && run.tick == tick);
        match others.find(|(_, of)| is_alive(of)) {
            Some((_, other)) => {
                let nodes = [node, other.node];
                self.break_promise(Broken::TwoAlive { job, tick, nodes });
            }
            None => self.queue.put(now + SECOND, Event::Reach(rcron)),
        }
    }

    fn observe_ended(&mut self, node: usize, job: usize, ended: &claims::EndedTick) {
        let schedule = self.jobs[job].schedule;
        for tick in schedule.ticks(ended.gap.first, ended.gap.last) {
            let facts = self.checker.jobs[job].tick(tick);
            facts.is_recorded = true;
            if let Outcome::Missed(_) | Outcome::Skipped = ended.outcome {
                facts.is_given_up = true;
                let (starts, is_known) = (facts.starts, !self.checker.has_forgotten(tick));
                if starts > 0 && is_known {
                    self.break_promise(Broken::MissedAndStarted { job, tick });
                }
            }
            // A newer tick may supersede this one before its time is over.
            if let (Outcome::Missed(_), Some(closed)) = (ended.outcome, self.closed(job)) {
                if tick == closed {
                    self.check_missed_in_time(node, job, tick);
                }
            }
        }
    }

    fn closed(&self, job: usize) -> Option<TickTime> {
        match self.lease.store.tick_record(&Key::Job(self.jobs[job].key.clone()))? {
            Record::Job(record) => Some(record.closed),
            _ => None,
        }
    }

    /// `start_within` must be over by the clocks of all servers when a tick is recorded as missed.
    fn check_missed_in_time(&mut self, node: usize, job: usize, tick: TickTime) {
        let now = self.now();
        let end = tick.wall().0 + self.jobs[job].configs[node].start_within;
        let could_start = self.servers.iter().any(|server| server.wall(now).0 < end);
        if self.checker.has_right_clocks && could_start {
            self.break_promise(Broken::MissedTooEarly { job, tick, node });
        }
    }

    /// An rcron starts its job.
    pub(super) fn observe_start(&mut self, rcron: usize, tick: TickTime, attempt: u32) {
        let of = &self.rcrons[rcron];
        let (job, node, run) = (of.job, of.node, of.claim.run);
        let deadline = of.deadline(&self.jobs[job], tick);
        let skips = self.jobs[job].configs[node].skips_overlap;
        for other in self.servers.iter().flat_map(|server| &server.rcrons) {
            let Some(earlier) = self.rcrons[*other].started.as_ref() else {
                continue;
            };
            let is_of_job = *other != rcron && self.rcrons[*other].job == job;
            if !is_of_job || !earlier.is_alive || earlier.is_out_of_reach {
                continue;
            }
            let nodes = [self.rcrons[*other].node, node];
            if earlier.tick == tick {
                self.break_promise(Broken::TwoAlive { job, tick, nodes });
                break;
            }
            if skips && earlier.tick < tick && !self.checker.has_forgotten(earlier.tick) {
                let ticks = [earlier.tick, tick];
                self.break_promise(Broken::Overlap { job, ticks, nodes });
                break;
            }
        }
        if attempt == 1 && self.boot_clock(node) >= deadline {
            self.break_promise(Broken::StartedLate { job, tick, node });
        }
        let is_known = !self.checker.has_forgotten(tick);
        let entry = match self.lease.store.tick_record(&Key::Job(self.jobs[job].key.clone())) {
            Some(Record::Job(record)) => record.entry(run).cloned(),
            _ => None,
        };
        let runs = entry.is_some_and(|entry| entry.state == EntryState::Running && entry.attempt == attempt);
        if is_known && !runs {
            self.break_promise(Broken::StartedWithoutEntry { job, tick, node });
        }
        if self.checker.jobs[job].was_reopened(run) {
            return;
        }
        let is_single = self.jobs[job].configs.iter().all(|config| config.skips_overlap);
        if !self.checker.jobs[job].started(tick, attempt, is_single) {
            self.break_promise(Broken::FenceNotGrowing { job, tick, attempt });
        }
        let facts = self.checker.jobs[job].tick(tick);
        let (starts, allowed, is_given_up) = (facts.starts, facts.allowed, facts.is_given_up);
        if starts > allowed {
            self.break_promise(Broken::StartedTwice {
                job,
                tick,
                starts,
                allowed,
            });
        }
        if is_given_up && is_known {
            self.break_promise(Broken::MissedAndStarted { job, tick });
        }
    }
}

/// Whether this run runs, for the store.
fn runs(record: Option<&JobRecord>, run: ClaimId) -> bool {
    let entry = record.and_then(|record| record.entry(run));
    entry.is_some_and(|entry| entry.state == EntryState::Running)
}
