//! A history of both machines: servers, jobs, faults of the lease's world and of this one, all from one seed.

use super::checker::{Broken, Violation};
use super::faults::{CronProfile, TickFault};
use super::job::{Job, JobConfig, Periodic};
use super::rcron::Stage;
use super::world::TickWorld;
use crate::clock::Clock;
use crate::faults::{Fault, FaultProfile};
use crate::history::{random_profile, schedule_fault};
use crate::node::Node;
use crate::random::Random;
use crate::store::{Loss, Store};
use crate::world::World;
use crate::{MILLISECOND, Micros, SECOND};
use claims::{EntryState, JobKey, Key, Mutation, Record};
use lease::{ClusterConfig, ClusterName, RunOn, Timing};
use policy::moment::WallTime;
use policy::tick::TickTime;
use std::time::Duration;

/// The result of a history.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first broken promise.
    pub violation: Option<Violation>,
    /// How many events there were.
    pub events: u64,
    /// How many attempts were started.
    pub starts: u64,
    /// What happened, line by line, if a trace was requested.
    pub trace: Vec<String>,
}

/// What a history has.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts, each independent of the others"
)]
struct Plan {
    lease: Micros,
    /// Faults of the lease's world and of this one, and bad messages.
    has_faults: bool,
    /// Wall clocks differ by more than `max_skew`. Then the store loses no data.
    has_wild_clocks: bool,
    /// The history ends with a time that is long enough for everything to be recorded.
    ends_calmly: bool,
    /// `run_on` is changed on one server after the other. Then leases do not differ.
    rolls_out: bool,
    /// How long faults begin.
    faults_for: Micros,
}

/// Runs the history of this seed.
#[must_use]
pub fn run_history(seed: u64, mutation: Option<Mutation>, trace: bool) -> Outcome {
    let mut random = Random::new(seed ^ 0x7469_636b);
    random.bits();
    let lease = random.one_of(&[SECOND, SECOND, SECOND, 2 * SECOND]);
    let has_faults = !random.per_mille(60);
    let has_wild_clocks = has_faults && random.per_mille(100);
    let plan = Plan {
        lease,
        has_faults,
        has_wild_clocks,
        rolls_out: has_faults && !has_wild_clocks && random.per_mille(200),
        ends_calmly: random.per_mille(150),
        faults_for: random.between(6, 11) * SECOND,
    };
    let mut world = random_world(&mut random, &plan);
    world.mutation = mutation;
    world.lease.trace = trace.then(Vec::new);
    for node in 0..world.servers.len() {
        world.lease.schedule(random.below(lease), Fault::Start(node));
    }
    if plan.has_faults {
        schedule_faults(&mut random, &mut world, &plan);
    }
    let result = world
        .run_until(plan.faults_for)
        .and_then(|()| finish(&mut world, &plan));
    Outcome {
        violation: result.err(),
        events: world.lease.events,
        starts: world.starts(),
        trace: world.lease.trace.take().unwrap_or_default(),
    }
}

/// All faults end.
fn finish(world: &mut TickWorld, plan: &Plan) -> Result<(), Violation> {
    let end = plan.faults_for;
    world.lease.schedule(end, Fault::Heal);
    world.schedule(end + 1, TickFault::Heal);
    if !plan.ends_calmly && plan.has_faults {
        return world.run_until(end + 3 * plan.lease);
    }
    world.run_until(end + world.calm())?;
    let broken = |what| Violation { at: world.now(), what };
    if !plan.has_wild_clocks {
        world.check_end().map_err(broken)?;
    }
    if !plan.has_faults {
        world.check_changes().map_err(broken)?;
    }
    Ok(())
}

impl TickWorld {
    /// How many attempts were started.
    #[must_use]
    pub fn starts(&self) -> u64 {
        let ticks = self.checker.jobs.iter().flat_map(|job| job.ticks.values());
        ticks.map(|tick| u64::from(tick.starts)).sum()
    }

    /// How long it takes after the last fault until everything is recorded.
    #[must_use]
    pub fn calm(&self) -> Micros {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(0);
        let configs = self.lease.nodes.iter().flat_map(|node| &node.configs);
        let over = configs.map(|config| micros(config.timing.lease().wait_duration() + config.timing.grace()));
        let jobs = self.jobs.iter();
        let within = jobs.map(|job| micros(longest_window(job)) + job.lasts.1);
        12 * SECOND + 3 * over.max().unwrap_or(0) + within.max().unwrap_or(0) + micros(self.max_skew)
    }

