//! The spans of time a lease is made of. docs/design/lease.md derives them.

use core::time::Duration;

/// A lease between 1 s and 5 min, in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeaseDuration(Duration);

/// A cluster's spans. One that is wrong cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    lease: LeaseDuration,
    settle: Duration,
    grace: Duration,
    preempt_delay: Duration,
}

/// What is wrong with a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTiming {
    /// The lease is shorter than 1 s, longer than 5 min, or has a part of a millisecond.
    Lease,
    /// `settle` is longer than a minute.
    Settle,
    /// `grace` is longer than an hour.
    Grace,
    /// `preempt_delay` is longer than a day.
    PreemptDelay,
}

impl LeaseDuration {
    /// The shortest lease.
    pub const SHORTEST: Self = Self(Duration::from_secs(1));
    /// The longest one. `decide::FARTHEST_LEASE` refuses an end that is further away than twice that.
    pub const LONGEST: Self = Self(Duration::from_secs(300));

    /// Takes a lease that is neither too short nor too long.
    #[must_use]
    pub fn new(lease: Duration) -> Option<Self> {
        let term = Self(lease);
        let fits = (Self::SHORTEST..=Self::LONGEST).contains(&term) && lease.subsec_nanos() % 1_000_000 == 0;
        fits.then_some(term)
    }

    /// The lease as it was given.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// The lease in milliseconds.
    #[must_use]
    pub fn milliseconds(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Two clocks with rates wrong by 1 % need more than 1 % of the lease on each side; this is twice that, and what the
    /// start of a job takes.
    #[must_use]
    pub fn margin(self) -> Duration {
        self.0 / 50 + Duration::from_millis(20)
    }

    /// How long the holder may be active, from before it asked.
    #[must_use]
    pub fn keep(self) -> Duration {
        self.0.saturating_sub(self.margin())
    }

    /// How long a candidate waits, from after it was answered.
    #[must_use]
    pub fn wait(self) -> Duration {
        self.0 + self.margin()
    }

    /// After how long a holder renews, and how long others leave a free cluster to the handover_target.
    #[must_use]
    pub fn third(self) -> Duration {
        self.0 / 3
    }

    /// How often a candidate looks if nothing tells it of changes: so that a crash is noticed within 1.1 leases and 1 s.
    #[must_use]
    pub fn poll(self) -> Duration {
        self.third().min(self.0 / 16 + Duration::from_millis(500))
    }

    /// How long a call to the store may take.
    #[must_use]
    pub fn call_limit(self) -> Duration {
        (self.0 / 10).clamp(Duration::from_millis(250), Duration::from_secs(5))
    }
}

impl Timing {
    /// Takes spans that make a lease.
    ///
    /// # Errors
    /// [`BadTiming`] names the first that does not.
    pub fn new(lease: Duration, settle: Duration, grace: Duration, preempt_delay: Duration) -> Result<Self, BadTiming> {
        let lease = LeaseDuration::new(lease).ok_or(BadTiming::Lease)?;
        if settle > Duration::from_secs(60) {
            return Err(BadTiming::Settle);
        }
        if grace > Duration::from_secs(60 * 60) {
            return Err(BadTiming::Grace);
        }
        if preempt_delay > Duration::from_secs(24 * 60 * 60) {
            return Err(BadTiming::PreemptDelay);
        }
        Ok(Self {
            lease,
            settle,
            grace,
            preempt_delay,
        })
    }

    /// The lease.
    #[must_use]
    pub const fn lease(&self) -> LeaseDuration {
        self.lease
    }

    /// How long after winning from another node the state becomes active: cron's jitter and the wall clocks' skew.
    #[must_use]
    pub const fn settle(&self) -> Duration {
        self.settle
    }

    /// How long the jobs of a holder that is active no more may still run.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        self.grace
    }

    /// How long a node must have been fit before it asks one of lower priority for the cluster.
    #[must_use]
    pub const fn preempt_delay(&self) -> Duration {
        self.preempt_delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(span: u64) -> Duration {
        Duration::from_millis(span)
    }

    #[test]
    fn wrong_timings_cannot_be_made() {
        let none = Duration::ZERO;
        for (lease, settle, grace, delay, wrong) in [
            (ms(999), none, none, none, BadTiming::Lease),
            (ms(300_001), none, none, none, BadTiming::Lease),
            (Duration::from_micros(1_000_001), none, none, none, BadTiming::Lease),
            (Duration::MAX, none, none, none, BadTiming::Lease),
            (ms(1000), ms(60_001), none, none, BadTiming::Settle),
            (ms(1000), none, ms(3_600_001), none, BadTiming::Grace),
            (ms(1000), none, none, Duration::MAX, BadTiming::PreemptDelay),
        ] {
            assert_eq!(Timing::new(lease, settle, grace, delay), Err(wrong));
        }
        assert!(Timing::new(ms(1000), ms(60_000), none, none).is_ok());
        assert!(Timing::new(ms(300_000), none, none, none).is_ok());
    }

    proptest! {
        #[test]
        fn no_two_clocks_within_one_percent_can_overlap(lease in 1000u64..=300_000) {
            let term = LeaseDuration::new(ms(lease)).expect("a lease");
            let longest_kept = term.keep().as_nanos() * 100 / 99;
            let shortest_wait = term.wait().as_nanos() * 100 / 101;
            let room = Duration::from_nanos(u64::try_from(shortest_wait - longest_kept).expect("little"));
            prop_assert!(room >= ms(38) + term.get() / 51, "{room:?}");
        }

        #[test]
        fn a_crash_is_noticed_within_a_tenth_of_a_lease_and_a_second(lease in 1000u64..=300_000) {
            let term = LeaseDuration::new(ms(lease)).expect("a lease");
            let slowest = (term.wait() + term.poll()) * 100 / 99 + ms(100);
            prop_assert!(slowest <= term.get() * 11 / 10 + ms(1000), "{slowest:?}");
        }

        #[test]
        fn a_renewal_may_fail_once_and_come_in_time(lease in 1000u64..=300_000) {
            let term = LeaseDuration::new(ms(lease)).expect("a lease");
            prop_assert!(term.third() + term.call_limit() * 2 < term.keep());
        }
    }
}
