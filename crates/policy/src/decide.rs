//! Whether the job runs: a function of what the state file said, of the configuration and of the clocks.

use crate::moment::{BootTime, Moment, WallTime};
use crate::state::{Lease, NoState, State, Word};
use core::time::Duration;

/// A lease that claims to last longer than this from now is not believed: none is longer than five minutes.
pub const FARTHEST_LEASE: Duration = Duration::from_secs(600);

/// What reading the state file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The file is there and can be read.
    File {
        /// What its first line says.
        content: Result<State, NoState>,
        /// Its modification time.
        modified: WallTime,
    },
    /// There is no such file.
    Missing,
    /// It is there, but cannot be read: no permission, a directory, a FIFO, a loop of links.
    Unreadable,
}

/// The part of the configuration that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What to take where the state cannot be read.
    pub default_state: Word,
    /// How far from now the file's modification may lie.
    pub state_max_age: Option<Duration>,
    /// Whether only an active state with a valid lease counts.
    pub require_lease: bool,
}

/// What rcron does with the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The job is started.
    Run(Basis),
    /// It is not.
    Skip(Skip),
}

/// What a start rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The state file says so.
    State {
        /// The fencing token to hand to the job.
        epoch: Option<u64>,
        /// When the decision ends if nobody renews it: the lease's end or `state_max_age`, whichever is first.
        expires: Option<BootTime>,
    },
    /// The state cannot be read and `default_state` is active.
    Default,
}

/// Why a job is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The state file says passive.
    Passive,
    /// The state cannot be read and `default_state` is passive.
    PassiveByDefault,
    /// What the file says is not to be believed any more. Passive, whatever `default_state` says.
    Stale(Stale),
    /// Running jobs may end, none is started.
    Draining,
    /// `require_lease`, and the state has none.
    NoLease,
}

/// Why a state is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// `until` is over.
    LeaseEnded,
    /// `boot` names another boot.
    OtherBoot,
    /// `until`, `boot` or `epoch` cannot be read, is given twice, or one of the first two is missing.
    Malformed,
    /// `until` is more than [`FARTHEST_LEASE`] ahead.
    TooFarAhead,
    /// Last modified longer ago than `state_max_age`.
    TooOld,
    /// Last modified further in the future than `state_max_age`.
    FromTheFuture,
    /// `state_max_age` is set and the file is missing or cannot be read, so nothing shows that it is fresh.
    NotThere,
}

impl Reading {
    /// Whether the decision will need [`Moment::boot_id`].
    #[must_use]
    pub fn has_lease(&self) -> bool {
        matches!(
            self,
            Self::File {
                content: Ok(State {
                    lease: Lease::Until { .. },
                    ..
                }),
                ..
            }
        )
    }
}

impl Basis {
    /// The fencing token to hand to the job.
    #[must_use]
    pub const fn epoch(self) -> Option<u64> {
        match self {
            Self::State { epoch, .. } => epoch,
            Self::Default => None,
        }
    }
}

impl Skip {
    /// The word after `reason=`, where the state alone does not say it.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Passive => None,
            Self::PassiveByDefault => Some("default"),
            Self::Stale(_) => Some("stale"),
            Self::Draining => Some("draining"),
            Self::NoLease => Some("no-lease"),
        }
    }
}

impl Stale {
    /// The word after `why=`.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::LeaseEnded => "lease-ended",
            Self::OtherBoot => "other-boot",
            Self::Malformed => "malformed",
            Self::TooFarAhead => "too-far-ahead",
            Self::TooOld => "too-old",
            Self::FromTheFuture => "from-the-future",
            Self::NotThere => "not-there",
        }
    }
}

/// Decides whether a job is started now.
#[must_use]
pub fn decide(reading: &Reading, rules: &Rules, now: &Moment) -> Decision {
    let freshness_ends = match freshness(reading, rules.state_max_age, now) {
        Ok(end) => end,
        Err(reason) => return Decision::Skip(Skip::Stale(reason)),
    };
    let Reading::File { content: Ok(state), .. } = reading else {
        return decide_unread(rules);
    };
    if state.word == Word::Passive {
        return Decision::Skip(Skip::Passive);
    }
    let lease_ends = match lease_end(&state.lease, now) {
        Ok(end) => end,
        Err(reason) => return Decision::Skip(Skip::Stale(reason)),
    };
    if rules.require_lease && lease_ends.is_none() {
        Decision::Skip(Skip::NoLease)
    } else if state.draining {
        Decision::Skip(Skip::Draining)
    } else {
        let expires = [freshness_ends, lease_ends].into_iter().flatten().min();
        Decision::Run(Basis::State {
            epoch: state.epoch,
            expires,
        })
    }
}

/// Whether a job that was started on `basis` may go on after a later decision.
///
/// Only a valid active lets it go on, draining or not. A job that `default_state` started, because the state could not be
/// read, is kept by the same rule for as long as nothing better can be read.
#[must_use]
pub fn may_go_on(basis: Basis, later: Decision) -> bool {
    match later {
        Decision::Run(Basis::State { .. }) | Decision::Skip(Skip::Draining) => true,
        Decision::Run(Basis::Default) => basis == Basis::Default,
        Decision::Skip(_) => false,
    }
}

