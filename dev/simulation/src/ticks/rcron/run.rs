//! The job: its start, its watch over the state file, and its end.

use super::{Item, Stage};
use crate::Micros;
use crate::ticks::world::{Event, TickWorld};
use policy::claim::{Ended, Grant};
use policy::decide::{Basis, Decision, Reading, Rules, Skip, decide, grant_lasts, may_go_on};
use policy::exit::Outcome;
use policy::moment::{BootTime, Moment};
use policy::state::Word;
use policy::tick::TickTime;
use std::time::Duration;

/// For a job with `once_per_tick`.
const RULES: Rules = Rules {
    default_state: Word::Passive,
    state_max_age: None,
    require_lease: true,
    once_per_tick: true,
};

/// A job that was started.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts, each independent of the others"
)]
pub struct Run {
    /// The tick of the grant.
    pub tick: TickTime,
    /// The attempt of the grant.
    pub attempt: u32,
    /// The grant's lease: an epoch or a session.
    lease: String,
    basis: Basis,
    /// When it was started.
    pub began: Micros,
    /// When it ends, as things are.
    pub ends: Micros,
    /// Whether it has not ended.
    pub is_alive: bool,
    /// Whether it has left its process group: rcron cannot end it.
    pub escaped: bool,
    /// Whether rcron has sent it SIGTERM because the state does not permit it any longer.
    pub is_demoted: bool,
    /// The store took it for lost while rcron could not end it.
    pub is_out_of_reach: bool,
    /// When rcron looks at the state file next.
    check_at: Option<Micros>,
}

impl Run {
    /// Whether a check of the state file at this time is out of date.
    pub(super) fn take_check(&mut self, now: Micros) -> bool {
        self.check_at.take_if(|at| *at == now).is_none()
    }
}

impl TickWorld {
    /// What a waiting rcron reads in the state file.
    pub(super) fn read_state(&self, rcron: usize) -> (Decision, Option<String>) {
        let missing = Decision::Skip(Skip::PassiveByDefault);
        self.decide(rcron).map_or((missing, None), |(decision, reading)| {
            let identity = match reading {
                Reading::File { content: Ok(state), .. } => state.identity(),
                _ => None,
            };
            (decision, identity)
        })
    }

    pub(super) fn begin_run(&mut self, rcron: usize, grant: &Grant, basis: Basis) {
        let (node, index) = (self.rcrons[rcron].node, self.rcrons[rcron].job);
        let job = &self.jobs[index];
        let began = self.now();
        let ends = began + self.random.between(job.lasts.0, job.lasts.1);
        let escaped = self.random.per_mille(job.escapes);
        let (tick, attempt) = (grant.tick, grant.attempt);
        self.note(|| format!("r{rcron} STARTS j{index} {tick:?}, attempt {attempt}, on n{node}"));
        self.observe_start(rcron, tick, attempt);
        let of = &mut self.rcrons[rcron];
        of.stage = Stage::Running;
        of.started = Some(Run {
            tick,
            attempt,
            lease: grant.lease.clone(),
            basis,
            began,
            ends,
            is_alive: true,
            escaped,
            is_demoted: false,
            is_out_of_reach: false,
            check_at: None,
        });
        self.queue.put(ends, Event::JobEnds(rcron));
        if self.jobs[index].configs[node].terminates {
            self.plan_check(rcron, basis.expires());
        }
        // The daemon went while rcron looked at its grant.
        if self.rcrons[rcron].connection.is_none() {
            self.connect_held(rcron);
        }
    }

    /// The decision of rcron on the real text of the state file.
    fn decide(&self, rcron: usize) -> Option<(Decision, &Reading)> {
        let of = &self.rcrons[rcron];
        let node = &self.lease.nodes[of.node];
        let reading = node.state_file(self.jobs[of.job].cluster)?;
        let moment = Moment {
            boot: self.boot_clock(of.node),
            wall: self.servers[of.node].wall(self.now()),
            boot_id: Some(node.boot_id()),
        };
        Some((decide(reading, &RULES, &moment), reading))
    }

    fn plan_check(&mut self, rcron: usize, lease_end: Option<BootTime>) {
        let node = self.rcrons[rcron].node;
        let at = lease_end.map_or(self.now() + 1, |end| self.when_boot(node, end).max(self.now() + 1));
        self.set_check(rcron, at);
    }

