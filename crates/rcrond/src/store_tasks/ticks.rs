//! The ticks of all servers, according to the records in the store: read when an administrator asks for them.

use super::claims_codec as keys;
use super::time_limit::within;
use claims::{EndedTick, Entry, EntryState, FloorRecord, JobKey, JobList, JobRecord, MOST_SLOTS, Outcome};
use control::{AheadReport, TickReport, TickResult, TicksReport};
use inputs::clock;
use lease::ClusterName;
use policy::claim::ClaimId;
use policy::moment::WallTime;
use policy::tick::TickTime;
use std::sync::Arc;
use std::time::Duration;
use store::{Connection, Error, Store};

/// Less than rcronctl waits for its answer.
const LIMIT: Duration = Duration::from_secs(3);
/// How many jobs are read: each has up to 17 records.
const MOST_JOBS: usize = 2000;
/// Of how many jobs the ended ticks are read at once.
const JOBS_AT_ONCE: usize = 50;
/// How many ticks are reported. Each is about 400 bytes in JSON.
const MOST_TICKS: usize = 20_000;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct TicksQuery {
    pub(crate) clusters: Vec<ClusterName>,
    /// Only this user's jobs.
    pub(crate) user: Option<String>,
    pub(crate) job: Option<String>,
    pub(crate) since: Option<WallTime>,
    pub(crate) missed_only: bool,
    pub(crate) max_skew: Duration,
}

impl TicksQuery {
    /// How far ahead of this server's clock right clocks can close ticks: a floor is set twice `max_skew` and 1 s ahead on purpose, and
    /// rounded up to a second, by a clock that may be ahead by `max_skew`.
    fn most_ahead(&self) -> Duration {
        self.max_skew * 3 + Duration::from_secs(2)
    }
}

/// Reads the ticks.
///
/// # Errors
/// The store's, or that it has not answered in time.
pub(crate) async fn read(store: &Arc<dyn Store>, query: &TicksQuery) -> Result<TicksReport, Error> {
    within(LIMIT, async {
        let mut connection = store.connect().await?;
        let mut report = TicksReport::default();
        let jobs = read_jobs(&mut *connection, query, &mut report).await?;
        for some in jobs.chunks(JOBS_AT_ONCE) {
            if report.ticks.len() >= MOST_TICKS {
                report.is_cut = true;
                break;
            }
            add_jobs(&mut *connection, query, some, &mut report).await?;
        }
        report.ticks.sort_by(|one, other| {
            let place = |tick: &TickReport| (tick.cluster.clone(), tick.user.clone(), tick.job.clone(), tick.attempt);
            other.tick.cmp(&one.tick).then_with(|| place(one).cmp(&place(other)))
        });
        Ok(report)
    })
    .await
}

struct JobFound {
    key: JobKey,
    record: JobRecord,
}

/// The jobs that the query is about, with their records.
async fn read_jobs(
    connection: &mut dyn Connection,
    query: &TicksQuery,
    report: &mut TicksReport,
) -> Result<Vec<JobFound>, Error> {
    let lists: Vec<_> = query.clusters.iter().map(keys::jobs).collect();
    let floors = query.clusters.iter().map(keys::floor);
    let all: Vec<_> = lists.iter().cloned().chain(floors).collect();
    let mut items = connection.read(&all).await?.items.into_iter();
    let mut jobs = Vec::new();
    for (cluster, key) in query.clusters.iter().zip(&lists) {
        let Some(item) = items.next().flatten() else { continue };
        let Ok(list) = JobList::parse(&item.value) else {
            report.unreadable.push(unreadable(key));
            continue;
        };
        let is_meant = |(user, job): &&(String, String)| {
            query.user.as_ref().is_none_or(|wanted| wanted == user)
                && query.job.as_ref().is_none_or(|wanted| wanted == job)
        };
        let meant = list.jobs.iter().filter(is_meant);
        jobs.extend(meant.map(|(user, job)| JobKey::new(cluster.clone(), user, job)));
    }
    for (cluster, item) in query.clusters.iter().zip(items) {
        let floor = item.and_then(|item| FloorRecord::parse(&item.value).ok());
        if let Some(floor) = floor {
            report
                .ahead
                .extend(ahead(cluster, None, floor.floor, query.most_ahead()));
        }
    }
    report.is_cut |= jobs.len() > MOST_JOBS;
    jobs.truncate(MOST_JOBS);
    let names: Vec<_> = jobs.iter().map(keys::job).collect();
    let found = connection.read(&names).await?.items;
    let mut records = Vec::new();
    for ((key, name), item) in jobs.into_iter().zip(&names).zip(found) {
        match item.map(|item| JobRecord::parse(&item.value)) {
            Some(Ok(record)) => records.push(JobFound { key, record }),
            Some(Err(_)) => report.unreadable.push(unreadable(name)),
            None => {}
        }
    }
    Ok(records)
}

fn unreadable(key: &str) -> String {
    format!("the record {key} was written by another version of rcron, or by another program")
}

