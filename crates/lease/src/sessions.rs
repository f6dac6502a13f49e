//! The sessions that a read returned.

use super::message::{Found, Record, Version};
use super::name::NodeName;
use super::record::{SessionRecord, SessionRef, SessionState};
use super::watch::HolderSession;

/// The records of this node's session and of its peers' sessions.
pub(super) struct Sessions<'a> {
    pub(super) node: &'a NodeName,
    pub(super) own: Option<&'a Found>,
    pub(super) peers: &'a [NodeName],
    /// One for each peer, in their order.
    pub(super) records: &'a [Option<Found>],
}

impl Sessions<'_> {
    /// `None` if the read did not cover the session's node.
    pub(super) fn holder_session(&self, by: &SessionRef) -> Option<HolderSession> {
        let Some(found) = self.record_of(&by.node)? else {
            return Some(HolderSession::Missing);
        };
        Some(match &found.record {
            Some(Record::Session(SessionRecord { id, .. })) if *id != by.session => HolderSession::Replaced,
            Some(Record::Session(SessionRecord {
                state: SessionState::Ended { lease },
                ..
            })) => HolderSession::Ended(*lease),
            _ => HolderSession::Open(found.version),
        })
    }

    pub(super) fn open_version(&self, session: &SessionRef) -> Option<Version> {
        match self.holder_session(session) {
            Some(HolderSession::Open(version)) => Some(version),
            _ => None,
        }
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is for a node that was not read, the inner one for a missing record"
    )]
    fn record_of(&self, node: &NodeName) -> Option<Option<&Found>> {
        if node == self.node {
            return Some(self.own);
        }
        let at = self.peers.iter().position(|peer| peer == node)?;
        self.records.get(at).map(Option::as_ref)
    }
}