    /// Each tick that was due is recorded, and no attempt is left over. What is due of a job that is in no crontab is not known.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_end(&self) -> Result<(), Broken> {
        for (index, job) in self.jobs.iter().enumerate().filter(|(_, job)| job.is_scheduled) {
            let late = longest_window(job) + self.max_skew + Duration::from_secs(1);
            let walls = self.servers.iter().map(|server| server.wall(self.now()));
            let now = walls.min_by_key(|wall| wall.0).unwrap_or(WallTime(Duration::ZERO));
            let rest = self.calm() - 2 * SECOND;
            // A tick whose rcron waits, or whose job runs, cannot be recorded yet.
            let end = now
                .0
                .saturating_sub(late)
                .saturating_sub(Duration::from_micros(rest / 2));
            self.checker
                .check_records(index, job.schedule, TickTime(end.as_secs()))?;
            self.check_leftovers(index)?;
        }
        Ok(())
    }

    fn check_leftovers(&self, job: usize) -> Result<(), Broken> {
        let Some(Record::Job(record)) = self.lease.store.tick_record(&Key::Job(self.jobs[job].key.clone())) else {
            return Ok(());
        };
        let long_ago = self.now().saturating_sub(13 * SECOND);
        for entry in &record.entries {
            let rcron = self.rcrons.iter().find(|rcron| rcron.claim.run == entry.run);
            let Some(rcron) = rcron else { continue };
            let ended = rcron.started.as_ref().map_or(0, |run| run.ends);
            let is_over = rcron.stage == Stage::Gone && ended < long_ago;
            let late = longest_window(&self.jobs[job]) + self.max_skew + Duration::from_secs(13);
            let is_late = entry.tick.wall().0 + late < self.servers[0].wall(self.now()).0;
            let is_left = match entry.state {
                EntryState::Running => is_over && is_late,
                EntryState::NeverStarted => is_late,
                EntryState::CutOff => false,
            };
            if is_left {
                return Err(Broken::LeftOver { job, tick: entry.tick });
            }
        }
        Ok(())
    }

    /// Two changes for each tick are enough: its claim, and its end. The job's record costs one more.
    ///
    /// # Errors
    /// There were more.
    pub fn check_changes(&self) -> Result<(), Broken> {
        for (job, facts) in self.checker.jobs.iter().enumerate() {
            let ticks = facts.ticks.len() as u64;
            if facts.changes > 2 * ticks + 1 {
                let changes = facts.changes;
                return Err(Broken::TooManyChanges { job, changes, ticks });
            }
        }
        Ok(())
    }
}

fn longest_window(job: &Job) -> Duration {
    job.configs
        .iter()
        .map(|config| config.start_within)
        .max()
        .unwrap_or_default()
}

fn random_world(random: &mut Random, plan: &Plan) -> TickWorld {
    let lease = plan.lease;
    let count = random.one_of(&[2, 3, 3, 3, 4]);
    let settle = random.one_of(&[0, lease / 10, lease / 4]);
    let grace = random.one_of(&[0, lease / 4, lease / 2]);
    let run_on = random.one_of(&[RunOn::Active, RunOn::Any]);
    let differs = plan.rolls_out && random.per_mille(700);
    let duration = Duration::from_micros;
    let servers = (0..count).map(|node| {
        let config = ClusterConfig {
            name: ClusterName::new("c0"),
            timing: Timing::new(duration(lease), duration(settle), duration(grace), Duration::ZERO)
                .expect("within their limits"),
            priority: 0,
            run_on: if differs {
                random.one_of(&[RunOn::Active, RunOn::Any])
            } else {
                run_on
            },
        };
        let any_rate = 990_000 + random.below(20_001);
        let clock = Clock {
            booted: 0,
            offset: random.below(1000 * SECOND),
            rate: random.one_of(&[990_000, 1_010_000, 1_000_000, any_rate]),
        };
        Node::new(node, clock, vec![config])
    });
    let servers: Vec<_> = servers.collect();
    let has_incarnation = !random.per_mille(200);
    let store = Store::new(has_incarnation, has_incarnation && random.per_mille(500));
    let profile = if plan.has_faults && random.per_mille(500) {
        random_profile(random, lease)
    } else {
        FaultProfile::NONE
    };
    let max_skew = random.one_of(&[200 * MILLISECOND, SECOND, 2 * SECOND]);
    let ahead: Vec<i64> = (0..count).map(|_| random_offset(random, plan, max_skew)).collect();
    let jobs = (0..random.one_of(&[1, 1, 2])).map(|job| random_job(random, job, count));
    let jobs = jobs.collect();
    let world = World::new(servers, store, profile, random.bits());
    let mut world = TickWorld::new(world, &ahead, jobs, duration(max_skew), random.bits());
    world.checker.has_right_clocks = !plan.has_wild_clocks;
    if plan.has_faults {
        world.cron_profile = random_crons(random, lease);
    }
    world
}

