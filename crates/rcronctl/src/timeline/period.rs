//! How often a job runs, guessed from when it was started.

/// A pattern needs at least four gaps.
const FEWEST_STARTS: usize = 5;
/// In milliseconds. A crontab starts a job at most every minute; anything faster is a loop, not a schedule.
const SHORTEST: i64 = 10_000;
/// Starts on two servers within this time are one tick, in milliseconds: cron and synchronised clocks are that exact.
pub(super) const SAME_TICK: i64 = 5_000;

/// When a run was started, in milliseconds since 1970, and the index of its server.
pub(super) type Start = (i64, usize);

/// The job's period in milliseconds, if it is clear. The starts are in order.
pub(super) fn guess_period(starts: &[Start]) -> Option<i64> {
    steady_period(&ticks(starts)).or_else(|| period_of_each_server(starts))
}

/// The times of the starts; a start on a second server within [`SAME_TICK`] is left out.
pub(super) fn ticks(starts: &[Start]) -> Vec<i64> {
    let mut ticks: Vec<Start> = Vec::with_capacity(starts.len());
    for &(at, server) in starts {
        match ticks.last() {
            Some(&(before, other)) if other != server && at - before <= SAME_TICK => {}
            _ => ticks.push((at, server)),
        }
    }
    ticks.into_iter().map(|(at, _)| at).collect()
}

/// If two servers both run the job, but not at the same moment, all starts together have no period, although each server has
/// the same one.
fn period_of_each_server(starts: &[Start]) -> Option<i64> {
    let servers = starts.iter().map(|&(_, server)| server).max()? + 1;
    let of_server = |server: usize| {
        let own = starts.iter().filter(|start| start.1 == server);
        steady_period(&own.map(|start| start.0).collect::<Vec<i64>>())
    };
    let periods: Vec<i64> = (0..servers).filter_map(of_server).collect();
    let first = *periods.first().filter(|_| periods.len() > 1)?;
    periods
        .iter()
        .all(|period| (period - first).abs() <= tolerance(first))
        .then_some(first)
}

/// The mean gap, if three of four gaps are about as long as the median.
fn steady_period(ticks: &[i64]) -> Option<i64> {
    if ticks.len() < FEWEST_STARTS {
        return None;
    }
    let mut gaps: Vec<i64> = ticks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    let median = gaps[(gaps.len() - 1) / 2];
    let is_alike = |gap: &i64| (gap - median).abs() <= tolerance(median);
    let alike: Vec<i64> = gaps.iter().copied().filter(is_alike).collect();
    if median < SHORTEST || alike.len() * 4 < gaps.len() * 3 {
        return None;
    }
    Some(alike.iter().sum::<i64>() / i64::try_from(alike.len()).ok()?)
}

/// By how much a gap may differ from the period.
fn tolerance(period: i64) -> i64 {
    (period / 10).max(3_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    fn on_one(times: &[i64]) -> Vec<Start> {
        times.iter().map(|at| (*at, 0)).collect()
    }

    fn every(period: i64, count: i64) -> Vec<i64> {
        (0..count).map(|tick| tick * period).collect()
    }

    #[test]
    fn steady_starts_have_a_period() {
        for (what, times, period) in [
            ("minutes", every(MINUTE, 5), MINUTE),
            ("days", every(24 * HOUR, 6), 24 * HOUR),
            (
                "one missing",
                [every(MINUTE, 3), vec![4 * MINUTE, 5 * MINUTE]].concat(),
                MINUTE,
            ),
            (
                "clocks are put back",
                [0, 24, 49, 73, 97].map(|hour| hour * HOUR).to_vec(),
                24 * HOUR + HOUR / 4,
            ),
            ("jitter", vec![0, 61_000, 119_500, 180_900, 240_000], MINUTE),
            (
                "the hour's odd rest",
                [0, 7, 14, 21, 28, 35, 42, 49, 56, 60].map(|at| at * MINUTE).to_vec(),
                7 * MINUTE,
            ),
        ] {
            assert_eq!(guess_period(&on_one(&times)), Some(period), "{what}");
        }
    }

    #[test]
    fn unclear_starts_have_no_period() {
        for (what, times) in [
            ("nothing", vec![]),
            ("four times", every(MINUTE, 4)),
            (
                "twice an hour, unevenly",
                [0, 20, 60, 80, 120, 140].map(|at| at * MINUTE).to_vec(),
            ),
            ("by hand", vec![0, 50_000, 300_000, 310_000, 2_000_000, 9_000_000]),
            ("a loop", every(1_000, 50)),
        ] {
            assert_eq!(guess_period(&on_one(&times)), None, "{what}");
        }
    }

    #[test]
    fn servers_that_take_turns_have_one_period() {
        let starts: Vec<Start> = (0..6).map(|tick| (tick * MINUTE, usize::from(tick % 2 == 1))).collect();
        assert_eq!(guess_period(&starts), Some(MINUTE));
    }

    #[test]
    fn two_servers_that_run_every_tick_have_the_period_of_each() {
        for lag in [0, 3_000, 20_000] {
            let mut starts: Vec<Start> = (0..6)
                .flat_map(|tick| [(tick * MINUTE, 0), (tick * MINUTE + lag, 1)])
                .collect();
            starts.sort_unstable();
            assert_eq!(guess_period(&starts), Some(MINUTE), "{lag} ms");
        }
    }
}
