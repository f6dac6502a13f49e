//! A world without faults for one scenario: equal servers, one job.

use super::job::{Job, JobConfig, Periodic};
use super::server::EPOCH;
use super::world::TickWorld;
use crate::fixture::world_without_faults;
use crate::{Micros, SECOND};
use claims::{Entry, JobKey, Key, Record};
use lease::RunOn;
use policy::tick::TickTime;
use std::time::Duration;

/// The period of the fixture's job, in seconds.
pub const PERIOD: u64 = 60;

/// Servers whose boot clocks have these rates and whose wall clocks are right, and a job that is due each minute. It may be started
/// within 30 s, lasts 5 s, is ended when its server is demoted, and has this many reruns. The lease is 10 s. No server is started.
#[must_use]
pub fn ticks_without_faults(rates: &[u64], rerun: u32, seed: u64) -> TickWorld {
    let lease = world_without_faults(rates, seed);
    let config = JobConfig {
        start_within: Duration::from_secs(30),
        rerun,
        skips_overlap: false,
        terminates: true,
    };
    let job = Job {
        key: JobKey::new(lease.nodes[0].configs[0].name.clone(), "root", "backup"),
        cluster: 0,
        schedule: Periodic {
            period: PERIOD,
            phase: 0,
        },
        configs: vec![config; rates.len()],
        lasts: (5 * SECOND, 5 * SECOND),
        escapes: 0,
    };
    let ahead = vec![0; rates.len()];
    TickWorld::new(lease, &ahead, vec![job], Duration::from_secs(2), seed)
}

/// The tick of this minute of the history: the first one that is due is minute 1.
#[must_use]
pub const fn tick(minute: u64) -> TickTime {
    TickTime(EPOCH + minute * PERIOD)
}

/// The true time of a minute of the history.
#[must_use]
pub const fn minute(minute: u64) -> Micros {
    minute * PERIOD * SECOND
}

impl TickWorld {
    /// `run_on = "any"` on all servers.
    #[must_use]
    pub fn shared(mut self) -> Self {
        for config in self.lease.nodes.iter_mut().flat_map(|node| &mut node.configs) {
            config.run_on = RunOn::Any;
        }
        self
    }

    /// Starts the first server at once, and the others when it should hold the cluster.
    pub fn start_all(&mut self) {
        self.lease.start_all(15 * SECOND);
    }

    /// The attempts that count as running or are open.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        match self.lease.store.tick_record(&Key::Job(self.jobs[0].key.clone())) {
            Some(Record::Job(record)) => record.entries.clone(),
            _ => Vec::new(),
        }
    }

    /// How often a tick of the job was started.
    #[must_use]
    pub fn starts_of(&self, tick: TickTime) -> u32 {
        self.checker.jobs[0].ticks.get(&tick).map_or(0, |facts| facts.starts)
    }

    /// The servers that have started a tick of the job.
    #[must_use]
    pub fn starters_of(&self, tick: TickTime) -> Vec<usize> {
        let of_tick = self
            .rcrons
            .iter()
            .filter(|rcron| rcron.started.as_ref().is_some_and(|run| run.tick == tick));
        of_tick.map(|rcron| rcron.node).collect()
    }
}
