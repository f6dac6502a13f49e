//! When a tick of a job should have been started by now, so that it must be recorded as missed if it was not.

use super::crontabs::{Crontabs, JobLine};
use super::line_ticks::LineTicks;
use claims::{Due, JobKey, MissReason, Schedule};
use policy::moment::WallTime;
use policy::tick::TickTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How far back the first check looks for the latest tick of a job.
const LOOK_BACK: Duration = Duration::from_secs(400 * 24 * 3600);
/// How far ahead the next tick of a job is searched. A job whose next tick is later is searched again after this time.
const LOOK_AHEAD: Duration = Duration::from_secs(400 * 24 * 3600);

/// Makes the conversion to whole seconds round up.
const ALMOST_A_SECOND: Duration = Duration::from_nanos(999_999_999);

/// When this process had no session.
#[derive(Clone, Debug, Default)]
pub(super) struct Outages {
    /// The last times without a session, the oldest first.
    past: Vec<(WallTime, WallTime)>,
    /// Since when there is none; `None` while there is one.
    since: Option<WallTime>,
}

impl Outages {
    /// How many are remembered.
    const MOST: usize = 32;

    /// Notes whether there is a session now.
    pub(super) fn note(&mut self, has_session: bool, now: WallTime) {
        match (has_session, self.since) {
            (false, None) => self.since = Some(now),
            (true, Some(since)) => {
                self.since = None;
                if self.past.len() == Self::MOST {
                    self.past.remove(0);
                }
                self.past.push((since, now));
            }
            _ => {}
        }
    }

    /// Whether there was no session at some moment of this time.
    fn overlaps(&self, from: WallTime, to: WallTime) -> bool {
        let is_open = self.since.is_some_and(|since| since <= to);
        is_open || self.past.iter().any(|(since, until)| *since <= to && *until >= from)
    }
}

/// The next check of each job.
#[derive(Debug)]
pub(super) struct DueTicks {
    /// When this process was started.
    started: WallTime,
    /// Whether crontabs were read: a job that appears later is new, and its earlier ticks are not checked.
    has_crontabs: bool,
    checks: BTreeMap<JobKey, Check>,
}

#[derive(Debug)]
struct Check {
    ticks: Arc<LineTicks>,
    start_within: Option<Duration>,
    /// The tick to check; `None` if only another one must be searched.
    tick: Option<TickTime>,
    at: WallTime,
}

impl DueTicks {
    pub(super) fn new(started: WallTime) -> Self {
        Self {
            started,
            has_crontabs: false,
            checks: BTreeMap::new(),
        }
    }

    /// Takes over the jobs of crontabs that were read. Of a job that is known already, with the same schedule, the check stays.
    pub(super) fn set_crontabs(&mut self, crontabs: &Crontabs, old: &Crontabs, max_skew: Duration, now: WallTime) {
        let is_first = !std::mem::replace(&mut self.has_crontabs, true);
        let is_same = |job: &JobKey, line: &JobLine| {
            let found = old.once_per_tick().find(|(other, ..)| *other == job);
            found.is_some_and(|(_, other, _)| other.text == line.text && other.zone == line.zone)
        };
        let mut checks = BTreeMap::new();
        for (job, line, ticks) in crontabs.once_per_tick() {
            let kept = self.checks.remove(job).filter(|_| is_same(job, line));
            let check = kept.map(|check| Check {
                ticks: Arc::clone(ticks),
                start_within: line.start_within,
                ..check
            });
            let new = || {
                let mut check = Check {
                    ticks: Arc::clone(ticks),
                    start_within: line.start_within,
                    tick: None,
                    at: now,
                };
                if is_first {
                    check.begin_with_last(line.changed, max_skew, now);
                } else {
                    check.advance(TickTime::from(now), max_skew, now);
                }
                check
            };
            checks.insert(job.clone(), check.unwrap_or_else(new));
        }
        self.checks = checks;
    }

    /// When the next check is.
    pub(super) fn next(&self) -> Option<WallTime> {
        self.checks.values().map(|check| check.at).min()
    }

