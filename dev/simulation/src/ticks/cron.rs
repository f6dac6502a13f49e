//! The crons, and the wall clocks that they go by.

use super::world::{Event, TickWorld};
use crate::{MILLISECOND, Micros, SECOND};
use policy::moment::WallTime;
use policy::tick::TickTime;
use std::time::Duration;

/// How long before a tick it is decided how cron fires.
const AHEAD: Duration = Duration::from_millis(900);

impl TickWorld {
    pub(super) fn plan_first_tick(&mut self, node: usize, job: usize) {
        let wall = self.servers[node].wall(self.now());
        let tick = self.jobs[job].schedule.after(TickTime::from(wall));
        self.plan_tick(node, job, tick);
    }

    fn plan_tick(&mut self, node: usize, job: usize, tick: TickTime) {
        let at = self.servers[node].when(WallTime(tick.wall().0.saturating_sub(AHEAD)));
        self.queue.put(at.max(self.now() + 1), Event::Cron(node, job, tick));
    }

    /// Decides how cron fires a tick.
    pub(super) fn fire(&mut self, node: usize, job: usize, tick: TickTime) {
        let server = &self.servers[node];
        let wall = server.wall(self.now());
        if wall.0 + AHEAD < tick.wall().0 {
            // The clock was set back: cron goes on from there.
            let next = self.jobs[job].schedule.after(TickTime::from(wall));
            self.plan_tick(node, job, next.min(tick));
            return;
        }
        let next = self.jobs[job].schedule.after(tick);
        self.plan_tick(node, job, next);
        let profile = self.cron_profile;
        let ahead = u64::try_from(AHEAD.as_micros()).unwrap_or(0);
        let within = self.jobs[job].configs[node].start_within;
        let within = u64::try_from(within.as_micros()).unwrap_or(0);
        let on_time = ahead + self.random.below(50 * MILLISECOND);
        let delay = if self.random.per_mille(profile.never) {
            return;
        } else if self.random.per_mille(profile.early) {
            self.random.below(ahead)
        } else if self.random.per_mille(profile.late) {
            on_time + self.random.below(within * 3 / 2)
        } else {
            on_time
        };
        self.queue.put(self.now() + delay, Event::Start(node, job));
        if self.random.per_mille(profile.twice) {
            let again = delay + self.random.below(2 * SECOND);
            self.queue.put(self.now() + again, Event::Start(node, job));
        }
    }

    /// A cron on a machine that is down starts nothing, and one on a machine that sleeps does so late.
    pub(super) fn start_from_cron(&mut self, node: usize, job: usize) {
        let server = &self.servers[node];
        let awake = server.asleep_until;
        if awake > self.now() {
            self.queue.put(awake + 1, Event::Start(node, job));
        } else if !server.is_down {
            self.start_rcron(node, job);
        }
    }

    /// Sets a wall clock. cron fires the ticks again that a clock set back comes to again, or does not.
    pub(super) fn set_clock(&mut self, node: usize, ahead: i64) {
        let before = self.servers[node].wall(self.now());
        self.servers[node].ahead = ahead;
        let after = self.servers[node].wall(self.now());
        if after >= before || self.random.per_mille(300) {
            return;
        }
        for job in 0..self.jobs.len() {
            let tick = self.jobs[job].schedule.after(TickTime::from(after));
            if tick.wall() <= before {
                let at: Micros = self.servers[node].when(tick.wall());
                self.queue.put(at, Event::Start(node, job));
            }
        }
    }
}
