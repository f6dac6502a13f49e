//! The durations that a lease is made of. docs/design/lease.md ("Time") derives them.

use core::time::Duration;
use policy::moment::BootTime;

/// The time of the boot: a moment that has passed.
pub(super) const BOOT: BootTime = BootTime(Duration::ZERO);

/// A lease: 1 s to 5 min, in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeaseDuration(Duration);

/// A cluster's durations, each within its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    lease: LeaseDuration,
    settle: Duration,
    grace: Duration,
    preempt_delay: Duration,
}

/// Which duration is outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTiming {
    /// The lease is shorter than 1 s, longer than 5 min, or not in whole milliseconds.
    Lease,
    /// `settle` is longer than a minute.
    Settle,
    /// `grace` is longer than an hour.
    Grace,
    /// `preempt_delay` is longer than a day.
    PreemptDelay,
}

impl LeaseDuration {
    /// 1 s.
    pub const SHORTEST: Self = Self(Duration::from_secs(1));
    /// 5 min. `policy::decide::FARTHEST_LEASE` rejects an `until` that is more than twice that ahead.
    pub const LONGEST: Self = Self(Duration::from_secs(300));

    /// `None` if the lease is outside its limits.
    #[must_use]
    pub fn new(lease: Duration) -> Option<Self> {
        let duration = Self(lease);
        let fits = (Self::SHORTEST..=Self::LONGEST).contains(&duration) && lease.subsec_nanos() % 1_000_000 == 0;
        fits.then_some(duration)
    }

    /// The lease as it is configured: L.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// The lease as records have it.
    #[must_use]
    pub fn milliseconds(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Two clocks whose rates are wrong by 1 % need more than 1 % of the lease on each side. This is twice that, and 20 ms for the
    /// start of a job.
    #[must_use]
    pub fn margin(self) -> Duration {
        self.0 / 50 + Duration::from_millis(20)
    }

    /// How long the holder may be active, counted from before it sent the read.
    #[must_use]
    pub fn active_duration(self) -> Duration {
        self.0.saturating_sub(self.margin())
    }

    /// How long a candidate waits, counted from after its read returned. `grace` is added to this.
    #[must_use]
    pub fn wait_duration(self) -> Duration {
        self.0 + self.margin()
    }

    /// How often a holder renews, and for how long other nodes leave a free cluster to its `handover_target`.
    #[must_use]
    pub fn third(self) -> Duration {
        self.0 / 3
    }

    /// How often a candidate reads while no watch hints at changes. It notices a crash within 1.1 leases and 1 s.
    #[must_use]
    pub fn poll_interval(self) -> Duration {
        self.third().min(self.0 / 16 + Duration::from_millis(500))
    }

    /// After this time a call to the store counts as unanswered.
    #[must_use]
    pub fn call_limit(self) -> Duration {
        (self.0 / 10).clamp(Duration::from_millis(250), Duration::from_secs(5))
    }
}

impl Timing {
    /// Checks the limits.
    ///
    /// # Errors
    /// The first duration that is outside its limits.
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

    /// The lease as it is configured. A record can have another one while a configuration is rolled out.
    #[must_use]
    pub const fn lease(&self) -> LeaseDuration {
        self.lease
    }

    /// How long after a takeover from another node the state becomes active: for late crons and wall clocks that differ.
    #[must_use]
    pub const fn settle(&self) -> Duration {
        self.settle
    }

    /// How long the jobs of the old holder may still run after it can no longer be active.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        self.grace
    }

    /// How long a node must have been able to win before it asks a holder of lower priority for the cluster.
    #[must_use]
    pub const fn preempt_delay(&self) -> Duration {
        self.preempt_delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
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
            let duration = LeaseDuration::new(ms(lease)).expect("a lease");
            let longest_kept = duration.active_duration().as_nanos() * 100 / 99;
            let shortest_wait = duration.wait_duration().as_nanos() * 100 / 101;
            let room = Duration::from_nanos(u64::try_from(shortest_wait - longest_kept).expect("a few minutes"));
            prop_assert!(room >= ms(38) + duration.get() / 51, "{room:?}");
        }

        #[test]
        fn a_crash_is_noticed_within_a_tenth_of_a_lease_and_a_second(lease in 1000u64..=300_000) {
            let duration = LeaseDuration::new(ms(lease)).expect("a lease");
            let slowest = (duration.wait_duration() + duration.poll_interval()) * 100 / 99 + ms(100);
            prop_assert!(slowest <= duration.get() * 11 / 10 + ms(1000), "{slowest:?}");
        }

        #[test]
        fn a_renewal_may_fail_once_and_come_in_time(lease in 1000u64..=300_000) {
            let duration = LeaseDuration::new(ms(lease)).expect("a lease");
            prop_assert!(duration.third() + duration.call_limit() * 2 < duration.active_duration());
        }
    }
}
