//! Whether the job runs: a function of the state file, the configuration and the clocks.

use crate::moment::{BootTime, Moment, WallTime};
use crate::state::{Lease, NoState, State, Word};
use core::time::Duration;

/// A lease that ends further ahead than this is stale: no writer gives a lease of more than five minutes.
pub const FARTHEST_LEASE: Duration = Duration::from_secs(600);

/// The result of reading the state file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The file can be read.
    File {
        /// The state in its first line.
        content: Result<State, NoState>,
        /// Its modification time.
        modified: WallTime,
    },
    /// The path leads to a file that has been removed or replaced, through a mount of the single file.
    Removed,
    /// There is no such file.
    Missing,
    /// The file exists but cannot be read: no permission, a directory, a FIFO, a loop of links.
    Unreadable,
}

/// The part of the configuration that the decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The state if the file cannot be read.
    pub default_state: Word,
    /// How far from now the file's modification time may be.
    pub state_max_age: Option<Duration>,
    /// Whether only an active state with a valid lease counts.
    pub require_lease: bool,
    /// Whether a job needs a grant besides. Then a shared state with a valid lease also permits its start.
    pub once_per_tick: bool,
}

/// Whether the job is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The job is started.
    Run(Basis),
    /// The job is not started.
    Skip(Skip),
}

/// What a start is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The state file says `active`; or `shared`, for a job with `once_per_tick`.
    State {
        /// The fencing token to hand to the job. A shared state has none.
        epoch: Option<u64>,
        /// When the decision expires unless the file is renewed: the lease's end or `state_max_age`, whichever is first.
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
    /// The state is no longer valid: passive, whatever `default_state` says.
    Stale(Stale),
    /// Running jobs continue, no job is started.
    Draining,
    /// `require_lease` is set, and the state has no lease.
    NoLease,
}

/// Why a state is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// `until` has passed.
    LeaseEnded,
    /// `boot` names another boot.
    OtherBoot,
    /// The ID of this boot is unknown, so that it cannot be compared with `boot`.
    UnknownBoot,
    /// `until`, `boot` or `epoch` is malformed or given twice, or `until` or `boot` is missing.
    Malformed,
    /// `until` is more than [`FARTHEST_LEASE`] ahead.
    TooFarAhead,
    /// Last modified longer ago than `state_max_age`.
    TooOld,
    /// Last modified further in the future than `state_max_age`.
    FromTheFuture,
    /// The file has been removed or replaced: what a mount of the single file still shows is out of date.
    Removed,
    /// `state_max_age` is set and the file cannot be read, so that its age is unknown.
    NotThere,
}

impl Reading {
    /// Whether the decision needs [`Moment::boot_id`], which costs a reading of `/proc`.
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

impl Reading {
    /// Whether the state is the one of a grant: it has this [identity](State::identity).
    #[must_use]
    pub fn has_identity(&self, lease: &str) -> bool {
        match self {
            Self::File { content: Ok(state), .. } => state.identity().as_deref() == Some(lease),
            _ => false,
        }
    }
}

impl Basis {
    /// When the decision expires unless the file is renewed.
    #[must_use]
    pub const fn expires(self) -> Option<BootTime> {
        match self {
            Self::State { expires, .. } => expires,
            Self::Default => None,
        }
    }

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
    /// The word after `reason=`; `None` for plain `passive`.
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
            Self::OtherBoot | Self::UnknownBoot => "other-boot",
            Self::Malformed => "malformed",
            Self::TooFarAhead => "too-far-ahead",
            Self::TooOld => "too-old",
            Self::FromTheFuture => "from-the-future",
            Self::Removed => "removed",
            Self::NotThere => "not-there",
        }
    }
}

/// Decides whether a job is started now.
#[must_use]
pub fn decide(reading: &Reading, rules: &Rules, now: &Moment) -> Decision {
    if *reading == Reading::Removed {
        return Decision::Skip(Skip::Stale(Stale::Removed));
    }
    let freshness_ends = match freshness(reading, rules.state_max_age, now) {
        Ok(end) => end,
        Err(reason) => return Decision::Skip(Skip::Stale(reason)),
    };
    let Reading::File { content: Ok(state), .. } = reading else {
        return decide_unread(rules);
    };
    let is_shared = rules.once_per_tick && state.shared.is_some();
    if state.word == Word::Passive && !is_shared {
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
/// It may while the state is a valid `active`, draining or not; with `once_per_tick`, while it is a valid `shared`, too. A job that
/// `default_state` started may also continue while the state still cannot be read. A job with `rerun` asks [`grant_lasts`] instead.
#[must_use]
pub fn may_go_on(basis: Basis, later: Decision) -> bool {
    match later {
        Decision::Run(Basis::State { .. }) | Decision::Skip(Skip::Draining) => true,
        Decision::Run(Basis::Default) => basis == Basis::Default,
        Decision::Skip(_) => false,
    }
}

/// Whether a job with `rerun`, which has the grant of `lease`, may go on: [`may_go_on`], and the state is still the grant's.
///
/// `later` is the decision on `reading`, with the same clocks. `lease` is [`Grant::lease`](crate::claim::Grant::lease). A server that
/// has lost its lease and regained it has another epoch, or another session: the attempt counts as lost by then, and another server
/// may have begun the next one.
///
/// Before the start the question is another one: [`decide`] must say [`Decision::Run`], and [`Reading::has_identity`] must hold.
#[must_use]
pub fn grant_lasts(basis: Basis, later: Decision, reading: &Reading, lease: &str) -> bool {
    may_go_on(basis, later) && reading.has_identity(lease)
}

fn decide_unread(rules: &Rules) -> Decision {
    match rules.default_state {
        _ if rules.require_lease => Decision::Skip(Skip::NoLease),
        Word::Active => Decision::Run(Basis::Default),
        Word::Passive => Decision::Skip(Skip::PassiveByDefault),
    }
}

/// When the file will be too old, on the boot clock; `None` without `state_max_age`.
fn freshness(reading: &Reading, max_age: Option<Duration>, now: &Moment) -> Result<Option<BootTime>, Stale> {
    let Some(max_age) = max_age else {
        return Ok(None);
    };
    let Reading::File { modified, .. } = reading else {
        return Err(Stale::NotThere);
    };
    if modified.distance(now.wall) <= max_age {
        // At exactly `max_age` the file is still fresh: it becomes stale a nanosecond later.
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
        Lease::Until { .. } if now.boot_id.is_none() => Err(Stale::UnknownBoot),
        Lease::Until { boot, .. } if now.boot_id.as_ref() != Some(boot) => Err(Stale::OtherBoot),
        Lease::Until { end, .. } if *end <= now.boot => Err(Stale::LeaseEnded),
        Lease::Until { end, .. } if end.since(now.boot) > FARTHEST_LEASE => Err(Stale::TooFarAhead),
        Lease::Until { end, .. } => Ok(Some(*end)),
    }
}

#[cfg(test)]
mod tests;
