//! What a node watches in the store, and since when it has not changed.
//!
//! Times are on the node's own clock, from after the read returned.

use super::message::Version;
use super::name::SessionId;
use super::timing::LeaseDuration;
use policy::moment::BootTime;

/// Something that every read since a moment has found unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watch<T> {
    pub(super) seen: T,
    pub(super) since: BootTime,
}

impl<T: PartialEq> Watch<T> {
    /// Continues the watch if `seen` is unchanged; otherwise begins a new one.
    pub(super) fn update(watch: &mut Option<Self>, seen: T, now: BootTime) {
        if watch.as_ref().is_none_or(|old| old.seen != seen) {
            *watch = Some(Self { seen, since: now });
        }
    }
}

/// A cluster that this node does not hold, as a read found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// There is no record.
    Missing,
    /// The cluster is free, perhaps for another node than this one.
    Free { epoch: u64, for_another: bool },
    /// A session holds the cluster.
    Held {
        epoch: u64,
        id: SessionId,
        session: HolderSession,
    },
}

/// The holder's session, as a read found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HolderSession {
    /// It is open at this version. An unreadable record counts as open, because it may be a later rcron's.
    Open(Version),
    /// It is ended, and with it each lease up to this one.
    Ended(LeaseDuration),
    /// The holder's node has no record.
    Missing,
    /// The record of the holder's node is another session's.
    Replaced,
}

/// Whether a session renews.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Liveness {
    pub(super) id: SessionId,
    /// `None` if the session is not open.
    version: Option<Version>,
    /// It was open at two different versions in the last two reads that differed.
    pub(super) alive: bool,
    /// When the version last changed, or was first seen.
    pub(super) changed_at: BootTime,
}

impl Liveness {
    pub(super) fn update(liveness: &mut Option<Self>, id: SessionId, version: Option<Version>, now: BootTime) {
        match liveness {
            Some(old) if old.id == id => {
                if old.version != version {
                    old.alive = old.version.is_some() && version.is_some();
                    old.version = version;
                    old.changed_at = now;
                }
            }
            _ => {
                *liveness = Some(Self {
                    id,
                    version,
                    alive: false,
                    changed_at: now,
                });
            }
        }
    }
}
