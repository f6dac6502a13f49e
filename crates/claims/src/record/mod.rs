//! The records that the machine keeps in a store.

mod text;

use super::message::{Gap, MissReason};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use lease::{Incarnation, LeaseDuration, NodeName, SessionId};
use policy::claim::ClaimId;
use policy::moment::WallTime;
use policy::tick::TickTime;
pub use text::{FORMATS, Unreadable};

/// How many attempts of a job may run at once. A further tick is skipped.
pub const MOST_ENTRIES: usize = 16;

/// How many ended ticks are kept.
pub const MOST_SLOTS: u32 = 16;

/// Ticks up to the floor are never started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloorRecord {
    /// The incarnation of the store that the floor was set in; `None` if it has none.
    pub incarnation: Option<Incarnation>,
    /// The floor.
    pub floor: TickTime,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// The latest tick that was claimed, skipped or missed.
    pub closed: TickTime,
    /// How many ended ticks were ever written. The next one's slot is this modulo [`MOST_SLOTS`].
    pub written: u64,
    /// The last ended tick; `None` if there was none.
    pub last: Option<LastTick>,
    /// Attempts that run or are open, the oldest first: at most [`MOST_ENTRIES`].
    pub entries: Vec<Entry>,
}

/// What a waiting rcron must know of the last ended tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastTick {
    /// The tick; of a gap, the last.
    pub tick: TickTime,
    /// The node that started it; `None` if none did.
    pub node: Option<NodeName>,
    /// How it ended.
    pub outcome: Outcome,
}

/// An attempt that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The tick.
    pub tick: TickTime,
    /// 1, 2, …
    pub attempt: u32,
    /// Whether it runs.
    pub state: EntryState,
    /// The claimer's node.
    pub node: NodeName,
    /// The claimer's session.
    pub session: SessionId,
    /// The claimer's lease.
    pub lease: LeaseDuration,
    /// The claimer's `grace`.
    pub grace: Duration,
    /// The run.
    pub run: ClaimId,
    /// How many more times the tick may be started after a loss.
    pub reruns: u32,
    /// When it was claimed, by the claimer's wall clock.
    pub claimed: WallTime,
}

/// Whether an attempt runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// It was granted, and perhaps started.
    Running,
    /// It was given back without a start: the tick was never started.
    NeverStarted,
    /// It was started, and ended because its server stopped being active. It may be started again.
    CutOff,
}

/// How a tick ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The job exited with this status; 0 is success.
    Exited(u8),
    /// A signal of this number killed the job.
    Killed(i32),
    /// The server was lost, or the job was ended because its server stopped being active.
    Interrupted,
    /// The run's rcron was gone, so that its end is not known.
    Lost,
    /// Not started, because an earlier tick was still running.
    Skipped,
    /// Not started by any server.
    Missed(MissReason),
}

/// How an attempt, or a gap of ticks, ended: for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedTick {
    /// Which ticks; one, except for missed ones.
    pub gap: Gap,
    /// 1, 2, …; 0 if it was not started.
    pub attempt: u32,
    /// The node that started it, or that recorded that none did.
    pub node: NodeName,
    /// The run, if there was one.
    pub run: Option<ClaimId>,
    /// When it was claimed, or found missed, by the node's wall clock.
    pub at: WallTime,
    /// From start to end, if it is known.
    pub lasted: Option<Duration>,
    /// How it ended.
    pub outcome: Outcome,
}

/// The users and names of all jobs of a cluster that have a record, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobList {
    /// User and job.
    pub jobs: Vec<(String, String)>,
}

impl JobList {
    /// The longest record, in bytes: below what a store takes as one value.
    const LONGEST: usize = 60_000;
    /// How many jobs a user other than root may have in a cluster.
    pub const MOST_OF_A_USER: usize = 200;

    /// The list with this job; `None` if it does not fit.
    #[must_use]
    pub fn with(&self, user: &str, job: &str) -> Option<Self> {
        let own = self.jobs.iter().filter(|(owner, _)| owner == user).count();
        if user != "root" && own >= Self::MOST_OF_A_USER {
            return None;
        }
        let added = (String::from(user), String::from(job));
        let mut list = self.clone();
        if let Err(at) = list.jobs.binary_search(&added) {
            list.jobs.insert(at, added);
        }
        (list.to_text().len() <= Self::LONGEST).then_some(list)
    }

    /// Whether the job is in it.
    #[must_use]
    pub fn contains(&self, user: &str, job: &str) -> bool {
        self.jobs
            .binary_search_by(|(owner, name)| (owner.as_str(), name.as_str()).cmp(&(user, job)))
            .is_ok()
    }
}

impl JobRecord {
    /// The entry of this run.
    #[must_use]
    pub fn entry(&self, run: ClaimId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.run == run)
    }

    /// The slot of the next ended tick.
    #[must_use]
    pub fn next_slot(&self) -> u32 {
        u32::try_from(self.written % u64::from(MOST_SLOTS)).unwrap_or_default()
    }
}

impl Gap {
    /// A single tick.
    #[must_use]
    pub const fn single(tick: TickTime) -> Self {
        Self {
            first: tick,
            last: tick,
            count: 1,
        }
    }
}

impl MissReason {
    const ALL: [(Self, &'static str); 4] = [
        (Self::NoSession, "no-session"),
        (Self::NotAsked, "not-asked"),
        (Self::NotRunning, "not-running"),
        (Self::DataLost, "data-lost"),
    ];

    /// The word in records, logs and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(reason, _)| *reason == self);
        found.map_or("", |(_, word)| word)
    }

    /// The same for people.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::NoSession => "the server that recorded it had no session in the store",
            Self::NotAsked => "no active server asked for it in time",
            Self::NotRunning => "rcrond was not running",
            Self::DataLost => "the store has lost its data, so that it is not known whether it was started",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(_, known)| *known == word);
        found.map(|(reason, _)| reason)
    }
}

#[cfg(test)]
mod tests;
