//! The promises about ticks that every history must keep.

use super::job::Periodic;
use crate::{Micros, checker};
use claims::{Entry, JobRecord};
use policy::claim::ClaimId;
use policy::tick::TickTime;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The true time.
    pub at: Micros,
    /// The promise.
    pub what: Broken,
}

/// Which promise was broken. Jobs and nodes are given by their index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields are the job, the tick, and the nodes, as everywhere"
)]
pub enum Broken {
    /// A tick was started more often than its first entry permits: once, and once more for each rerun.
    StartedTwice {
        job: usize,
        tick: TickTime,
        starts: u32,
        allowed: u32,
    },
    /// An attempt was started while another one of the tick was alive, and its rcron could have ended that.
    TwoAlive {
        job: usize,
        tick: TickTime,
        nodes: [usize; 2],
    },
    /// With `overlap = skip`, a tick was started while an earlier one was alive and not over for the store.
    Overlap {
        job: usize,
        ticks: [TickTime; 2],
        nodes: [usize; 2],
    },
    /// An attempt was started that the store does not take for running.
    StartedWithoutEntry { job: usize, tick: TickTime, node: usize },
    /// An attempt that was the first was started after `start_within`.
    StartedLate { job: usize, tick: TickTime, node: usize },
    /// A claim was done in the name of a session that is not open.
    ClaimedByDeadSession { job: usize, tick: TickTime, node: usize },
    /// A tick was not claimed although this node could have.
    NotClaimed { job: usize, tick: TickTime, node: usize },
    /// A tick was recorded as missed or skipped, and was started.
    MissedAndStarted { job: usize, tick: TickTime },
    /// A tick was recorded as missed while it could be started by some clock.
    MissedTooEarly { job: usize, tick: TickTime, node: usize },
    /// A tick was due, and there is no record of it.
    Silent { job: usize, tick: TickTime },
    /// Long after the end of all faults, an attempt counts as running that does not run, or is open.
    LeftOver { job: usize, tick: TickTime },
    /// *closed* was lowered, and no administrator had asked for it.
    ClosedWentBack { job: usize, closed: TickTime },
    /// The floor was lowered, and no administrator had asked for it.
    FloorWentBack { floor: TickTime },
    /// A grant's fence is not greater than that of all earlier grants of the job.
    FenceNotGrowing { job: usize, tick: TickTime, attempt: u32 },
    /// More than two changes for a tick, without any fault.
    TooManyChanges { job: usize, changes: u64, ticks: u64 },
    /// A promise of the lease.
    Lease(checker::Broken),
    /// There is no end of events: a process calls the store in a loop.
    Storm,
}

/// What has been seen so far.
#[derive(Clone, Debug)]
pub struct Checker {
    /// One for each job.
    pub jobs: Vec<JobFacts>,
    /// All wall clocks have been within `max_skew` of each other all the time.
    pub has_right_clocks: bool,
    /// The first floor that was ever written.
    pub first_floor: Option<TickTime>,
    /// The last floor that was written.
    pub last_floor: TickTime,
    /// The store has lost data at some time. `Some(true)`: and no floor was written since.
    lost_data: Option<bool>,
    losses: u8,
    rewinds: u8,
    /// The store has gone back under the same incarnation, and no floor was written since.
    pub is_rewound: bool,
    /// Ticks up to this may have been lost.
    forgotten: TickTime,
}

/// What is known of a job.
#[derive(Clone, Debug, Default)]
pub struct JobFacts {
    /// The ticks that were claimed or recorded.
    pub ticks: BTreeMap<TickTime, TickFacts>,
    /// How many changes of the record the store has done.
    pub changes: u64,
    /// A daemon has found no record after its start: what was due before is not known.
    pub baseline: TickTime,
    /// How often administrators have asked to reopen it and *closed* was not lowered since.
    pub reopens: u32,
    /// When *closed* was last lowered.
    pub reopened_at: Micros,
    /// Runs of ticks that were reopened or forgotten since: they do not count.
    reopened_runs: BTreeSet<ClaimId>,
    highest_grant: u64,
    highest_start: u64,
}

/// What is known of a tick.
#[derive(Clone, Debug, Default)]
pub struct TickFacts {
    /// How many attempts have been started.
    pub starts: u32,
    /// The last attempt that was started.
    pub attempt: u32,
    /// How many may be: by the first entry.
    pub allowed: u32,
    /// There is, or was, an ended tick.
    pub is_recorded: bool,
    /// It was recorded as missed or skipped.
    pub is_given_up: bool,
    /// When it was last given back without a start.
    pub given_back: Option<Micros>,
}

impl Checker {
    /// Nothing has been seen.
    #[must_use]
    pub fn new(jobs: usize) -> Self {
        Self {
            jobs: vec![JobFacts::default(); jobs],
            has_right_clocks: true,
            first_floor: None,
            last_floor: TickTime(0),
            lost_data: None,
            losses: 0,
            rewinds: 0,
            is_rewound: false,
            forgotten: TickTime(0),
        }
    }

    /// How often the store has lost data. After each time, what is up to the next floor is not known any longer.
    pub(super) fn store_losses(&mut self, losses: u8) {
        if losses != self.losses {
            self.losses = losses;
            self.lost_data = Some(true);
        }
    }