    /// The ticks that should have been started by now. `delay` is that of the job's rank, so that one node after the other looks.
    pub(super) fn take(
        &mut self,
        now: WallTime,
        max_skew: Duration,
        outages: &Outages,
        delay: impl Fn(&JobKey) -> Duration,
    ) -> Vec<Due> {
        let mut due = Vec::new();
        let started = self.started;
        for (job, check) in &mut self.checks {
            if check.at > now {
                continue;
            }
            let now = WallTime(now.0.saturating_sub(delay(job)));
            if check.at > now {
                continue;
            }
            if let Some(tick) = check.tick {
                // After a suspension, or if the clock was set forward, several have passed: the machine finds the others.
                let latest = check.latest_due(max_skew, now).unwrap_or(tick).max(tick);
                let within = check.within(latest);
                due.push(Due {
                    job: job.clone(),
                    tick: latest,
                    expired: latest.after(within + ALMOST_A_SECOND),
                    reason: reason(started, outages, latest, within),
                    schedule: Arc::clone(&check.ticks) as Arc<dyn Schedule>,
                });
                check.advance(latest, max_skew, now);
            } else {
                check.advance(TickTime::from(now), max_skew, now);
            }
        }
        due
    }
}

impl Check {
    fn within(&self, tick: TickTime) -> Duration {
        self.start_within
            .unwrap_or_else(|| self.ticks.default_start_within(tick))
    }

    /// When the tick should have been started, by every clock.
    fn due_at(&self, tick: TickTime, max_skew: Duration) -> WallTime {
        WallTime(tick.wall().0 + self.within(tick) + max_skew)
    }

    /// The latest tick that should have been started by now.
    fn latest_due(&self, max_skew: Duration, now: WallTime) -> Option<TickTime> {
        let earliest = TickTime::from(WallTime(now.0.saturating_sub(LOOK_BACK)));
        let mut limit = TickTime::from(WallTime(now.0.saturating_sub(max_skew)));
        // Usually the first or second one is it: it is at most `start_within` ago.
        loop {
            let tick = self.ticks.latest(earliest, limit)?;
            if self.due_at(tick, max_skew) <= now {
                return Some(tick);
            }
            limit = TickTime(tick.0.checked_sub(1)?);
        }
    }

    /// The first check is for the last tick that has passed; then for those after it. Before the line was `changed`, there was perhaps
    /// no such tick.
    fn begin_with_last(&mut self, changed: WallTime, max_skew: Duration, now: WallTime) {
        match self.latest_due(max_skew, now) {
            Some(tick) if tick.wall() < changed => self.advance(tick, max_skew, now),
            Some(tick) => {
                self.tick = Some(tick);
                self.at = now;
            }
            None => self.advance(TickTime::from(WallTime(now.0.saturating_sub(LOOK_BACK))), max_skew, now),
        }
    }

    /// The next check is for the first tick after this one.
    fn advance(&mut self, after: TickTime, max_skew: Duration, now: WallTime) {
        self.tick = self.ticks.next(after, after.after(LOOK_AHEAD));
        self.at = match self.tick {
            Some(tick) => self.due_at(tick, max_skew),
            None => WallTime(now.0 + LOOK_AHEAD / 2),
        };
    }
}

/// Why the tick was not started, as far as this node knows.
fn reason(started: WallTime, outages: &Outages, tick: TickTime, within: Duration) -> MissReason {
    let (from, to) = (tick.wall(), WallTime(tick.wall().0 + within));
    if from < started {
        MissReason::NotRunning
    } else if outages.overlaps(from, to) {
        MissReason::NoSession
    } else {
        MissReason::NotAsked
    }
}

#[cfg(test)]
mod tests {
    use super::super::crontabs::Lines;
    use super::super::crontabs::tests::scheduled;
    use super::*;
    use lease::ClusterName;

    const SKEW: Duration = Duration::from_secs(10);
    const MINUTELY: &str = "* * * * *";
    const HOURLY: &str = "0 * * * *";
    /// A full hour.
    const HOUR: u64 = 1_764_550_800;

    fn at(seconds: u64) -> WallTime {
        WallTime(Duration::from_secs(HOUR + seconds))
    }

    fn job(name: &str) -> JobKey {
        JobKey::new(ClusterName::new("web"), "root", name)
    }

    fn crontabs(jobs: &[(&str, &str)]) -> Crontabs {
        let line = |(name, schedule): &(&str, &str)| (job(name), Lines::One(scheduled(schedule)));
        Crontabs {
            jobs: jobs.iter().map(line).collect(),
            ..Crontabs::default()
        }
    }

    /// Seconds after the hour, and the reason.
    fn taken(due: &mut DueTicks, now: WallTime, outages: &Outages) -> Vec<(i64, MissReason)> {
        let due = due.take(now, SKEW, outages, |_| Duration::ZERO);
        due.iter()
            .map(|due| {
                (
                    i64::try_from(due.tick.0).expect("small") - i64::try_from(HOUR).expect("small"),
                    due.reason,
                )
            })
            .collect()
    }

    fn with_session() -> Outages {
        Outages::default()
    }

