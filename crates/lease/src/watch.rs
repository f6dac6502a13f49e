//! What a node has watched, and since when: on its own clock, from after a read returned.

use super::message::Version;
use super::name::SessionId;
use super::timing::LeaseDuration;
use policy::moment::BootTime;

/// Something seen unchanged since a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watch<T> {
    pub(super) seen: T,
    pub(super) since: BootTime,
}

impl<T: PartialEq> Watch<T> {
    /// Goes on if it is the same, begins anew if not.
    pub(super) fn look(watch: &mut Option<Self>, seen: T, now: BootTime) {
        if !watch.as_ref().is_some_and(|old| old.seen == seen) {
            *watch = Some(Self { seen, since: now });
        }
    }
}

/// A cluster that this node does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// No record.
    Missing,
    /// Given back.
    Free { epoch: u64, for_another: bool },
    /// Held by that session.
    Held {
        epoch: u64,
        id: SessionId,
        session: HolderSession,
    },
}

/// The session that a cluster's record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HolderSession {
    /// Open, or unreadable, at this version.
    Open(Version),
    /// It will hold nothing any more.
    Ended(LeaseDuration),
    /// No record under the node's name.
    Missing,
    /// The node's record is another session's.
    Replaced,
}

/// An asker's session: alive if it was seen to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Liveness {
    pub(super) id: SessionId,
    pub(super) version: Option<Version>,
    pub(super) moved: bool,
    /// When it last moved, or was first seen.
    pub(super) at: BootTime,
}

impl Liveness {
    pub(super) fn look(pulse: &mut Option<Self>, id: SessionId, version: Option<Version>, now: BootTime) {
        match pulse {
            Some(old) if old.id == id => {
                if old.version != version {
                    old.moved = old.version.is_some() && version.is_some();
                    old.version = version;
                    old.at = now;
                }
            }
            _ => {
                *pulse = Some(Self {
                    id,
                    version,
                    moved: false,
                    at: now,
                });
            }
        }
    }
}
