//! Which jobs are shown, and what is shown of each. Pure.

use crate::crontabs::CrontabJobs;
use crate::history::{Histories, LastRuns, OpenCounts, is_ahead};
use crate::limits::{KEPT, MOST_SHOWN};
use crate::name::JobName;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The metrics of all jobs that are shown, in the order of cluster, user and job.
#[derive(Debug, Default)]
pub struct Table {
    /// The jobs.
    pub rows: Vec<Row>,
    /// Jobs that are not shown because there are too many.
    pub omitted: usize,
    /// Calls of rcron in crontabs that have no name.
    pub unnamed: usize,
    /// Files and directories of journals that cannot be read.
    pub unreadable: usize,
}

/// The metrics of a job. Times are in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `cluster_name`.
    pub cluster: String,
    /// The name of the user, or the number if there is no name.
    pub user: String,
    /// `--job`.
    pub job: String,
    /// The last start.
    pub last_start: Option<i64>,
    /// The last end.
    pub last_end: Option<LastEnd>,
    /// The last end with exit status 0.
    pub last_success: Option<i64>,
    /// Runs in progress.
    pub running: usize,
    /// Runs that were cut off, and that nobody has marked as seen.
    pub interrupted: usize,
    /// The longest time between two ticks; `None` if the schedule is not known.
    pub period: Option<Duration>,
    /// Whether rcrond grants its ticks.
    pub once_per_tick: bool,
}

/// How the last run that has ended did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastEnd {
    /// In microseconds since 1970.
    pub at: i64,
    /// By the boot clock.
    pub duration: Duration,
    /// The exit status, or 128 and the number of the signal; `None` for a signal that this system does not have.
    pub exit_code: Option<i32>,
}

/// What a table is made of.
pub(crate) struct Sources<'a> {
    pub(crate) histories: &'a Histories,
    pub(crate) crontabs: &'a CrontabJobs,
    /// Only the jobs of this user are shown.
    pub(crate) only: Option<u32>,
    /// In microseconds since 1970.
    pub(crate) now: i64,
}

/// A job that may be shown.
struct Candidate<'a> {
    owner: u32,
    name: &'a JobName,
    runs: LastRuns,
    open: OpenCounts,
}

/// What decides which jobs are shown: the least come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_users: bool,
    /// Among the jobs of the same user, or among the administrator's.
    place: usize,
    owner: u32,
}

impl Table {
    /// The table without what is not about jobs. `user` gives the name of a user, `is_seen` says whether an interrupted run of a user is
    /// marked as seen.
    pub(crate) fn build(sources: &Sources, user: impl Fn(u32) -> String, is_seen: impl Fn(u32, u128) -> bool) -> Self {
        let mut candidates = candidates(sources, is_seen);
        let found = candidates.len();
        if found > MOST_SHOWN {
            candidates = ranked(candidates, sources.crontabs);
            candidates.truncate(MOST_SHOWN);
        }
        // Two numbers may have one name. Prometheus rejects a page that has the same labels twice.
        let mut rows = BTreeMap::new();
        candidates.sort_by_key(|candidate| candidate.owner);
        for candidate in &candidates {
            let row = row(candidate, sources, user(candidate.owner));
            let key = (row.cluster.clone(), row.user.clone(), row.job.clone());
            rows.entry(key).or_insert(row);
        }
        Self {
            omitted: found - rows.len(),
            rows: rows.into_values().collect(),
            unnamed: sources.crontabs.unnamed,
            unreadable: 0,
        }
    }
}

/// The jobs in crontabs, and those that have run, or run, or were interrupted, lately.
fn candidates<'a>(sources: &Sources<'a>, is_seen: impl Fn(u32, u128) -> bool) -> Vec<Candidate<'a>> {
    let mut known: BTreeSet<(u32, &JobName)> = BTreeSet::new();
    let mut candidates = Vec::new();
    let is_meant = |owner: u32| sources.only.is_none_or(|only| only == owner);
    for (owner, history) in sources.histories.owners.iter().filter(|(owner, _)| is_meant(**owner)) {
        let open = history.count_open(|run| is_seen(*owner, run));
        for (name, runs) in &history.jobs {
            let candidate = Candidate {
                owner: *owner,
                name,
                runs: *runs,
                open: open.get(name).copied().unwrap_or_default(),
            };
            known.insert((*owner, name));
            if sources.crontabs.find(*owner, name).is_some() || candidate.is_recent(sources.now) {
                candidates.push(candidate);
            }
        }
    }
    let new = sources.crontabs.all();
    candidates.extend(
        new.filter(|(owner, name)| is_meant(*owner) && !known.contains(&(*owner, name)))
            .map(|(owner, name)| Candidate {
                owner,
                name,
                runs: LastRuns::default(),
                open: OpenCounts::default(),
            }),
    );
    candidates
}

/// The administrator's jobs first, which are root's and those of system crontabs. Then each user has a job in turn, so that a user with
/// many jobs takes nobody's place. Of one user, jobs in crontabs come first, then those with the newest records.
fn ranked<'a>(candidates: Vec<Candidate<'a>>, crontabs: &CrontabJobs) -> Vec<Candidate<'a>> {
    let mut sorted: Vec<_> = candidates
        .into_iter()
        .map(|candidate| {
            let line = crontabs.find(candidate.owner, candidate.name);
            let is_users = candidate.owner != 0 && line.is_none_or(|line| !line.is_system);
            (is_users, line.is_none(), candidate)
        })
        .collect();
    sorted.sort_by(|one, other| {
        let key = |(is_users, is_unlisted, candidate): &(bool, bool, Candidate<'a>)| {
            let owner = if *is_users { candidate.owner } else { 0 };
            (
                *is_users,
                owner,
                *is_unlisted,
                Reverse(candidate.runs.last_activity()),
                candidate.name,
            )
        };
        key(one).cmp(&key(other))
    });
    let mut ranks = Vec::with_capacity(sorted.len());
    let (mut before, mut place) = (None, 0);
    for (is_users, _, candidate) in sorted {
        let group = is_users.then_some(candidate.owner);
        place = if before == Some(group) { place + 1 } else { 0 };
        before = Some(group);
        let owner = candidate.owner;
        ranks.push((Rank { is_users, place, owner }, candidate));
    }
    ranks.sort_by_key(|(rank, _)| *rank);
    ranks.into_iter().map(|(_, candidate)| candidate).collect()
}

/// What was recorded while the clock was ahead is not shown: on other servers' metrics, it would have the last word for years.
fn row(candidate: &Candidate, sources: &Sources, user: String) -> Row {
    let line = sources.crontabs.find(candidate.owner, candidate.name);
    let is_real = |at: i64| !is_ahead(at, sources.now);
    Row {
        cluster: candidate.name.cluster.to_string(),
        user,
        job: candidate.name.job.to_string(),
        last_start: candidate.runs.start.filter(|at| is_real(*at)),
        last_end: candidate.runs.end.filter(|end| is_real(end.at)),
        last_success: candidate.runs.success.filter(|at| is_real(*at)),
        running: candidate.open.running,
        interrupted: candidate.open.interrupted,
        period: line.and_then(crate::crontabs::CrontabJob::period),
        once_per_tick: line.is_some_and(|line| line.once_per_tick),
    }
}

impl Candidate<'_> {
    fn is_recent(&self, now: i64) -> bool {
        self.open != OpenCounts::default()
            || self
                .runs
                .last_activity()
                .is_some_and(|at| at > now.saturating_sub(KEPT))
    }
}

#[cfg(test)]
mod tests;
