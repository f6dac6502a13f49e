//! This node's own session.

use super::message::{Found, Record, Version};
use super::name::SessionId;
use super::record::{SessionRecord, SessionState};
use super::tell::Loss;
use super::watch::Watch;
use core::time::Duration;
use policy::moment::BootTime;

/// The session's standing in the store, as far as this node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Nothing of it was ever sent.
    Fresh,
    /// The identity was kept by an earlier process; it may be open.
    Kept,
    /// A change that opens it was sent and not answered.
    Sent,
    /// It is open.
    Open,
}

#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) id: SessionId,
    pub(super) opening: Opening,
    /// The highest beat known to be in the store.
    acked: u64,
    /// The highest beat ever sent.
    pub(super) sent: u64,
    /// A change was not answered, and none has been done since; by an earlier process, perhaps.
    pub(super) doubt: bool,
    /// The version of the record under this node's name at the last read.
    pub(super) version: Option<Version>,
    /// Another session under this node's name.
    pub(super) name_conflict: Option<Watch<Version>>,
    pub(super) foe_told: bool,
    /// The last read allows a new session to be opened.
    pub(super) may_open: bool,
}

impl Own {
    pub(super) const fn new(id: SessionId, opening: Opening) -> Self {
        Self {
            id,
            opening,
            acked: 0,
            sent: 0,
            // The earlier process's last change may be under way still.
            doubt: matches!(opening, Opening::Kept),
            version: None,
            name_conflict: None,
            foe_told: false,
            may_open: false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.opening == Opening::Open
    }

    /// Takes in the record under this node's name.
    pub(super) fn look(&mut self, found: Option<&Found>) -> Result<(), Loss> {
        self.version = found.map(|found| found.version);
        let claims = !matches!(self.opening, Opening::Fresh | Opening::Sent);
        match found.map(|found| &found.record) {
            None if claims => Err(Loss::Missing),
            Some(Some(Record::Session(record))) if record.id == self.id => self.take_up(record),
            Some(_) if claims => Err(Loss::Foreign),
            _ => Ok(()),
        }
    }

    fn take_up(&mut self, record: &SessionRecord) -> Result<(), Loss> {
        if self.opening == Opening::Kept {
            (self.acked, self.sent) = (record.beat, record.beat);
        }
        let mine = self.opening != Opening::Fresh && (self.acked..=self.sent).contains(&record.beat);
        match record.state {
            SessionState::Ended { .. } => Err(Loss::Ended),
            SessionState::Open if !mine => Err(Loss::Foreign),
            SessionState::Open => {
                self.acked = record.beat;
                self.opening = Opening::Open;
                Ok(())
            }
        }
    }

    /// Whether a new session may be opened, over what was found: nothing, an ended one, or one that has not moved for `wait`.
    /// Returns whether another living session was noticed.
    pub(super) fn look_for_foe(&mut self, found: Option<&Found>, now: BootTime, wait: Duration) -> bool {
        self.may_open = false;
        if self.is_open() {
            self.name_conflict = None;
            return false;
        }
        let Some(found) = found else {
            self.may_open = true;
            return false;
        };
        if let Some(Record::Session(SessionRecord {
            state: SessionState::Ended { .. },
            ..
        })) = found.record
        {
            self.may_open = true;
            return false;
        }
        let moved = self
            .name_conflict
            .as_ref()
            .is_some_and(|name_conflict| name_conflict.seen != found.version);
        Watch::look(&mut self.name_conflict, found.version, now);
        self.may_open = self
            .name_conflict
            .as_ref()
            .is_some_and(|name_conflict| now >= name_conflict.since.after(wait));
        let told = self.foe_told;
        self.foe_told |= moved;
        moved && !told
    }

    /// The record of the next change.
    pub(super) fn beat(&mut self, state: SessionState) -> SessionRecord {
        self.sent = self.sent.saturating_add(1);
        SessionRecord {
            id: self.id,
            beat: self.sent,
            state,
        }
    }

    /// The last change sent was done.
    pub(super) fn done(&mut self) {
        self.acked = self.sent;
        self.opening = Opening::Open;
        self.doubt = false;
        self.name_conflict = None;
        self.foe_told = false;
    }
}