fn decide_unread(rules: &Rules) -> Decision {
    match rules.default_state {
        _ if rules.require_lease => Decision::Skip(Skip::NoLease),
        Word::Active => Decision::Run(Basis::Default),
        Word::Passive => Decision::Skip(Skip::PassiveByDefault),
    }
}

/// When the file will be too old, on the boot clock; `None` where age does not count.
fn freshness(reading: &Reading, max_age: Option<Duration>, now: &Moment) -> Result<Option<BootTime>, Stale> {
    let Some(max_age) = max_age else {
        return Ok(None);
    };
    let Reading::File { modified, .. } = reading else {
        return Err(Stale::NotThere);
    };
    if modified.distance(now.wall) <= max_age {
        // At exactly `max_age` it is still fresh, so the first moment at which it is not lies a nanosecond later.
        let first_stale = modified
            .0
            .saturating_add(max_age)
            .saturating_add(Duration::from_nanos(1));
        Ok(Some(now.boot.after(first_stale.saturating_sub(now.wall.0))))
    } else if *modified < now.wall {
        Err(Stale::TooOld)
    } else {
        Err(Stale::FromTheFuture)
    }
}

fn lease_end(lease: &Lease, now: &Moment) -> Result<Option<BootTime>, Stale> {
    match lease {
        Lease::None => Ok(None),
        Lease::Malformed => Err(Stale::Malformed),
        Lease::Until { boot, .. } if now.boot_id.as_ref() != Some(boot) => Err(Stale::OtherBoot),
        Lease::Until { end, .. } if *end <= now.boot => Err(Stale::LeaseEnded),
        Lease::Until { end, .. } if end.since(now.boot) > FARTHEST_LEASE => Err(Stale::TooFarAhead),
        Lease::Until { end, .. } => Ok(Some(*end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    const ACTIVE: Decision = Decision::Run(Basis::State {
        epoch: None,
        expires: None,
    });
    const BY_DEFAULT: Decision = Decision::Run(Basis::Default);
    const LAX: Rules = Rules {
        default_state: Word::Active,
        state_max_age: None,
        require_lease: false,
    };
    const SAFE: Rules = Rules {
        default_state: Word::Passive,
        ..LAX
    };
    const LEASED: Rules = Rules {
        require_lease: true,
        ..LAX
    };
    const FRESH: Rules = Rules {
        state_max_age: Some(Duration::from_secs(60)),
        ..LAX
    };

    fn boot(seconds: u64) -> BootTime {
        BootTime(Duration::from_secs(seconds))
    }

    /// The tests' present: 1,000 s after boot "b", 50,000 s after 1970.
    fn now() -> Moment {
        Moment {
            boot: boot(1000),
            wall: WallTime(Duration::from_secs(50_000)),
            boot_id: Some(b"b".to_vec()),
        }
    }

    fn file(line: &str, age: i64) -> Reading {
        let modified = WallTime(Duration::from_secs(50_000u64.saturating_add_signed(-age)));
        Reading::File {
            content: State::parse(line.as_bytes()),
            modified,
        }
    }

    fn decided(line: &str, rules: &Rules) -> Decision {
        decide(&file(line, 0), rules, &now())
    }

    const fn stale(reason: Stale) -> Decision {
        Decision::Skip(Skip::Stale(reason))
    }

    #[test]
    fn the_state_decides_and_the_default_where_there_is_none() {
        let unread = [
            Reading::Missing,
            Reading::Unreadable,
            file("", 0),
            file("junk", 0),
            file("inactive", 0),
        ];
        for rules in [LAX, SAFE] {
            assert_eq!(decided("active", &rules), ACTIVE);
            assert_eq!(decided("passive", &rules), Decision::Skip(Skip::Passive));
        }
        for reading in unread {
            assert_eq!(decide(&reading, &LAX, &now()), BY_DEFAULT, "{reading:?}");
            assert_eq!(
                decide(&reading, &SAFE, &now()),
                Decision::Skip(Skip::PassiveByDefault),
                "{reading:?}"
            );
            assert_eq!(
                decide(&reading, &LEASED, &now()),
                Decision::Skip(Skip::NoLease),
                "{reading:?}"
            );
        }
    }

    #[test]
    fn a_lease_holds_until_its_end_on_its_own_boot() {
        let held = |epoch, end| {
            Decision::Run(Basis::State {
                epoch,
                expires: Some(boot(end)),
            })
        };
        for (line, expected) in [
            ("active until=1001 boot=b", held(None, 1001)),
            ("active until=1600 boot=b epoch=7", held(Some(7), 1600)),
            ("active until=1000 boot=b", stale(Stale::LeaseEnded)),
            ("active until=999.999 boot=b", stale(Stale::LeaseEnded)),
            ("active until=1600.001 boot=b", stale(Stale::TooFarAhead)),
            ("active until=1001 boot=c", stale(Stale::OtherBoot)),
            ("active until=1001", stale(Stale::Malformed)),
            ("active boot=b", stale(Stale::Malformed)),
            ("active epoch=x", stale(Stale::Malformed)),
            ("active until=1001 boot=b draining", Decision::Skip(Skip::Draining)),
            ("active until=999 boot=b draining", stale(Stale::LeaseEnded)),
            ("passive until=999 boot=b", Decision::Skip(Skip::Passive)),
        ] {
            for rules in [LAX, SAFE, LEASED] {
                assert_eq!(decided(line, &rules), expected, "{line}");
            }
        }
        assert_eq!(decided("active draining", &LAX), Decision::Skip(Skip::Draining));
    }

    #[test]
    fn where_a_lease_is_required_no_other_active_counts() {
        for line in ["active", "active epoch=4", "active since monday", "active draining"] {
            assert_eq!(decided(line, &LEASED), Decision::Skip(Skip::NoLease), "{line}");
        }
        assert_eq!(decided("passive", &LEASED), Decision::Skip(Skip::Passive));
    }

    #[test]
    fn a_lease_whose_boot_cannot_be_told_is_stale() {
        let moment = Moment { boot_id: None, ..now() };
        assert_eq!(
            decide(&file("active until=1001 boot=b", 0), &LAX, &moment),
            stale(Stale::OtherBoot)
        );
    }

    #[test]
    fn a_state_may_be_as_old_as_the_configuration_says() {
        let until = |end| {
            Decision::Run(Basis::State {
                epoch: None,
                expires: Some(end),
            })
        };
        let fresh = |end| until(boot(end).after(Duration::from_nanos(1)));
        for (reading, expected) in [
            (file("active", 0), fresh(1060)),
            (file("active", 60), fresh(1000)),
            (file("active", 61), stale(Stale::TooOld)),
            (file("active", -60), fresh(1120)),
            (file("active", -61), stale(Stale::FromTheFuture)),
            (file("active until=1005 boot=b", 0), until(boot(1005))),
            (file("active until=1105 boot=b", 0), fresh(1060)),
            (file("passive", 0), Decision::Skip(Skip::Passive)),
            (file("passive", 61), stale(Stale::TooOld)),
            (file("junk", 0), BY_DEFAULT),
            (file("junk", 61), stale(Stale::TooOld)),
            (Reading::Missing, stale(Stale::NotThere)),
            (Reading::Unreadable, stale(Stale::NotThere)),
        ] {
            assert_eq!(decide(&reading, &FRESH, &now()), expected, "{reading:?}");
        }
    }

    #[test]
    fn a_running_job_needs_what_it_was_started_on() {
        let state = Basis::State {
            epoch: None,
            expires: None,
        };
        for (basis, later, goes_on) in [
            (state, ACTIVE, true),
            (state, Decision::Skip(Skip::Draining), true),
            (state, BY_DEFAULT, false),
            (state, Decision::Skip(Skip::Passive), false),
            (state, Decision::Skip(Skip::PassiveByDefault), false),
            (state, Decision::Skip(Skip::NoLease), false),
            (state, stale(Stale::LeaseEnded), false),
            (Basis::Default, ACTIVE, true),
            (Basis::Default, BY_DEFAULT, true),
            (Basis::Default, Decision::Skip(Skip::Passive), false),
            (Basis::Default, stale(Stale::TooOld), false),
        ] {
            assert_eq!(may_go_on(basis, later), goes_on, "{basis:?} {later:?}");
        }
    }

    fn any_rules() -> impl Strategy<Value = Rules> {
        (any::<bool>(), proptest::option::of(1u64..10_000), any::<bool>()).prop_map(|(active, age, require_lease)| {
            Rules {
                default_state: if active { Word::Active } else { Word::Passive },
                state_max_age: age.map(Duration::from_secs),
                require_lease,
            }
        })
    }

    proptest! {
        #[test]
        fn nothing_runs_past_its_lease(until in 0u64..5000, at in 0u64..5000, rules in any_rules()) {
            let moment = Moment { boot: boot(at), ..now() };
            let reading = file(&format!("active until={until} boot=b"), 0);
            if let Decision::Run(basis) = decide(&reading, &rules, &moment) {
                prop_assert!(until > at);
                let Basis::State { expires: Some(expires), .. } = basis else {
                    return Err(TestCaseError::fail("a lease without an end"));
                };
                prop_assert!(expires <= boot(until));
                let later = Moment { boot: boot(until), ..now() };
                prop_assert!(!may_go_on(basis, decide(&reading, &rules, &later)));
            }
        }

        #[test]
        fn junk_runs_only_where_the_default_allows_it(bytes: alloc::vec::Vec<u8>, rules in any_rules()) {
            let content = State::parse(&bytes);
            prop_assume!(content.is_err());
            let modified = now().wall;
            let decision = decide(&Reading::File { content, modified }, &rules, &now());
            let allowed = rules.default_state == Word::Active && !rules.require_lease;
            prop_assert_eq!(decision == BY_DEFAULT, allowed);
        }
    }
}
