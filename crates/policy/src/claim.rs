//! What rcron and rcrond say to each other about a tick: one line for each message, a word and then `name=value` in a fixed order
//! (docs/design/ticks.md, "Between rcron and rcrond").
//!
//! rcron asks for the right to start a tick, a *claim*; rcrond's *grant* permits it to start one attempt.

mod text;
pub mod wait;

use crate::exit::Outcome;
use crate::moment::{BootTime, WallTime};
use crate::run_id::RunId;
use crate::tick::TickTime;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
pub use text::{decode, encode, is_job_name};

/// The socket that rcrond creates for claims, and `claim_socket` by default.
pub const DEFAULT_SOCKET: &[u8] = b"/run/rcrond/claims";

/// In bytes, without the newline. A longer line is not a message.
pub const LONGEST_LINE: usize = 16 << 10;

/// In bytes. `once_per_tick` refuses longer names of jobs.
pub const LONGEST_JOB_NAME: usize = 128;

/// The highest `rerun`, so that a fence of one tick stays below that of the next minute's.
pub const MOST_RERUNS: u32 = 50;

/// The run id: a UUID's 36 characters, as rcron has made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId([u8; 36]);

/// A message of rcron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `claim`: asks for a grant.
    Claim(Claim),
    /// `ask`: what would the answer be? Nothing is claimed.
    Ask(Claim),
    /// `held`: this run has the grant of an earlier rcrond.
    Held(Held),
    /// `not-started`: the grant was not used.
    NotStarted {
        /// A word for the log: why not.
        why: String,
    },
    /// `ended`: the run is over.
    Ended(Ended),
}

/// What rcron asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The same after each reconnection.
    pub run: ClaimId,
    /// When rcron was started, by the wall clock.
    pub started_wall: WallTime,
    /// The same moment by the boot clock.
    pub started_boot: BootTime,
    /// `start_within`; `None` for its default.
    pub start_within: Option<Duration>,
    /// `rerun`.
    pub rerun: u32,
    /// `overlap = skip`.
    pub skips_overlap: bool,
    /// `kill_after`, if `on_demotion = terminate`: rcrond compares it with `grace`.
    pub kill_after: Option<Duration>,
    /// `--tick`.
    pub tick: Option<TickTime>,
    /// `--job`: 1 to [`LONGEST_JOB_NAME`] bytes of UTF-8 without control characters.
    pub job: String,
    /// The path of the state file: it names the cluster.
    pub state_file: Vec<u8>,
}

/// A run that has a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The run.
    pub run: ClaimId,
    /// The tick of the grant.
    pub tick: TickTime,
    /// The attempt of the grant.
    pub attempt: u32,
    /// `--job`.
    pub job: String,
    /// The path of the state file.
    pub state_file: Vec<u8>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The job's end. A job that could not be executed has exited with 125 to 127.
    pub outcome: Outcome,
    /// rcron ended the job because its server stopped being active.
    pub is_demoted: bool,
    /// From start to end, in milliseconds.
    pub lasted: Duration,
}

/// A message of rcrond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `wait`: not yet.
    Wait(Wait),
    /// `grant`: start now.
    Grant(Grant),
    /// `over`: there will be no grant.
    Over(Over),
    /// `refused`: the claim is wrong.
    Refused {
        /// For the user: what is wrong and what to do.
        message: String,
    },
    /// `would`: the answer to `ask`.
    Would {
        /// The tick that would be claimed, if there is one.
        tick: Option<TickTime>,
        /// For the user, without a newline.
        text: String,
    },
    /// `noted`: the answer to `not-started` and `ended`.
    Noted,
}

/// Why rcron waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// After this moment there is no grant, unless the tick is granted to another server first.
    pub until: BootTime,
    /// The tick; `None` if rcrond does not know it yet.
    pub tick: Option<TickTime>,
    /// Why.
    pub reason: WaitReason,
    /// The node that has the tick, if one has it.
    pub by: Option<String>,
}

/// Why a claim waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// The claim is being decided.
    Claiming,
    /// This server is not active, or another one ranks higher.
    Passive,
    /// Another run has the tick.
    Elsewhere,
    /// rcrond has no session in the store.
    NoSession,
    /// The store does not answer, or a record in it cannot be read.
    Store,
    /// The wall clock is ahead of all other servers'.
    ClockAhead,
}

/// The permission to start one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The tick.
    pub tick: TickTime,
    /// 1, 2, …
    pub attempt: u32,
    /// The job must be started before.
    pub start_by: BootTime,
    /// What the state file must still say: its epoch, or its session. The text of [`crate::state::State::identity`].
    pub lease: String,
}

/// Why there is no grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// Why.
    pub reason: OverReason,
    /// The node that started the tick, or a later one.
    pub by: Option<String>,
    /// The tick; `None` if there is none.
    pub tick: Option<TickTime>,
    /// How the node's run has ended, if it has and that is known.
    pub ended: Option<RunResult>,
}

/// How a run of the tick has ended: the value of `ended=` in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunResult {
    /// The job exited with 0.
    Ok,
    /// The job exited with another status, or a signal killed it.
    Failed,
    /// The server was lost, or the job was ended because its server stopped being active.
    Interrupted,
    /// The run's rcron was gone, so that its end is not known.
    Lost,
}

/// Why there is no grant: the value of `reason=` in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverReason {
    /// Another server has started the tick.
    Elsewhere,
    /// The tick is over: it has ended, or was recorded as missed.
    Done,
    /// An earlier tick still runs, and `overlap = skip`.
    Overlap,
    /// A later tick was claimed, or the floor is above it.
    Superseded,
    /// `start_within` was over before, or is over now, and rcrond could not get a grant.
    TooLate,
    /// The time is over, and rcrond had no session, or the store did not answer.
    NoGrant(WaitReason),
}

impl ClaimId {
    /// It sorts before every other one, and is none of a run's.
    pub const FIRST: Self = Self([0; 36]);

    /// `None` if it has not the form of a UUID in lower case.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Self> {
        let bytes: [u8; 36] = text.try_into().ok()?;
        let fits = bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
        });
        fits.then_some(Self(bytes))
    }

    /// The 36 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // All of them are ASCII.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<&RunId> for ClaimId {
    fn from(run: &RunId) -> Self {
        Self(run.characters())
    }
}

impl WaitReason {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Claiming, "claiming"),
        (Self::Passive, "passive"),
        (Self::Elsewhere, "elsewhere"),
        (Self::NoSession, "no-session"),
        (Self::Store, "store"),
        (Self::ClockAhead, "clock-ahead"),
    ];

    /// The word in messages and in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(reason, _)| *reason == self)
            .map_or("", |(_, word)| word)
    }
}

impl OverReason {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Elsewhere, "elsewhere"),
        (Self::Done, "done"),
        (Self::Overlap, "overlap"),
        (Self::Superseded, "superseded"),
        (Self::TooLate, "too-late"),
    ];

    /// The word in messages and in the log. [`OverReason::NoGrant`] has another one after `why=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(reason, _)| *reason == self)
            .map_or("no-grant", |(_, word)| word)
    }
}

impl RunResult {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Ok, "ok"),
        (Self::Failed, "failed"),
        (Self::Interrupted, "interrupted"),
        (Self::Lost, "lost"),
    ];

    /// The word in messages and in the log, as `rcronctl ticks` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(result, _)| *result == self)
            .map_or("", |(_, word)| word)
    }
}

#[cfg(test)]
mod tests;
