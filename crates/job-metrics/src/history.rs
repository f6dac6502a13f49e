//! What the journals say about each job. Pure: it is given one record after the other.

use crate::crontabs::CrontabJobs;
use crate::limits::{AHEAD, MOST_ENDED, MOST_JOBS, MOST_JOBS_OF_USER, MOST_OPEN, MOST_OPEN_OF_USER};
use crate::name::JobName;
use crate::table::LastEnd;
use journal::run::{End, Fate, Outcome};
use journal::tail::{FileId, NewRecord, News, RunOrigin, Step};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use sys::signal;

/// The jobs of all users.
#[derive(Debug)]
pub(crate) struct Histories {
    /// Other clusters are not shown: users can invent any number of names.
    clusters: Vec<Arc<str>>,
    pub(crate) owners: BTreeMap<u32, History>,
    /// How many jobs and open runs all users but root have.
    jobs: usize,
    open: usize,
}

/// The jobs of one user.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) jobs: HashMap<JobName, LastRuns>,
    /// Runs without an end, by their ids.
    open: HashMap<u128, OpenRun>,
    /// Runs whose end was read before their start, the newest last.
    ended: VecDeque<u128>,
}

/// The last runs of a job. Times are in microseconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastRuns {
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<LastEnd>,
    /// The end of the last run that succeeded.
    pub(crate) success: Option<i64>,
}

#[derive(Debug)]
struct OpenRun {
    job: JobName,
    started: i64,
    origin: RunOrigin,
    file: FileId,
    state: OpenState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OpenState {
    Running,
    /// Its processes are gone, which they stay.
    Interrupted,
    Unknown,
}

/// The runs of a job that have no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenCounts {
    pub(crate) running: usize,
    /// Those that are not marked as seen.
    pub(crate) interrupted: usize,
}

impl LastRuns {
    /// The time of the last record.
    pub(crate) fn last_activity(&self) -> Option<i64> {
        self.start.max(self.end.map(|end| end.at))
    }
}

impl Histories {
    pub(crate) fn new(clusters: Vec<Arc<str>>) -> Self {
        Self {
            clusters,
            owners: BTreeMap::new(),
            jobs: 0,
            open: 0,
        }
    }

    /// Takes what is new. Where jobs must be forgotten, those that no crontab has go first. `now` is in microseconds since 1970.
    pub(crate) fn take(&mut self, news: &News, crontabs: &CrontabJobs, now: i64) {
        match news {
            News::Skipped(owner) => {
                let dropped = self
                    .owners
                    .get_mut(owner)
                    .map(|history| std::mem::take(&mut history.open));
                self.open -= dropped.filter(|_| *owner != 0).map_or(0, |open| open.len());
            }
            News::Record(record) => {
                let cluster = self.clusters.iter().find(|cluster| ***cluster == *record.cluster);
                if let Some(job) = cluster.and_then(|cluster| JobName::new(cluster, record.job)) {
                    self.take_record(record, job, crontabs, now);
                }
            }
        }
    }

    fn take_record(&mut self, record: &NewRecord, job: JobName, crontabs: &CrontabJobs, now: i64) {
        let owner = record.owner;
        let history = self.owners.entry(owner).or_default();
        let before = (history.jobs.len(), history.open.len());
        history.take(record, job, now);
        if history.jobs.len() > MOST_JOBS_OF_USER {
            history.shed_jobs(owner, crontabs);
        }
        if history.open.len() > MOST_OPEN_OF_USER {
            history.shed_open();
        }
        if owner == 0 {
            return;
        }
        self.jobs = self.jobs - before.0 + history.jobs.len();
        self.open = self.open - before.1 + history.open.len();
        if self.jobs > MOST_JOBS {
            let (owner, largest) = self.largest(|history| history.jobs.len());
            self.jobs -= largest.shed_jobs(owner, crontabs);
        }
        if self.open > MOST_OPEN {
            self.open -= self.largest(|history| history.open.len()).1.shed_open();
        }
    }

    /// The user who has the most of something, except root.
    fn largest(&mut self, size: impl Fn(&History) -> usize) -> (u32, &mut History) {
        let others = self.owners.iter_mut().filter(|(owner, _)| **owner != 0);
        let largest = others.max_by_key(|(_, history)| size(history));
        let (owner, history) = largest.expect("there are too many, so somebody has them");
        (*owner, history)
    }