    fn set_check(&mut self, rcron: usize, at: Micros) {
        if let Some(run) = &mut self.rcrons[rcron].started {
            run.check_at = Some(at);
            self.put_item(at, rcron, Item::CheckState);
        }
    }

    /// The state files of this node have changed.
    pub(in crate::ticks) fn notify_runs(&mut self, node: usize) {
        let at = self.now() + self.random.between(100, 3000);
        for index in 0..self.servers[node].rcrons.len() {
            let rcron = self.servers[node].rcrons[index];
            let of = &self.rcrons[rcron];
            let terminates = self.jobs[of.job].configs[node].terminates;
            let is_watched = |run: &Run| !run.is_demoted && run.check_at.is_none_or(|planned| planned > at);
            if terminates && of.stage == Stage::Running && of.started.as_ref().is_some_and(is_watched) {
                self.set_check(rcron, at);
            }
        }
    }

    /// `on_demotion = terminate`: the job goes on only while the state permits it; with `rerun`, only with the same lease.
    pub(super) fn check_state(&mut self, rcron: usize) {
        let of = &self.rcrons[rcron];
        let Some(run) = of.started.as_ref().filter(|run| run.is_alive && !run.is_demoted) else {
            return;
        };
        let has_rerun = self.jobs[of.job].configs[of.node].rerun > 0;
        let expires = self.decide(rcron).and_then(|(later, reading)| {
            let goes_on = if has_rerun {
                grant_lasts(run.basis, later, reading, &run.lease)
            } else {
                may_go_on(run.basis, later)
            };
            goes_on.then(|| lease_end(reading)).flatten()
        });
        match expires {
            Some(end) => self.plan_check(rcron, Some(end)),
            None => self.demote(rcron),
        }
    }

    /// The job gets SIGTERM, and SIGKILL after `kill_after`, which is not longer than `grace`.
    fn demote(&mut self, rcron: usize) {
        self.note(|| format!("r{rcron} ends its job"));
        let of = &self.rcrons[rcron];
        let cluster = self.jobs[of.job].cluster;
        let grace = self.lease.nodes[of.node].configs[cluster].timing.grace();
        let kill_after = u64::try_from(grace.as_micros()).unwrap_or(0);
        let ends = self.now() + self.random.below(kill_after + 1);
        let Some(run) = &mut self.rcrons[rcron].started else {
            return;
        };
        run.is_demoted = true;
        if !run.escaped && ends < run.ends {
            run.ends = ends;
            self.queue.put(ends.max(self.lease.now + 1), Event::JobEnds(rcron));
            run.ends = ends.max(self.lease.now + 1);
        }
    }

    /// The job ends, unless another time was set for this since, or its host sleeps.
    pub(in crate::ticks) fn end_job(&mut self, rcron: usize) {
        let (now, node) = (self.now(), self.rcrons[rcron].node);
        let awake = self.servers[node].asleep_until;
        let Some(run) = &mut self.rcrons[rcron].started else {
            return;
        };
        if !run.is_alive || run.ends != now {
            return;
        }
        if awake > now {
            run.ends = awake + 1;
            self.queue.put(awake + 1, Event::JobEnds(rcron));
            return;
        }
        run.is_alive = false;
        self.note(|| format!("the job of r{rcron} ends"));
        if self.rcrons[rcron].stage == Stage::Gone {
            self.servers[node].rcrons.retain(|other| *other != rcron);
        } else {
            self.take_item(rcron, Item::JobEnded);
        }
    }

    pub(super) fn report_end(&mut self, rcron: usize) {
        let now = self.now();
        let Some(run) = &self.rcrons[rcron].started else { return };
        let ended = Ended {
            outcome: if run.is_demoted {
                Outcome::Killed(15)
            } else {
                Outcome::Exited(0)
            },
            is_demoted: run.is_demoted,
            lasted: Duration::from_micros(now - run.began),
        };
        self.say_last_word(rcron, ended);
    }
}

/// The end of the state's lease, which a draining state has, too.
fn lease_end(reading: &Reading) -> Option<BootTime> {
    let Reading::File { content: Ok(state), .. } = reading else {
        return None;
    };
    match &state.lease {
        policy::state::Lease::Until { end, .. } => Some(*end),
        _ => None,
    }
}
