//! This node's own session.

use super::message::{Found, Record, Version};
use super::name::{ClusterName, SessionId};
use super::notice::Loss;
use super::record::{SessionRecord, SessionState};
use super::timing::LeaseDuration;
use super::watch::Watch;
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;

/// How far this node has come with opening its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnSessionState {
    /// Nothing of the session has been sent.
    New,
    /// The identity is an earlier process's. The session may be open.
    Resumed,
    /// A change that opens the session was sent. Its answer has not come, or was "no answer".
    Opening,
    /// The session is open in the store.
    Open,
}

#[derive(Clone, Debug)]
pub(super) struct OwnSession {
    pub(super) id: SessionId,
    pub(super) state: OwnSessionState,
    /// The highest heartbeat known to be in the store.
    confirmed_heartbeat: u64,
    /// The highest heartbeat ever sent. A record with one beyond these two was not written by this session.
    sent_heartbeat: u64,
    /// A change was sent without an answer, perhaps by an earlier process, and none since was done. It may still take effect.
    pub(super) has_unanswered_change: bool,
    /// The version of the record under this node's name at the last read: the condition of the next change.
    pub(super) version: Option<Version>,
    /// Another session under this node's name, which is open. Once it has not changed for a whole wait, this node replaces it.
    pub(super) name_conflict: Option<Watch<Version>>,
    name_conflict_reported: bool,
    /// The last read allows this session to be opened.
    pub(super) may_open: bool,
    /// From before the read of the last round whose change is known to be done: the leases of shared states count from here. `None`
    /// before the first such round, and once another node has changed the session.
    pub(super) confirmed_at: Option<BootTime>,
    /// The leases of the clusters that this session has shared, also of those that are no longer configured.
    shared: Vec<(ClusterName, SharedLease)>,
}

/// The leases with which a session has shared a cluster. Each claim names a lease, after which others may take it over. So a state
/// file may not last longer than the first claim says, and a claim may not say less than the first state file lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct SharedLease {
    /// For the state file.
    pub(super) shortest: LeaseDuration,
    /// For claims.
    pub(super) longest: LeaseDuration,
}

impl OwnSession {
    pub(super) const fn new(id: SessionId) -> Self {
        Self {
            id,
            state: OwnSessionState::New,
            confirmed_heartbeat: 0,
            sent_heartbeat: 0,
            has_unanswered_change: false,
            version: None,
            name_conflict: None,
            name_conflict_reported: false,
            may_open: false,
            confirmed_at: None,
            shared: Vec::new(),
        }
    }

    /// The session of an earlier process, whose last change may still be under way.
    pub(super) fn resumed(id: SessionId) -> Self {
        Self {
            state: OwnSessionState::Resumed,
            has_unanswered_change: true,
            ..Self::new(id)
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == OwnSessionState::Open
    }

    /// Takes in the record under this node's name.
    ///
    /// # Errors
    /// The session was lost.
    pub(super) fn take_record(&mut self, found: Option<&Found>) -> Result<(), Loss> {
        self.version = found.map(|found| found.version);
        let must_be_there = matches!(self.state, OwnSessionState::Resumed | OwnSessionState::Open);
        match found.map(|found| &found.record) {
            None if must_be_there => Err(Loss::Missing),
            Some(Some(Record::Session(record))) if record.id == self.id => self.take_own_record(record),
            Some(_) if must_be_there => Err(Loss::Foreign),
            _ => Ok(()),
        }
    }

    fn take_own_record(&mut self, record: &SessionRecord) -> Result<(), Loss> {
        if self.state == OwnSessionState::Resumed {
            (self.confirmed_heartbeat, self.sent_heartbeat) = (record.heartbeat, record.heartbeat);
        }
        let was_sent = (self.confirmed_heartbeat..=self.sent_heartbeat).contains(&record.heartbeat);
        match record.state {
            SessionState::Ended { .. } => Err(Loss::Ended),
            SessionState::Open if self.state == OwnSessionState::New || !was_sent => Err(Loss::Foreign),
            SessionState::Open => {
                self.confirmed_heartbeat = record.heartbeat;
                self.state = OwnSessionState::Open;
                Ok(())
            }
        }
    }

    /// Decides whether this session may be opened over what the read found: nothing, an ended session, or an open one that has not
    /// changed for `wait`. Returns whether another session was seen to renew for the first time.
    pub(super) fn look_for_name_conflict(&mut self, found: Option<&Found>, now: BootTime, wait: Duration) -> bool {
        self.may_open = false;
        if self.is_open() {
            self.name_conflict = None;
            return false;
        }
        let Some(found) = found.filter(|found| !is_ended(found)) else {
            self.may_open = true;
            return false;
        };
        let before = self.name_conflict.as_ref().map(|conflict| conflict.seen);
        Watch::update(&mut self.name_conflict, found.version, now);
        let since = self.name_conflict.as_ref().map(|conflict| conflict.since);
        self.may_open = since.is_some_and(|since| now >= since.after(wait));
        let renewed = before.is_some_and(|version| version != found.version);
        renewed && !core::mem::replace(&mut self.name_conflict_reported, true)
    }

    /// The record for the next change.
    pub(super) fn next_record(&mut self, state: SessionState) -> SessionRecord {
        self.sent_heartbeat = self.sent_heartbeat.saturating_add(1);
        SessionRecord {
            id: self.id,
            heartbeat: self.sent_heartbeat,
            state,
        }
    }

    /// The last change that was sent is done. `confirmed_at`: from before its round's read.
    pub(super) fn change_done(&mut self, confirmed_at: BootTime) {
        self.confirmed_at = Some(confirmed_at);
        self.confirmed_heartbeat = self.sent_heartbeat;
        self.state = OwnSessionState::Open;
        self.has_unanswered_change = false;
        self.name_conflict = None;
        self.name_conflict_reported = false;
    }
}

impl OwnSession {
    /// The lease of a cluster that this session has shared.
    pub(super) fn shared_lease(&self, cluster: &ClusterName) -> Option<SharedLease> {
        let of = self.shared.iter().find(|(name, _)| name == cluster);
        of.map(|(_, lease)| *lease)
    }

    /// The cluster is shared with this lease as it is configured now.
    pub(super) fn share(&mut self, cluster: &ClusterName, lease: LeaseDuration) {
        match self.shared.iter_mut().find(|(name, _)| name == cluster) {
            Some((_, of)) => {
                of.shortest = of.shortest.min(lease);
                of.longest = of.longest.max(lease);
            }
            None => {
                let (shortest, longest) = (lease, lease);
                self.shared.push((cluster.clone(), SharedLease { shortest, longest }));
            }
        }
    }

    /// Whether the lease of a cluster that this session has shared has expired. Then others may have taken over what this node ran.
    pub(super) fn has_expired_share(&self, now: BootTime) -> bool {
        let is_over = |lease: LeaseDuration| {
            let end = self.confirmed_at.map(|from| from.after(lease.active_duration()));
            end.is_none_or(|end| end <= now)
        };
        self.shared.iter().any(|(_, lease)| is_over(lease.shortest))
    }
}

fn is_ended(found: &Found) -> bool {
    let Some(Record::Session(record)) = &found.record else {
        return false;
    };
    matches!(record.state, SessionState::Ended { .. })
}
