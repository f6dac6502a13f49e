//! What must never have been: a pure function of what was seen.

mod tests;

use policy::moment::BootTime;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a state file said for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Whose file.
    pub(crate) node: usize,
    pub(crate) says: Says,
    /// It was certainly there from here.
    pub(crate) first: BootTime,
    /// To here.
    pub(crate) last: BootTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Active {
        until: BootTime,
        epoch: u64,
    },
    Passive,
    Missing,
    /// Neither, or an `active` that rcron would not believe though the daemon wrote it just now.
    Junk(String),
}

/// A job's own report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) tick: u64,
    pub(crate) node: usize,
    pub(crate) epoch: u64,
    pub(crate) at: BootTime,
}

/// The nominal ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    pub(crate) zero: BootTime,
    pub(crate) span: Duration,
    /// A job that reports later than this after its tick was started too late, by this machine, to show anything.
    pub(crate) on_time: Duration,
}

impl Beat {
    pub(crate) fn nominal(&self, tick: u64) -> BootTime {
        self.zero.after(self.span * u32::try_from(tick).expect("few ticks"))
    }

    fn is_late(&self, run: &Run) -> bool {
        run.at.since(self.nominal(run.tick)) > self.on_time
    }
}

impl Version {
    /// From when to when it certainly was there, and rcron would have started jobs.
    fn certainly_active(&self) -> Option<(BootTime, BootTime)> {
        match self.says {
            Says::Active { until, .. } => Some((self.first, self.last.min(until))).filter(|(from, to)| from < to),
            _ => None,
        }
    }

    fn epoch(&self) -> Option<u64> {
        match self.says {
            Says::Active { epoch, .. } => Some(epoch),
            _ => None,
        }
    }
}

/// Everything that is wrong with what was seen, a line each.
pub(crate) fn faults(versions: &[Version], runs: &[Run], beat: &Beat) -> Vec<String> {
    let mut faults = junk(versions);
    faults.extend(two_active(versions));
    faults.extend(shared_epochs(versions, runs));
    faults.extend(falling_epochs(versions));
    faults.extend(run_twice(runs, beat));
    faults.extend(falling_runs(runs));
    faults
}

/// Ticks that this machine was too slow for.
pub(crate) fn late(runs: &[Run], beat: &Beat) -> usize {
    runs.iter().filter(|run| beat.is_late(run)).count()
}

/// The longest time without a run from the last one before this moment to the last one of all, and how many ticks were skipped
/// in it.
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

/// From the end of one holder's activity to the beginning of the next one's, the shortest.
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
    let junk = versions.iter().filter_map(|version| match &version.says {
        Says::Junk(text) => Some(format!("node {}'s state file said {text:?}", version.node + 1)),
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

fn run_twice(runs: &[Run], beat: &Beat) -> Vec<String> {
    let mut ticks: BTreeMap<u64, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        ticks.entry(run.tick).or_default().push(run);
    }
    let doubles = ticks.into_iter().filter(|(_, runs)| runs.len() > 1);
    doubles
        .filter(|(_, runs)| !runs.iter().any(|run| beat.is_late(run)))
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
