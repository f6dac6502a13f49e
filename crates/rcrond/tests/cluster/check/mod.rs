//! Finds violations in what was recorded. Pure functions.

mod tests;

use policy::moment::BootTime;
use std::collections::BTreeMap;
use std::time::Duration;

/// A content of a state file, and when it was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// The node of the file.
    pub(crate) node: usize,
    pub(crate) content: Content,
    /// It was certainly there from this time.
    pub(crate) first: BootTime,
    /// It was certainly there until this time.
    pub(crate) last: BootTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Active {
        until: BootTime,
        epoch: u64,
    },
    Passive,
    Missing,
    /// Something else, or an `active` that rcron would not accept right after the daemon has written it.
    Junk(String),
}

/// A run, as the job has recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) tick: u64,
    pub(crate) node: usize,
    pub(crate) epoch: u64,
    pub(crate) at: BootTime,
}

/// When the ticks are due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) zero: BootTime,
    /// Between two ticks.
    pub(crate) interval: Duration,
    /// A job that runs later than this after its tick was started too late by this machine, and proves nothing.
    pub(crate) on_time: Duration,
}

impl Schedule {
    pub(crate) fn nominal(&self, tick: u64) -> BootTime {
        self.zero.after(self.interval * u32::try_from(tick).expect("few ticks"))
    }

    fn is_late(&self, run: &Run) -> bool {
        run.at.since(self.nominal(run.tick)) > self.on_time
    }
}

impl Version {
    /// From when until when the content was certainly there and rcron would have started jobs.
    fn certainly_active(&self) -> Option<(BootTime, BootTime)> {
        match self.content {
            Content::Active { until, .. } => Some((self.first, self.last.min(until))).filter(|(from, to)| from < to),
            _ => None,
        }
    }

    fn epoch(&self) -> Option<u64> {
        match self.content {
            Content::Active { epoch, .. } => Some(epoch),
            _ => None,
        }
    }
}

/// A line for each violation.
pub(crate) fn faults(versions: &[Version], runs: &[Run], schedule: &Schedule) -> Vec<String> {
    let mut faults = junk(versions);
    faults.extend(two_active(versions));
    faults.extend(shared_epochs(versions, runs));
    faults.extend(falling_epochs(versions));
    faults.extend(run_twice(runs, schedule));
    faults.extend(falling_runs(runs));
    faults
}

/// How many runs were too late, because this machine is slow.
pub(crate) fn late(runs: &[Run], schedule: &Schedule) -> usize {
    runs.iter().filter(|run| schedule.is_late(run)).count()
}

/// The longest time between two runs, counted from the last run before `since`, and how many ticks were skipped in it.
pub(crate) fn longest_gap(runs: &[Run], since: BootTime) -> Option<(Duration, u64)> {
    let mut times: Vec<_> = runs.iter().map(|run| (run.at, run.tick)).collect();
    times.sort_unstable();
    let begin = times.iter().rposition(|(at, _)| *at < since)?;
    let gaps = times[begin..].windows(2).map(|pair| {
        let skipped = pair[1].1.saturating_sub(pair[0].1 + 1);
        (pair[1].0.since(pair[0].0), skipped)
    });
    gaps.max()
}

/// The shortest time from the end of one holder's activity to the beginning of the next one's.
pub(crate) fn closest(versions: &[Version]) -> Option<Duration> {
    let mut spans: Vec<_> = versions
        .iter()
        .filter_map(|version| version.certainly_active().map(|span| (version.node, span)))
        .collect();
    spans.sort_by_key(|(_, (from, _))| *from);
    let changes = spans.windows(2).filter(|pair| pair[0].0 != pair[1].0);
    changes.map(|pair| pair[1].1.0.since(pair[0].1.1)).min()
}

fn junk(versions: &[Version]) -> Vec<String> {
    let junk = versions.iter().filter_map(|version| match &version.content {
        Content::Junk(text) => Some(format!("node {}'s state file said {text:?}", version.node + 1)),
        _ => None,
    });
    junk.collect()
}

fn two_active(versions: &[Version]) -> Vec<String> {
    let spans: Vec<_> = versions
        .iter()
        .filter_map(|version| version.certainly_active().map(|span| (version, span)))
        .collect();
    let mut found = Vec::new();
    for (index, (one, (from, to))) in spans.iter().enumerate() {
        for (other, (other_from, other_to)) in &spans[index + 1..] {
            let (begin, end) = (*from.max(other_from), *to.min(other_to));
            if one.node != other.node && begin < end {
                found.push(format!(
                    "two active for {:?} from {:?}: {one:?} and {other:?}",
                    end.since(begin),
                    begin.0
                ));
            }
        }
    }
    found
}

fn shared_epochs(versions: &[Version], runs: &[Run]) -> Vec<String> {
    let mut owners = BTreeMap::new();
    let seen = versions
        .iter()
        .filter_map(|version| Some((version.epoch()?, version.node)));
    let mut found = Vec::new();
    for (epoch, node) in seen.chain(runs.iter().map(|run| (run.epoch, run.node))) {
        let owner = *owners.entry(epoch).or_insert(node);
        if owner != node {
            found.push(format!("epoch {epoch} belongs to nodes {} and {}", owner + 1, node + 1));
        }
    }
    found
}

fn falling_epochs(versions: &[Version]) -> Vec<String> {
    let mut seen: Vec<_> = versions
        .iter()
        .filter_map(|version| Some((version.first, version.epoch()?)))
        .collect();
    seen.sort_unstable();
    let falls = seen.windows(2).filter(|pair| pair[1].1 < pair[0].1);
    falls
        .map(|pair| format!("epoch {} was active after epoch {}", pair[1].1, pair[0].1))
        .collect()
}

fn run_twice(runs: &[Run], schedule: &Schedule) -> Vec<String> {
    let mut ticks: BTreeMap<u64, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        ticks.entry(run.tick).or_default().push(run);
    }
    let doubles = ticks.into_iter().filter(|(_, runs)| runs.len() > 1);
    doubles
        .filter(|(_, runs)| !runs.iter().any(|run| schedule.is_late(run)))
        .map(|(tick, runs)| format!("tick {tick} ran {} times: {runs:?}", runs.len()))
        .collect()
}

fn falling_runs(runs: &[Run]) -> Vec<String> {
    let mut runs: Vec<_> = runs.iter().map(|run| (run.tick, run.epoch)).collect();
    runs.sort_unstable();
    let falls = runs.windows(2).filter(|pair| pair[1].1 < pair[0].1);
    falls
        .map(|pair| {
            format!(
                "tick {} ran with epoch {} after epoch {}",
                pair[1].0, pair[1].1, pair[0].1
            )
        })
        .collect()
}