    /// Finds out what the runs without an end do. Returns whether some seem to have been interrupted since this server has booted: their
    /// end may still be written.
    pub(crate) fn judge(
        &mut self,
        files: &HashSet<FileId>,
        mut fate: impl FnMut(u32, u128, &RunOrigin) -> Fate,
    ) -> bool {
        let mut are_recent = false;
        for (owner, history) in &mut self.owners {
            let before = history.open.len();
            history.open.retain(|_, run| files.contains(&run.file));
            self.open -= if *owner == 0 { 0 } else { before - history.open.len() };
            let mut runs: Vec<_> = history.open.iter_mut().collect();
            runs.retain(|(_, run)| run.state != OpenState::Interrupted);
            runs.sort_unstable_by_key(|(_, run)| Reverse(run.started));
            for (id, run) in runs {
                run.state = match fate(*owner, *id, &run.origin) {
                    Fate::Running(_) | Fate::Unwatched(_) => OpenState::Running,
                    Fate::Interrupted => OpenState::Interrupted,
                    Fate::Unknown | Fate::Ended(_) => OpenState::Unknown,
                };
                are_recent |= run.state == OpenState::Interrupted && run.origin.is_this_boot();
            }
        }
        are_recent
    }

    /// Whether a run is known to have been interrupted.
    pub(crate) fn has_interrupted(&self) -> bool {
        let open = self.owners.values().flat_map(|history| history.open.values());
        open.into_iter().any(|run| run.state == OpenState::Interrupted)
    }
}

impl History {
    fn take(&mut self, record: &NewRecord, job: JobName, now: i64) {
        let runs = self.jobs.entry(job.clone()).or_default();
        runs.add_start(record.started, now);
        match &record.step {
            Step::Start(_) if self.ended.contains(&record.run) => {}
            Step::Start(origin) => {
                let run = OpenRun {
                    job,
                    started: record.started,
                    origin: *origin,
                    file: record.file,
                    state: OpenState::Unknown,
                };
                self.open.insert(record.run, run);
            }
            Step::End(end) => {
                runs.add_end(end, now);
                if self.open.remove(&record.run).is_none() {
                    self.ended.push_back(record.run);
                    if self.ended.len() > MOST_ENDED {
                        self.ended.pop_front();
                    }
                }
            }
        }
    }

    /// Forgets an eighth of the jobs: those that no crontab has, then those whose last record is the oldest. Returns how many.
    fn shed_jobs(&mut self, owner: u32, crontabs: &CrontabJobs) -> usize {
        let mut jobs: Vec<_> = self.jobs.drain().collect();
        let dropped = jobs.len().div_ceil(8);
        jobs.sort_by_cached_key(|(name, runs)| (crontabs.find(owner, name).is_some(), runs.last_activity()));
        self.jobs.extend(jobs.drain(dropped..));
        dropped
    }

    /// Forgets the oldest eighth of the runs without an end. Returns how many.
    fn shed_open(&mut self) -> usize {
        let mut open: Vec<_> = self.open.drain().collect();
        let dropped = open.len().div_ceil(8);
        open.sort_unstable_by_key(|(_, run)| run.started);
        self.open.extend(open.drain(dropped..));
        dropped
    }

    /// The runs without an end of each job. `is_seen` says of an interrupted one whether an administrator has seen it.
    pub(crate) fn count_open(&self, is_seen: impl Fn(u128) -> bool) -> HashMap<&JobName, OpenCounts> {
        let mut counts: HashMap<&JobName, OpenCounts> = HashMap::new();
        for (id, run) in &self.open {
            let counts = counts.entry(&run.job).or_default();
            match run.state {
                OpenState::Running => counts.running += 1,
                OpenState::Interrupted if !is_seen(*id) => counts.interrupted += 1,
                OpenState::Interrupted | OpenState::Unknown => {}
            }
        }
        counts
    }
}

/// Whether the time was recorded while the clock was wrong.
pub(crate) const fn is_ahead(at: i64, now: i64) -> bool {
    at > now.saturating_add(AHEAD)
}

/// A record can come twice, and after a newer one. But one whose time is still to come is older than each that comes after it.
fn later(known: Option<i64>, new: i64, now: i64) -> i64 {
    known
        .filter(|known| !is_ahead(*known, now))
        .map_or(new, |known| known.max(new))
}

impl LastRuns {
    fn add_start(&mut self, started: i64, now: i64) {
        self.start = Some(later(self.start, started, now));
        // It was before this start.
        if let Some(success) = self.success.as_mut().filter(|success| is_ahead(**success, now)) {
            *success = started.min(*success);
        }
    }

    fn add_end(&mut self, end: &End, now: i64) {
        let at = end.at.as_microsecond();
        let exit_code = match &end.outcome {
            Outcome::Exited(status) => Some(i32::from(*status)),
            // As a shell says it.
            Outcome::Killed(name) => signal::number(name).map(|number| 128 + number),
        };
        if self.end.is_none_or(|last| last.at <= at || is_ahead(last.at, now)) {
            self.end = Some(LastEnd {
                at,
                duration: end.lasted,
                exit_code,
            });
        }
        if end.outcome == Outcome::Exited(0) {
            self.success = Some(later(self.success, at, now));
        }
    }
}

#[cfg(test)]
mod tests;