    /// Returns whether the store has gone back under the same incarnation since the last call.
    pub(super) fn store_rewinds(&mut self, rewinds: u8) -> bool {
        let is_new = rewinds != self.rewinds;
        self.rewinds = rewinds;
        self.is_rewound |= is_new;
        is_new
    }

    /// Whether the store has ever lost data.
    #[must_use]
    pub const fn has_lost_data(&self) -> bool {
        self.lost_data.is_some()
    }

    /// Returns whether it may be so low: because of a wrong clock, an administrator may have reopened the ticks between.
    pub(super) fn floor_written(&mut self, floor: TickTime) -> bool {
        self.first_floor.get_or_insert(floor);
        self.is_rewound = false;
        let before = std::mem::replace(&mut self.last_floor, floor);
        let is_lowered = floor < before && self.lost_data != Some(true);
        let is_asked_for = !self.has_right_clocks && self.jobs.iter().any(|job| job.reopens > 0);
        if is_lowered && is_asked_for {
            self.jobs.iter_mut().for_each(|job| job.forget(floor, before));
        }
        if self.lost_data == Some(true) {
            self.lost_data = Some(false);
            self.forgotten = floor;
        }
        !is_lowered || is_asked_for
    }

    /// Whether the store may have lost what it had about this tick.
    #[must_use]
    pub fn has_forgotten(&self, tick: TickTime) -> bool {
        self.lost_data == Some(true) || (self.lost_data.is_some() && tick <= self.forgotten)
    }

    /// Each tick of a job that was due between the first floor and `end` must have been recorded.
    ///
    /// # Errors
    /// The first one that was not.
    pub fn check_records(&self, job: usize, schedule: Periodic, end: TickTime) -> Result<(), Broken> {
        let Some(floor) = self.first_floor else { return Ok(()) };
        let mut due = schedule.ticks(TickTime(floor.0 + 1), end);
        let is_silent = |tick: &TickTime| {
            let facts = self.jobs[job].ticks.get(tick);
            let is_known = *tick > self.jobs[job].baseline && !self.has_forgotten(*tick);
            is_known && !facts.is_some_and(|facts| facts.is_recorded)
        };
        due.find(is_silent)
            .map_or(Ok(()), |tick| Err(Broken::Silent { job, tick }))
    }
}

impl JobFacts {
    /// What is known of a tick.
    pub fn tick(&mut self, tick: TickTime) -> &mut TickFacts {
        self.ticks.entry(tick).or_default()
    }

    /// *closed* was lowered. Returns whether an administrator had asked for it. The ticks that were closed and are not any longer may
    /// be started once more; all others are closed as before.
    pub(super) fn reopened(&mut self, before: &JobRecord, after: &JobRecord) -> bool {
        let Some(left) = self.reopens.checked_sub(1) else {
            return false;
        };
        self.reopens = left;
        self.forget(after.closed, before.closed);
        let runs = before.entries.iter().filter(|entry| entry.tick > after.closed);
        self.reopened_runs.extend(runs.map(|entry| entry.run));
        true
    }

    /// The ticks after `from`, up to `to`, may be started once more, and the fences begin again with them.
    fn forget(&mut self, from: TickTime, to: TickTime) {
        self.ticks.retain(|tick, _| *tick <= from || *tick > to);
        self.highest_grant = self.highest_grant.min(from.0);
        self.highest_start = self.highest_start.min(from.0.saturating_sub(1));
    }

    /// A tick that was granted, and of which nothing is known any more, is granted by a daemon that cannot know that. These other runs
    /// of it do not count.
    pub(super) fn granted_unaware(&mut self, tick: TickTime, others: impl Iterator<Item = ClaimId>) {
        self.forget(TickTime(tick.0.saturating_sub(1)), tick);
        self.reopened_runs.extend(others);
    }

    /// Whether the run belongs to a tick that was reopened or forgotten after its grant.
    pub(super) fn was_reopened(&self, run: ClaimId) -> bool {
        self.reopened_runs.contains(&run)
    }

    pub(super) fn given_back(&self, tick: TickTime) -> Option<Micros> {
        self.ticks.get(&tick)?.given_back
    }

    /// The store has granted an attempt. Returns whether its fence is greater than all before; or as great, after the same attempt
    /// was given back without a start.
    pub(super) fn granted(&mut self, entry: &Entry) -> bool {
        let fence = entry.tick.fence(entry.attempt);
        let facts = self.tick(entry.tick);
        if facts.allowed == 0 {
            facts.allowed = 1 + entry.reruns;
        }
        let grows = fence >= self.highest_grant;
        self.highest_grant = self.highest_grant.max(fence);
        grows
    }

    /// An attempt is started. Returns whether its fence is greater than all before: of the tick, and with `is_single`, of the job.
    /// Without `overlap = skip`, two ticks may be granted at once, and which job begins first is open.
    pub(super) fn started(&mut self, tick: TickTime, attempt: u32, is_single: bool) -> bool {
        let fence = tick.fence(attempt);
        let grows = fence > self.highest_start || !is_single;
        self.highest_start = self.highest_start.max(fence);
        let facts = self.tick(tick);
        let is_later = attempt > facts.attempt;
        facts.attempt = attempt;
        facts.starts += 1;
        grows && is_later
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at {:.3} s: {:?}",
            Duration::from_micros(self.at).as_secs_f64(),
            self.what
        )
    }
}
