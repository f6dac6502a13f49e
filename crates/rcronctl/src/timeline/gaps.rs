//! Ticks that no server ran. All times are in milliseconds, those of day since 1970.

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// A pause of this length may be intended (working hours, a quiet night), so it is not called missing without other days.
const LONG: i64 = 3 * HOUR;
/// A run that ended this shortly before a tick may have held the tick up.
const JUST_ENDED: i64 = 2_000;

/// A time in which a job with a period was not started.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) from: i64,
    pub(super) to: i64,
    /// How many ticks are missing, the first and the last at the gap's times; 0 if none may have been due.
    pub(super) missed: usize,
}

/// The ticks of a job that ran, in order.
pub(super) struct Ticks<'a> {
    pub(super) at: &'a [i64],
    pub(super) period: i64,
    /// For each tick: until when it or an earlier one was running.
    pub(super) busy_until: &'a [i64],
    pub(super) now: i64,
}

/// What other days show about a pause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OtherDays {
    RanThen,
    PausedToo,
    NotSeen,
}

impl Ticks<'_> {
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let between = (1..self.at.len()).filter_map(|next| self.before(next));
        between.chain(self.since_the_last()).collect()
    }

    /// The gap before a tick.
    fn before(&self, next: usize) -> Option<Gap> {
        let (from, to) = (self.at[next - 1], self.at[next]);
        let steps = self.steps(to - from);
        if steps < 2 || !self.is_clear(to - from, steps) || self.is_made_up_for(next, steps) {
            return None;
        }
        let missing: Vec<i64> = (1..steps)
            .map(|step| from + (to - from) / steps * step)
            .filter(|tick| self.busy_until[next - 1] < tick - JUST_ENDED)
            .collect();
        let (first, last) = (*missing.first()?, *missing.last()?);
        match (self.other_days(from, to), to - from >= LONG) {
            (OtherDays::PausedToo, _) => None,
            (OtherDays::NotSeen, true) => Some(Gap { from, to, missed: 0 }),
            (OtherDays::RanThen, _) | (OtherDays::NotSeen, false) => Some(Gap {
                from: first,
                to: last,
                missed: missing.len(),
            }),
        }
    }

    /// After the last tick, nothing shows whether more were due: this is a silence, without a number of ticks.
    fn since_the_last(&self) -> Option<Gap> {
        let (from, busy) = (*self.at.last()?, *self.busy_until.last()?);
        let is_due = self.now - from.max(busy) > 2 * self.period + self.period / 4;
        (is_due && self.other_days(from, self.now) != OtherDays::PausedToo).then_some(Gap {
            from,
            to: self.now,
            missed: 0,
        })
    }

    /// A length in periods, rounded.
    fn steps(&self, length: i64) -> i64 {
        (length + self.period / 2) / self.period
    }

    /// A gap that is not a whole number of periods is a late run or a changed clock.
    fn is_clear(&self, length: i64, steps: i64) -> bool {
        (length - steps * self.period).abs() * 4 <= self.period
    }

    /// Whether the tick was just late: then the one after it follows early, and none is missing.
    fn is_made_up_for(&self, next: usize, steps: i64) -> bool {
        let after = self.at.get(next + 1);
        after.is_some_and(|after| self.steps(after - self.at[next - 1]) <= steps)
    }

    /// Compares a pause with the day before and after; one of a day or more, with a week before and after.
    fn other_days(&self, from: i64, to: i64) -> OtherDays {
        let middle = from + (to - from) / 2;
        let apart = if to - from < DAY { DAY } else { 7 * DAY };
        let seen = [middle - apart, middle + apart].map(|then| self.ran_at(then));
        if seen.contains(&Some(true)) {
            OtherDays::RanThen
        } else if seen.contains(&Some(false)) {
            OtherDays::PausedToo
        } else {
            OtherDays::NotSeen
        }
    }

    /// Whether the job was started at about that time; `None` if the ticks do not reach so far.
    fn ran_at(&self, then: i64) -> Option<bool> {
        let (first, last) = (*self.at.first()?, *self.at.last()?);
        if then < first || then > last {
            return None;
        }
        let next = self.at.partition_point(|tick| *tick < then);
        let nearest = [next.checked_sub(1), Some(next)].into_iter().flatten();
        let mut nearest = nearest.filter_map(|index| self.at.get(index));
        Some(nearest.any(|tick| (tick - then).abs() <= self.period * 3 / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn every(period: i64, from: i64, to: i64) -> Vec<i64> {
        (from / period..=to / period).map(|tick| tick * period).collect()
    }

    fn gaps(at: &[i64], period: i64) -> Vec<Gap> {
        busy_gaps(at, at, period, *at.last().expect("ticks"))
    }

    fn busy_gaps(at: &[i64], busy_until: &[i64], period: i64, now: i64) -> Vec<Gap> {
        Ticks {
            at,
            period,
            busy_until,
            now,
        }
        .gaps()
    }

    fn missed(from: i64, to: i64, ticks: usize) -> Vec<Gap> {
        vec![Gap {
            from,
            to,
            missed: ticks,
        }]
    }

    fn quiet(from: i64, to: i64) -> Vec<Gap> {
        missed(from, to, 0)
    }

    #[test]
    fn absent_ticks_are_missed() {
        let minutes = |list: &[i64]| list.iter().map(|at| at * MINUTE).collect::<Vec<_>>();
        for (what, at, expected) in [
            ("none", minutes(&[0, 1, 2, 3]), vec![]),
            ("one", minutes(&[0, 1, 3, 4]), missed(2 * MINUTE, 2 * MINUTE, 1)),
            ("three", minutes(&[0, 1, 5, 6]), missed(2 * MINUTE, 4 * MINUTE, 3)),
            (
                "a late run, the next in time",
                vec![0, MINUTE, 175_000, 3 * MINUTE, 4 * MINUTE],
                vec![],
            ),
            ("half a period more", vec![0, MINUTE, 150_000, 210_000], vec![]),
        ] {
            assert_eq!(gaps(&at, MINUTE), expected, "{what}");
        }
    }

    #[test]
    fn long_run_holds_up_its_own_ticks() {
        let at = [0, MINUTE, 4 * MINUTE, 5 * MINUTE];
        let busy = [0, 4 * MINUTE - 1, 4 * MINUTE, 5 * MINUTE];
        assert_eq!(busy_gaps(&at, &busy, MINUTE, 5 * MINUTE), vec![]);
        let half = [0, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE];
        assert_eq!(
            busy_gaps(&at, &half, MINUTE, 5 * MINUTE),
            missed(3 * MINUTE, 3 * MINUTE, 1)
        );
    }

    #[test]
    fn pause_of_every_day_is_not_a_gap() {
        let period = 10 * MINUTE;
        let days = |days: &[i64]| -> Vec<i64> {
            days.iter()
                .flat_map(|day| every(period, day * DAY + 8 * HOUR, day * DAY + 18 * HOUR))
                .collect()
        };
        assert_eq!(gaps(&days(&[0, 1, 2]), period), vec![]);
        let night = quiet(18 * HOUR, DAY + 8 * HOUR);
        assert_eq!(gaps(&days(&[0, 1]), period), night, "one night alone shows nothing");
    }

    #[test]
    fn long_gap_is_missed_if_other_days_ran() {
        let period = 10 * MINUTE;
        let mut at = every(period, 0, 3 * DAY);
        at.retain(|tick| !(DAY + HOUR..DAY + 6 * HOUR).contains(tick));
        assert_eq!(gaps(&at, period), missed(DAY + HOUR, DAY + 6 * HOUR - period, 30));
    }

    #[test]
    fn weekend_is_compared_with_other_weekends() {
        let mut at = every(HOUR, 0, 20 * DAY);
        at.retain(|tick| (tick / DAY) % 7 < 5);
        assert_eq!(gaps(&at, HOUR), vec![]);
        at.retain(|tick| tick / DAY != 8);
        assert_eq!(gaps(&at, HOUR), missed(8 * DAY, 9 * DAY - HOUR, 24));
    }

    #[test]
    fn daily_runs_across_a_change_of_clocks_are_steady() {
        let at = [0, 24, 49, 73, 97].map(|hour| hour * HOUR);
        assert_eq!(gaps(&at, DAY), vec![]);
    }

    #[test]
    fn silence_at_the_end_has_no_missed_ticks() {
        let at = every(MINUTE, 0, 10 * MINUTE);
        assert_eq!(busy_gaps(&at, &at, MINUTE, 12 * MINUTE), vec![]);
        assert_eq!(
            busy_gaps(&at, &at, MINUTE, 20 * MINUTE),
            quiet(10 * MINUTE, 20 * MINUTE)
        );
        let mut busy = at.clone();
        busy[10] = 20 * MINUTE;
        assert_eq!(busy_gaps(&at, &busy, MINUTE, 20 * MINUTE), vec![], "it still runs");
    }
}
