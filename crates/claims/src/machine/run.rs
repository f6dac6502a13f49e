//! An rcron of this node: it waits for a grant, or has one, or its end must be written.

use crate::job::JobKey;
use crate::message::{Claim, Client, Held, Schedule};
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;
use lease::Version;
use policy::claim::{ClaimId, Ended, WaitReason};
use policy::moment::BootTime;
use policy::tick::TickTime;

/// How long the first read of a job may take.
const TIME_TO_READ: Duration = Duration::from_secs(2);

/// A run of a job. Two users cannot disturb each other with the same run id, because the job is part of the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunKey {
    pub(super) job: JobKey,
    pub(super) run: ClaimId,
}

#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) tick: TickTime,
    /// `None` if it is not connected.
    pub(super) client: Option<Client>,
    /// Since when it is not connected.
    pub(super) hung_up: Option<BootTime>,
    pub(super) state: RunState,
    /// When `start_within` is over.
    pub(super) deadline: BootTime,
    /// When its claim came.
    pub(super) arrived: BootTime,
    /// No claim before this.
    pub(super) not_before: BootTime,
    /// The least time since *closed*.
    pub(super) spacing: Duration,
    pub(super) rerun: u32,
    pub(super) skips_overlap: bool,
    pub(super) schedule: Option<Arc<dyn Schedule>>,
    /// A claim that was sent, and may be done later even if the store has not answered.
    pub(super) sent: Option<Sent>,
    /// Another run that has the tick, and since when it is known.
    pub(super) seen: Option<(ClaimId, BootTime)>,
    /// It waits for the end of an attempt that may be started again, after the deadline too.
    pub(super) follows: bool,
    /// When its job must be read again, because time alone changes what is decided.
    pub(super) turn: Option<BootTime>,
    /// What the client was last told, and until when it then waits.
    pub(super) told: Option<(WaitReason, Option<String>, BootTime)>,
}

#[derive(Clone, Debug)]
pub(super) enum RunState {
    Waiting,
    /// It has a grant.
    Granted,
    /// Its entry must be made an open one. `is_asked`: the rcron has asked for it, and waits for the answer.
    GivingBack {
        is_asked: bool,
    },
    /// Its end must be written.
    Ending(Ended),
}

/// The conditions of a claim that was sent. It can be done as long as both versions are unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) job: Option<Version>,
    pub(super) session: Version,
}

impl RunKey {
    pub(super) fn new(job: &JobKey, run: ClaimId) -> Self {
        Self { job: job.clone(), run }
    }
}

impl Run {
    pub(super) fn claiming(claim: Claim, now: BootTime) -> Self {
        Self {
            arrived: now,
            tick: claim.tick,
            client: Some(claim.client),
            hung_up: None,
            state: RunState::Waiting,
            deadline: claim.deadline,
            not_before: claim.not_before,
            spacing: claim.spacing,
            rerun: claim.rerun,
            skips_overlap: claim.skips_overlap,
            schedule: claim.schedule,
            sent: None,
            seen: None,
            follows: false,
            turn: None,
            told: None,
        }
    }

    pub(super) fn held(held: &Held) -> Self {
        let boot = BootTime(Duration::ZERO);
        Self {
            tick: held.tick,
            client: Some(held.client),
            hung_up: None,
            state: RunState::Granted,
            deadline: boot,
            arrived: boot,
            not_before: boot,
            spacing: Duration::ZERO,
            rerun: 0,
            skips_overlap: false,
            schedule: None,
            sent: None,
            seen: None,
            follows: false,
            turn: None,
            told: None,
        }
    }

    /// The same rcron asks over a new connection. A claim that was sent is remembered.
    pub(super) fn claim_again(&mut self, claim: Claim, now: BootTime) {
        *self = Self {
            sent: self.sent,
            seen: self.seen,
            follows: self.follows,
            ..Self::claiming(claim, now)
        };
    }

    /// When the wait is over, unless it follows an attempt. One that may follow an attempt is not over before its record was read: an
    /// rcron that has waited for hours connects again after rcrond was restarted.
    pub(super) fn gives_up_at(&self) -> BootTime {
        if self.rerun == 0 {
            self.deadline
        } else {
            self.deadline.max(self.arrived.after(TIME_TO_READ))
        }
    }

    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, RunState::Waiting)
    }
}
