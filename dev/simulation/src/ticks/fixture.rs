//! A world without faults for one scenario: equal servers, one job.

use super::job::{Job, JobConfig, Periodic};
use super::server::EPOCH;
use super::world::TickWorld;
use crate::fixture::world_without_faults;
use crate::{MILLISECOND, Micros, SECOND};
use claims::{EndedTick, Entry, JobKey, Key, MOST_SLOTS, Record};
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
        names_ticks: false,
        is_scheduled: true,
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

    /// The servers that have started a tick of the job, the first one first.
    #[must_use]
    pub fn starters_of(&self, tick: TickTime) -> Vec<usize> {
        let runs = self
            .rcrons
            .iter()
            .filter_map(|rcron| Some((rcron.started.as_ref()?, rcron.node)));
        let of_tick = runs.filter(|(run, _)| run.tick == tick);
        let mut starters: Vec<_> = of_tick.map(|(run, node)| (run.began, node)).collect();
        starters.sort_unstable();
        starters.into_iter().map(|(_, node)| node).collect()
    }

    /// How the attempts of a tick have ended, the first one first; or why it was not started.
    #[must_use]
    pub fn results_of(&self, tick: TickTime) -> Vec<String> {
        let slots = 0..MOST_SLOTS;
        let ended = slots.filter_map(|slot| {
            let key = Key::Ended(self.jobs[0].key.clone(), slot);
            match self.lease.store.tick_record(&key) {
                Some(Record::Ended(ended)) => Some(ended),
                _ => None,
            }
        });
        let of_tick = ended.filter(|ended| ended.gap.first <= tick && tick <= ended.gap.last);
        of_tick.map(describe_end).collect()
    }

    /// Runs until the store has granted an attempt of this tick, and returns its server. Its rcron has not heard of it yet.
    ///
    /// # Panics
    /// If a promise is broken, or no attempt is granted for two minutes.
    pub fn run_until_granted(&mut self, tick: TickTime) -> usize {
        let end = self.now() + 120 * SECOND;
        loop {
            if let Some(entry) = self.entries().iter().find(|entry| entry.tick == tick) {
                let is_of_entry = |node: &crate::node::Node| node.name == entry.node;
                return self.lease.nodes.iter().position(is_of_entry).expect("a server");
            }
            assert!(self.now() < end, "nobody claims {tick:?}");
            let next = self.now() + MILLISECOND / 10;
            self.run_until(next).expect("no broken promise");
        }
    }

    /// Runs until this tick was started, and returns the server.
    ///
    /// # Panics
    /// If a promise is broken, or the tick is not started for two minutes.
    pub fn run_until_started(&mut self, tick: TickTime) -> usize {
        let end = self.now() + 120 * SECOND;
        while self.starts_of(tick) == 0 {
            assert!(self.now() < end, "nobody starts {tick:?}");
            let next = self.now() + MILLISECOND;
            self.run_until(next).expect("no broken promise");
        }
        self.starters_of(tick)[0]
    }
}

fn describe_end(ended: &EndedTick) -> String {
    match ended.attempt {
        0 => format!("{:?}", ended.outcome),
        attempt => format!(
            "attempt {attempt} on {}: {:?}",
            String::from(&ended.node),
            ended.outcome
        ),
    }
}