/// How much a wall clock is ahead of true time.
fn random_offset(random: &mut Random, plan: &Plan, max_skew: Micros) -> i64 {
    let most = if plan.has_wild_clocks { 8 * SECOND } else { max_skew / 2 };
    let any = random.below(2 * most + 1);
    let offset = random.one_of(&[0, most, 2 * most, any]);
    i64::try_from(offset).unwrap_or(0) - i64::try_from(most).unwrap_or(0)
}

fn random_job(random: &mut Random, number: usize, nodes: usize) -> Job {
    let period = random.between(3, 6);
    let within = random.between(2, period + 1);
    let rerun = random.one_of(&[0, 0, 1, 2]);
    let config = JobConfig {
        start_within: Duration::from_secs(within),
        rerun,
        skips_overlap: random.per_mille(400),
        terminates: rerun > 0 || random.per_mille(500),
    };
    let differ = random.per_mille(100);
    let configs = (0..nodes).map(|_| {
        if !differ || random.per_mille(500) {
            return config;
        }
        let rerun = random.one_of(&[0, 1]);
        JobConfig {
            start_within: Duration::from_secs(random.between(2, period + 1)),
            rerun,
            skips_overlap: random.per_mille(500),
            terminates: rerun > 0 || config.terminates,
        }
    });
    let configs = configs.collect();
    let names_ticks = random.per_mille(200);
    let longest = random.one_of(&[300 * MILLISECOND, 2 * SECOND, 6 * SECOND]);
    Job {
        configs,
        key: JobKey::new(
            ClusterName::new("c0"),
            "root",
            if number == 0 { "backup" } else { "report" },
        ),
        cluster: 0,
        schedule: Periodic {
            period,
            phase: random.below(period),
        },
        names_ticks,
        is_scheduled: !names_ticks || random.per_mille(500),
        lasts: (10 * MILLISECOND, longest),
        escapes: random.one_of(&[0, 0, 50]),
    }
}

fn random_crons(random: &mut Random, lease: Micros) -> CronProfile {
    let mut some = |chance: u64, most: u64| {
        if random.per_mille(chance) {
            random.between(1, most)
        } else {
            0
        }
    };
    CronProfile {
        early: some(400, 200),
        late: some(500, 300),
        twice: some(500, 200),
        never: some(300, 200),
        misnamed: some(800, 400),
        stops: some(300, 60),
        kills: some(300, 30),
        max_stop: 1 + some(1000, 4 * lease),
    }
}

fn schedule_faults(random: &mut Random, world: &mut TickWorld, plan: &Plan) {
    let (lease, end) = (plan.lease, plan.faults_for);
    let mut at = lease;
    let density = random.between(lease / 4, 3 * lease);
    while at < end {
        if random.per_mille(600) {
            schedule_fault(random, &mut world.lease, at, end, lease, plan.has_wild_clocks);
        } else {
            schedule_tick_fault(random, world, plan, at);
        }
        at += random.below(density * 2);
    }
}

fn schedule_tick_fault(random: &mut Random, world: &mut TickWorld, plan: &Plan, at: Micros) {
    let node = random.index(world.servers.len());
    let job = random.index(world.jobs.len());
    let duration = random.between(plan.lease / 4, 4 * plan.lease);
    let max_skew = u64::try_from(world.max_skew.as_micros()).unwrap_or(0);
    let fault = match random.below(12) {
        0 => TickFault::SetClock(node, random_offset(random, plan, max_skew)),
        1 => TickFault::Sleep(node, duration),
        2 | 3 => TickFault::StopRcron(node, duration),
        4 => TickFault::KillRcron(node),
        5 => TickFault::TerminateRcron(node),
        6 => {
            world.schedule(at + duration, TickFault::CutClaims(node, false));
            TickFault::CutClaims(node, true)
        }
        7 => TickFault::Reopen(node, job),
        8 => TickFault::HoldChange(node, duration),
        9 if plan.rolls_out => {
            let run_on = random.one_of(&[RunOn::Active, RunOn::Any]);
            world.lease.schedule(at, Fault::RunOn(node, 0, run_on));
            return;
        }
        10 if world.lease.store.has_revision() && !plan.has_wild_clocks => {
            world.lease.schedule(at, Fault::Snapshot);
            world.lease.schedule(at + duration, Fault::StoreLoses(Loss::Rewound));
            return;
        }
        _ => TickFault::Start(node, job),
    };
    world.schedule(at, fault);
}
