//! Promise 2: a tick is claimed while a server could.
//!
//! The exact condition: for [`REACHES`] without interruption, and until now, before `start_within` is over,
//! - an rcron of the tick waits on a server, and has not stood still;
//! - that server has a permission by one and the same lease, its daemon runs without a pause, and every message between it and the
//!   store arrives without delay;
//! - the store runs, with the same incarnation;
//! - the tick is above the floor, and neither closed nor given back or reopened for less long than that;
//! - with `overlap = skip`, no earlier attempt counts as running: it may take a lease until it is known whether it has died.

use super::checker::Broken;
use super::rcron::Stage;
use super::world::{Event, TickWorld};
use crate::{MILLISECOND, Micros, SECOND};
use claims::{EntryState, Key, Permission, Record};
use policy::tick::TickTime;

/// "A few seconds".
const REACHES: Micros = 3 * SECOND;

/// How often this is checked.
const PROBE: Micros = 250 * MILLISECOND;

impl TickWorld {
    pub(super) fn begin_probes(&mut self, rcron: usize) {
        let at = self.rcrons[rcron].waiting_since + REACHES;
        self.queue.put(at, Event::Probe(rcron));
    }

    pub(super) fn probe(&mut self, rcron: usize) {
        if self.rcrons[rcron].stage != Stage::Waiting {
            return;
        }
        if let Some(tick) = self.is_neglected(rcron) {
            let (node, job) = (self.rcrons[rcron].node, self.rcrons[rcron].job);
            self.break_promise(Broken::NotClaimed { job, tick, node });
        }
        self.queue.put(self.now() + PROBE, Event::Probe(rcron));
    }

    fn is_neglected(&self, rcron: usize) -> Option<TickTime> {
        let of = &self.rcrons[rcron];
        let (job, server) = (&self.jobs[of.job], &self.servers[of.node]);
        let tick = of.tick(job)?;
        let is_late = self.boot_clock(of.node) >= of.deadline(job, tick);
        let is_permitted = !matches!(server.seen.permissions[job.cluster], Permission::None(_));
        let is_well = server.daemon.is_some() && !server.seen.is_paused && self.is_connected(rcron);
        let reaches =
            server.seen.link.iter().all(|works| *works) && self.lease.store.up && self.lease.profile.is_prompt();
        if is_late || !is_permitted || !is_well || !reaches {
            return None;
        }
        let since = server.calm_since.max(of.waiting_since);
        let facts = &self.checker.jobs[of.job];
        let since = since.max(facts.given_back(tick).unwrap_or(0)).max(facts.reopened_at);
        (self.now() >= since + REACHES && self.is_unclaimed(of.job, tick)).then_some(tick)
    }

    fn is_unclaimed(&self, job: usize, tick: TickTime) -> bool {
        let job = &self.jobs[job];
        let floor = match self.lease.store.tick_record(&Key::Floor(job.key.cluster.clone())) {
            Some(Record::Floor(record)) => record.floor,
            _ => TickTime(0),
        };
        let Some(Record::Job(record)) = self.lease.store.tick_record(&Key::Job(job.key.clone())) else {
            return tick > floor;
        };
        let is_open = |entry: &claims::Entry| entry.tick == tick && entry.state == EntryState::NeverStarted;
        let overlaps = |entry: &claims::Entry| entry.tick != tick && entry.state == EntryState::Running;
        if job.configs.iter().any(|config| config.skips_overlap) && record.entries.iter().any(overlaps) {
            return false;
        }
        tick > floor && tick >= record.closed && (tick > record.closed || record.entries.iter().any(is_open))
    }
}
