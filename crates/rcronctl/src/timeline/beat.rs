//! How often a job runs, guessed from when it was started.

/// A job seen less often has no beat: four gaps are the least that a pattern shows in.
const LEAST: usize = 5;
/// No crontab is quicker than a minute; a loop that starts rcron is no tick.
const SHORTEST: i64 = 10_000;
/// Starts on two servers that lie no further apart are of one tick: cron and clocks are that exact.
pub(super) const SAME_TICK: i64 = 5_000;

/// When a run was started, in milliseconds since 1970, and on which server.
pub(super) type Start = (i64, usize);

/// The job's period in milliseconds, only where it is clear. The starts are in order.
pub(super) fn guess(starts: &[Start]) -> Option<i64> {
    steady(&ticks(starts)).or_else(|| of_each_alone(starts))
}

/// The starts without those by which a second server ran the same tick.
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

/// Two servers that both run the job, not quite at once, have no common beat, but each has the same of its own.
fn of_each_alone(starts: &[Start]) -> Option<i64> {
    let servers = starts.iter().map(|&(_, server)| server).max()? + 1;
    let periods: Vec<i64> = (0..servers).filter_map(|server| of_one(starts, server)).collect();
    let first = *periods.first().filter(|_| periods.len() > 1)?;
    periods
        .iter()
        .all(|period| (period - first).abs() <= slack(first))
        .then_some(first)
}

fn of_one(starts: &[Start], server: usize) -> Option<i64> {
    let own: Vec<i64> = starts
        .iter()
        .filter(|start| start.1 == server)
        .map(|start| start.0)
        .collect();
    steady(&own)
}

/// The period, if three of four gaps are as long as the middle one.
fn steady(ticks: &[i64]) -> Option<i64> {
    if ticks.len() < LEAST {
        return None;
    }
    let mut gaps: Vec<i64> = ticks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    let usual = gaps[(gaps.len() - 1) / 2];
    let alike: Vec<i64> = gaps
        .iter()
        .copied()
        .filter(|gap| (gap - usual).abs() <= slack(usual))
        .collect();
    if usual < SHORTEST || alike.len() * 4 < gaps.len() * 3 {
        return None;
    }
    Some(alike.iter().sum::<i64>() / i64::try_from(alike.len()).ok()?)
}

/// How far a gap may be off the period.
fn slack(period: i64) -> i64 {
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
    fn a_steady_job_has_its_period() {
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
            assert_eq!(guess(&on_one(&times)), Some(period), "{what}");
        }
    }

    #[test]
    fn what_is_not_clear_has_none() {
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
            assert_eq!(guess(&on_one(&times)), None, "{what}");
        }
    }

    #[test]
    fn servers_that_take_turns_have_one_beat() {
        let starts: Vec<Start> = (0..6).map(|tick| (tick * MINUTE, usize::from(tick % 2 == 1))).collect();
        assert_eq!(guess(&starts), Some(MINUTE));
    }

    #[test]
    fn two_servers_that_run_every_tick_have_the_beat_of_each() {
        for lag in [0, 3_000, 20_000] {
            let mut starts: Vec<Start> = (0..6)
                .flat_map(|tick| [(tick * MINUTE, 0), (tick * MINUTE + lag, 1)])
                .collect();
            starts.sort_unstable();
            assert_eq!(guess(&starts), Some(MINUTE), "{lag} ms");
        }
    }
}
