//! The sessions that a read returned.

use super::message::{Found, Record, Version};
use super::mutation::Mutation;
use super::name::NodeName;
use super::record::{SessionRecord, SessionRef, SessionState};
use super::timing::LeaseDuration;
use super::watch::HolderSession;

/// The records of this node's session and of its peers' sessions.
pub(super) struct Sessions<'a> {
    pub(super) node: &'a NodeName,
    pub(super) own: Option<&'a Found>,
    pub(super) peers: &'a [NodeName],
    /// One for each peer, in their order.
    pub(super) records: &'a [Option<Found>],
    /// The rule that the simulation leaves out.
    pub(super) mutation: Option<Mutation>,
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
            None if self.mutation == Some(Mutation::UnreadableSessionIsEnded) => {
                HolderSession::Ended(LeaseDuration::LONGEST)
            }
            _ => HolderSession::Open(found.version),
        })
    }

    /// The nodes whose session records this version of rcron cannot read.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = &NodeName> {
        let own = core::iter::once((self.node, self.own));
        let peers = self.peers.iter().zip(self.records.iter().map(Option::as_ref));
        let is_unreadable = |found: &Found| !matches!(found.record, Some(Record::Session(_)));
        own.chain(peers)
            .filter(move |(_, found)| found.is_some_and(is_unreadable))
            .map(|(node, _)| node)
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