fn ahead(cluster: &ClusterName, key: Option<&JobKey>, closed: TickTime, most: Duration) -> Option<AheadReport> {
    let ahead = closed.wall().0.checked_sub(clock::wall_time().0)?;
    (ahead > most).then(|| AheadReport {
        cluster: cluster.as_str().to_owned(),
        user: key.map(|key| key.user.to_string()),
        job: key.map(|key| key.job.to_string()),
        closed: closed.rfc3339(),
        ahead_ms: milliseconds(ahead),
    })
}

/// Adds the jobs' running and open attempts, and their ended ticks.
async fn add_jobs(
    connection: &mut dyn Connection,
    query: &TicksQuery,
    jobs: &[JobFound],
    report: &mut TicksReport,
) -> Result<(), Error> {
    let is_meant = |tick: TickTime| query.since.is_none_or(|since| tick.wall() >= since);
    let mut slots = Vec::new();
    for JobFound { key, record } in jobs {
        report
            .ahead
            .extend(ahead(&key.cluster, Some(key), record.closed, query.most_ahead()));
        if !query.missed_only {
            let entries = record.entries.iter().filter(|entry| is_meant(entry.tick));
            report.ticks.extend(entries.map(|entry| running(key, entry)));
        }
        let written = u32::try_from(record.written).unwrap_or(u32::MAX).min(MOST_SLOTS);
        slots.extend((0..written).map(|slot| (key, keys::ended(key, slot))));
    }
    let names: Vec<_> = slots.iter().map(|(_, name)| name.clone()).collect();
    for (item, (key, name)) in connection.read(&names).await?.items.into_iter().zip(&slots) {
        match item.map(|item| EndedTick::parse(&item.value)) {
            Some(Ok(tick)) => {
                let is_missed = matches!(tick.outcome, Outcome::Missed(_));
                if is_meant(tick.gap.last) && (is_missed || !query.missed_only) {
                    report.ticks.push(ended(key, &tick));
                }
            }
            Some(Err(_)) => report.unreadable.push(unreadable(name)),
            None => {}
        }
    }
    Ok(())
}

fn running(key: &JobKey, entry: &Entry) -> TickReport {
    let is_started = entry.state != EntryState::NeverStarted;
    TickReport {
        started: is_started.then(|| entry.claimed.rfc3339()),
        late_ms: is_started.then(|| late_ms(entry.tick, entry.claimed)),
        result: match entry.state {
            EntryState::Running => TickResult::Running,
            EntryState::NeverStarted | EntryState::CutOff => TickResult::Open,
        },
        run: Some(entry.run.as_str().to_owned()),
        reruns_left: entry.reruns,
        ..tick(key, entry.tick, entry.attempt, entry.node.as_str())
    }
}

fn ended(key: &JobKey, ended: &EndedTick) -> TickReport {
    let is_started = ended.attempt > 0;
    let (result, code, signal, reason) = match ended.outcome {
        Outcome::Exited(0) => (TickResult::Ok, Some(0), None, None),
        Outcome::Exited(code) => (TickResult::Failed, Some(code), None, None),
        Outcome::Killed(signal) => (TickResult::Killed, None, Some(signal), None),
        Outcome::Interrupted => (TickResult::Interrupted, None, None, None),
        Outcome::Lost => (TickResult::Lost, None, None, None),
        Outcome::Skipped => (TickResult::Skipped, None, None, None),
        Outcome::Missed(reason) => (TickResult::Missed, None, None, Some(reason)),
    };
    TickReport {
        last_tick: ended.gap.last.rfc3339(),
        count: ended.gap.count,
        started: is_started.then(|| ended.at.rfc3339()),
        late_ms: is_started.then(|| late_ms(ended.gap.first, ended.at)),
        lasted_ms: ended.lasted.map(milliseconds),
        result,
        code,
        signal,
        reason: reason.map(|reason| reason.as_str().to_owned()),
        explanation: reason.map(|reason| reason.explanation().to_owned()),
        run: ended.run.as_ref().map(ClaimId::as_str).map(str::to_owned),
        ..tick(key, ended.gap.first, ended.attempt, ended.node.as_str())
    }
}

/// An attempt of which nothing else is known.
fn tick(key: &JobKey, tick: TickTime, attempt: u32, node: &str) -> TickReport {
    TickReport {
        cluster: key.cluster.as_str().to_owned(),
        user: key.user.to_string(),
        job: key.job.to_string(),
        tick: tick.rfc3339(),
        last_tick: tick.rfc3339(),
        count: 1,
        attempt,
        node: node.to_owned(),
        started: None,
        late_ms: None,
        lasted_ms: None,
        result: TickResult::Open,
        code: None,
        signal: None,
        reason: None,
        explanation: None,
        run: None,
        reruns_left: 0,
    }
}

fn late_ms(tick: TickTime, at: WallTime) -> i64 {
    let distance = i64::try_from(at.distance(tick.wall()).as_millis()).unwrap_or(i64::MAX);
    if at < tick.wall() { -distance } else { distance }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
