//! What must never have been: a pure function of what was seen.

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

/// A checker that finds nothing in made-up disasters would find nothing in real ones.
#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Beat = Beat {
        zero: BootTime(Duration::from_secs(100)),
        span: Duration::from_millis(100),
        on_time: Duration::from_millis(900),
    };

    fn at(millis: u64) -> BootTime {
        BootTime(Duration::from_millis(millis))
    }

    fn active(node: usize, epoch: u64, first: u64, last: u64, until: u64) -> Version {
        Version {
            node,
            says: Says::Active {
                until: at(until),
                epoch,
            },
            first: at(first),
            last: at(last),
        }
    }

    fn run(tick: u64, node: usize, epoch: u64) -> Run {
        let at = BEAT.nominal(tick).after(Duration::from_millis(300));
        Run { tick, node, epoch, at }
    }

    #[test]
    fn an_orderly_history_has_no_faults() {
        let passive = Version {
            node: 1,
            says: Says::Passive,
            first: at(0),
            last: at(5000),
        };
        let versions = [
            passive,
            active(0, 1, 1000, 2000, 3000),
            active(0, 1, 2001, 9000, 4000),
            active(1, 2, 5001, 6000, 7000),
        ];
        let runs = [run(1, 0, 1), run(2, 0, 1), run(9, 1, 2)];
        assert_eq!(faults(&versions, &runs, &BEAT), Vec::<String>::new());
        assert_eq!(closest(&versions), Some(Duration::from_millis(1001)));
    }

    #[test]
    fn two_that_are_active_at_once_are_found() {
        let versions = [active(0, 1, 1000, 9000, 4000), active(1, 2, 3999, 6000, 7000)];
        let faults = faults(&versions, &[], &BEAT);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("two active for 1ms"), "{faults:?}");
        assert_eq!(closest(&versions), Some(Duration::ZERO));
    }

    #[test]
    fn a_file_that_stands_with_its_lease_over_is_not_active() {
        let versions = [active(0, 1, 1000, 9000, 4000), active(1, 2, 4000, 6000, 7000)];
        assert_eq!(two_active(&versions), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_was_replaced_before_its_lease_was_over_is_not_active_any_more() {
        let versions = [active(0, 1, 1000, 3000, 4000), active(1, 2, 3001, 6000, 7000)];
        assert_eq!(two_active(&versions), Vec::<String>::new());
    }

    #[test]
    fn a_tick_that_runs_twice_is_found() {
        let faults = faults(&[], &[run(1, 0, 1), run(2, 0, 1), run(2, 1, 2)], &BEAT);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("tick 2 ran 2 times"), "{faults:?}");
    }

    #[test]
    fn a_start_that_the_machine_delayed_beyond_the_jitter_shows_nothing() {
        let mut late = run(2, 1, 2);
        late.at = BEAT.nominal(2).after(Duration::from_millis(901));
        let runs = [run(2, 0, 1), late];
        assert_eq!(run_twice(&runs, &BEAT), Vec::<String>::new());
        assert_eq!(super::late(&runs, &BEAT), 1);
    }

    #[test]
    fn an_epoch_of_two_nodes_is_found() {
        let versions = [active(0, 7, 1000, 2000, 3000)];
        let faults = faults(&versions, &[run(1, 1, 7)], &BEAT);
        assert_eq!(faults, ["epoch 7 belongs to nodes 1 and 2"]);
    }

    #[test]
    fn an_epoch_that_falls_is_found() {
        let versions = [active(0, 7, 1000, 2000, 3000), active(1, 6, 4000, 5000, 6000)];
        assert_eq!(faults(&versions, &[], &BEAT), ["epoch 6 was active after epoch 7"]);
        let runs = [run(1, 0, 7), run(20, 1, 6)];
        assert_eq!(faults(&[], &runs, &BEAT), ["tick 20 ran with epoch 6 after epoch 7"]);
    }

    #[test]
    fn the_longest_gap_counts_from_the_last_run_before() {
        let runs = [run(1, 0, 1), run(20, 0, 1), run(30, 1, 2), run(31, 1, 2), run(32, 1, 2)];
        let between = BEAT.nominal(25);
        assert_eq!(longest_gap(&runs, between), Some((Duration::from_secs(1), 9)));
        assert_eq!(longest_gap(&runs[..1], BEAT.zero), None);
    }

    #[test]
    fn half_a_state_is_found() {
        let half = Version {
            node: 2,
            says: Says::Junk("activ".to_owned()),
            first: at(1),
            last: at(1),
        };
        assert_eq!(faults(&[half], &[], &BEAT), [r#"node 3's state file said "activ""#]);
    }
}
