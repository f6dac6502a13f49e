//! Whether the sessions that have granted attempts are over (docs/design/ticks.md, "A session is over").

use crate::record::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;
use lease::{LeaseDuration, NodeName, SessionId, SessionRecord, SessionState, Version};
use policy::moment::BootTime;

/// The sessions of entries, by node and identity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions(BTreeMap<(NodeName, SessionId), Seen>);

/// A session as each read since a moment found it.
#[derive(Clone, Debug)]
struct Seen {
    status: Status,
    /// After the return of the first read that found it so.
    since: BootTime,
    /// It was open at another version before: its node has renewed it.
    moves: bool,
}

/// A session as a read found it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Status {
    /// It is open, at this version. A record that cannot be read counts as open, because it may be a later rcron's.
    Open(Version, Option<SessionRecord>),
    /// It is ended, and with it each lease up to this one.
    Ended(LeaseDuration),
    /// There is no record, or another session's.
    Gone,
}

/// Whether an attempt of a session can still run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// It may still run, at least until this moment, as far as is known; `None`: the session was not read yet.
    NotBefore(Option<BootTime>),
    /// It cannot. `end`: the session is open, and must be ended in the same change, on the condition of this version.
    Yes { end: Option<(Version, SessionRecord)> },
}

impl Sessions {
    /// Takes in what a read found under this node's name: for the session `id` of an entry.
    pub(crate) fn see(
        &mut self,
        node: &NodeName,
        id: SessionId,
        found: Option<(Version, Option<&SessionRecord>)>,
        now: BootTime,
    ) {
        let status = match found {
            None => Status::Gone,
            Some((version, None)) => Status::Open(version, None),
            Some((_, Some(record))) if record.id != id => Status::Gone,
            Some((version, Some(record))) => match record.state {
                SessionState::Open => Status::Open(version, Some(record.clone())),
                SessionState::Ended { lease } => Status::Ended(lease),
            },
        };
        let key = (node.clone(), id);
        let before = self.0.get(&key);
        if before.is_none_or(|seen| seen.status != status) {
            let was_open = before.is_some_and(|seen| matches!(seen.status, Status::Open(..)));
            let moves = was_open && matches!(status, Status::Open(..));
            let since = now;
            self.0.insert(key, Seen { status, since, moves });
        }
    }

    /// Whether the entry's session is over. `lease` and `grace` are the entry's terms.
    pub(crate) fn over(&self, entry: &Entry, lease: LeaseDuration, grace: Duration, now: BootTime) -> Over {
        let Some(seen) = self.0.get(&(entry.node.clone(), entry.session)) else {
            return Over::NotBefore(None);
        };
        let wait = match seen.status {
            Status::Ended(ended) if ended >= lease => grace,
            _ => lease.wait_duration() + grace,
        };
        let over_at = seen.since.after(wait);
        if now < over_at {
            return Over::NotBefore(Some(over_at));
        }
        match &seen.status {
            Status::Open(_, None) => Over::NotBefore(None),
            Status::Open(version, Some(record)) => Over::Yes {
                end: Some((*version, record.clone())),
            },
            Status::Ended(_) | Status::Gone => Over::Yes { end: None },
        }
    }

    /// Whether nothing is to be expected from waiting for the end of the entry's session: its node renews it, or its record cannot be
    /// read. A session that was read once only may be that of a node that is gone.
    pub(crate) fn is_alive(&self, entry: &Entry) -> bool {
        let seen = self.0.get(&(entry.node.clone(), entry.session));
        seen.is_some_and(|seen| match seen.status {
            Status::Open(_, None) => true,
            Status::Open(..) => seen.moves,
            Status::Ended(_) | Status::Gone => false,
        })
    }

    /// Forgets all sessions but these.
    pub(crate) fn retain(&mut self, used: &BTreeSet<(&NodeName, SessionId)>) {
        self.0.retain(|(node, id), _| used.contains(&(node, *id)));
    }

    /// In another incarnation versions mean nothing.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