    #[test]
    fn a_tick_is_due_once_when_it_can_no_longer_be_started() {
        let mut due = DueTicks::new(at(30));
        due.set_crontabs(&crontabs(&[("minutely", MINUTELY)]), &Crontabs::default(), SKEW, at(30));
        // The last one before the start.
        assert_eq!(
            taken(&mut due, at(30), &with_session()),
            [(-60, MissReason::NotRunning)]
        );
        assert_eq!(due.next(), Some(at(70)));
        assert_eq!(taken(&mut due, at(69), &with_session()), []);
        assert_eq!(taken(&mut due, at(70), &with_session()), [(0, MissReason::NotRunning)]);
        assert_eq!(taken(&mut due, at(70), &with_session()), []);
        assert_eq!(taken(&mut due, at(130), &with_session()), [(60, MissReason::NotAsked)]);
    }

    #[test]
    fn several_that_have_passed_are_one_check_of_the_last() {
        let mut due = DueTicks::new(at(0));
        due.set_crontabs(&crontabs(&[("minutely", MINUTELY)]), &Crontabs::default(), SKEW, at(0));
        taken(&mut due, at(0), &with_session());
        assert_eq!(
            taken(&mut due, at(1000), &with_session()),
            [(900, MissReason::NotAsked)]
        );
        assert_eq!(due.next(), Some(at(1030)));
    }

    #[test]
    fn a_time_without_a_session_is_the_reason() {
        let mut outages = Outages::default();
        outages.note(true, at(0));
        let mut due = DueTicks::new(at(0));
        due.set_crontabs(&crontabs(&[("hourly", HOURLY)]), &Crontabs::default(), SKEW, at(0));
        assert_eq!(taken(&mut due, at(0), &outages), [(-3600, MissReason::NotRunning)]);
        outages.note(false, at(100));
        outages.note(true, at(200));
        assert_eq!(taken(&mut due, at(310), &outages), [(0, MissReason::NoSession)]);
        outages.note(false, at(3500));
        outages.note(true, at(3599));
        assert_eq!(taken(&mut due, at(3910), &outages), [(3600, MissReason::NotAsked)]);
        outages.note(false, at(7300));
        assert_eq!(taken(&mut due, at(7510), &outages), [(7200, MissReason::NoSession)]);
    }

    #[test]
    fn a_job_that_is_added_has_no_earlier_ticks_and_one_that_stays_keeps_its_check() {
        let mut due = DueTicks::new(at(0));
        let old = crontabs(&[("old", MINUTELY)]);
        due.set_crontabs(&old, &Crontabs::default(), SKEW, at(0));
        taken(&mut due, at(0), &with_session());
        let new = crontabs(&[("new", MINUTELY), ("old", MINUTELY)]);
        due.set_crontabs(&new, &old, SKEW, at(65));
        // The tick at 0 of `old`; that of `new` was before the line.
        assert_eq!(taken(&mut due, at(70), &with_session()), [(0, MissReason::NotAsked)]);
        assert_eq!(taken(&mut due, at(130), &with_session()).len(), 1);
        assert_eq!(taken(&mut due, at(190), &with_session()).len(), 2);
        due.set_crontabs(&Crontabs::default(), &new, SKEW, at(191));
        assert_eq!(due.next(), None);
    }

    #[test]
    fn ticks_before_the_last_change_of_the_crontab_are_not_checked() {
        let mut due = DueTicks::new(at(100));
        let mut line = scheduled(MINUTELY);
        line.changed = at(30);
        let jobs = [(job("minutely"), Lines::One(line))].into();
        let crontabs = Crontabs {
            jobs,
            ..Crontabs::default()
        };
        due.set_crontabs(&crontabs, &Crontabs::default(), SKEW, at(100));
        // The last one is that at 0.
        assert_eq!(taken(&mut due, at(100), &with_session()), []);
        assert_eq!(
            taken(&mut due, at(130), &with_session()),
            [(60, MissReason::NotRunning)]
        );
    }

    #[test]
    fn a_lower_rank_looks_later() {
        let mut due = DueTicks::new(at(0));
        due.set_crontabs(&crontabs(&[("minutely", MINUTELY)]), &Crontabs::default(), SKEW, at(0));
        taken(&mut due, at(0), &with_session());
        taken(&mut due, at(10), &with_session());
        let later = |_: &JobKey| Duration::from_secs(2);
        assert!(due.take(at(71), SKEW, &with_session(), later).is_empty());
        assert_eq!(due.take(at(72), SKEW, &with_session(), later).len(), 1);
    }
}
