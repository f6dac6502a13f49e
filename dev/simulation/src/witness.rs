//! What other nodes conclude about a session that has claimed ticks: when it is over, so that they may start again what it ran.
//!
//! The witness stands for the claims machine of any other node, in the worst case: it reads each record at the moment of its change,
//! its clock is as fast as it may be, and it ends a session as soon as the rules permit that (docs/design/ticks.md, "Changes").

use crate::Micros;
use crate::node::Node;
use crate::store::Store;
use lease::{Found, Incarnation, Key, LeaseDuration, Record, SessionId, SessionRecord, SessionState, Version};
use std::time::Duration;

/// What a state file must still say so that an attempt goes on: `policy::state::State::identity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Of an active state.
    Epoch(u64),
    /// Of a shared state.
    Session(SessionId),
}

/// The first claim of a session for a cluster. Later ones name the same lease or a longer one, so that it is the first to be over.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The node's index.
    pub node: usize,
    /// The cluster's index.
    pub cluster: usize,
    /// What the state file says.
    pub identity: Identity,
    /// The claimer's session.
    pub session: SessionId,
    /// The lease that the claim names.
    pub lease: LeaseDuration,
    /// The `grace` that the claim names.
    pub grace: Duration,
    /// When the state file stops, or has stopped, to permit what was claimed.
    pub end: Micros,
    /// Other nodes may start again what was claimed.
    pub is_over: bool,
    /// `None` before the first look.
    seen: Option<Seen>,
    since: Micros,
}

/// The claimer's session, as a read finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Open(Version),
    Ended(LeaseDuration),
    /// Missing, or another session.
    Gone,
}

/// The claims, and which data the store had at the last look.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    /// One for each node, cluster and identity.
    pub claims: Vec<Claim>,
    /// Whether active states are permissions, too: another node may share the cluster.
    pub watches_active: bool,
    incarnation: Option<Incarnation>,
    revision: Option<u64>,
}

impl Witness {
    /// Nothing has been claimed.
    #[must_use]
    pub fn new(watches_active: bool) -> Self {
        Self {
            watches_active,
            ..Self::default()
        }
    }

    /// The claim, if there is one already.
    pub fn find(&mut self, node: usize, cluster: usize, identity: Identity) -> Option<&mut Claim> {
        let mut claims = self.claims.iter_mut();
        claims.find(|claim| (claim.node, claim.cluster, claim.identity) == (node, cluster, identity))
    }

    /// Looks at all sessions. Returns the claims that are over now, and when to look again at the latest.
    pub fn look(&mut self, now: Micros, store: &mut Store, nodes: &[Node]) -> (Vec<Claim>, Option<Micros>) {
        if !store.up {
            return (Vec::new(), None);
        }
        let data = store.read(&[]);
        let is_other = data.incarnation != self.incarnation || data.revision < self.revision;
        (self.incarnation, self.revision) = (data.incarnation, data.revision);
        let mut over = Vec::new();
        let mut next = None;
        for claim in self.claims.iter_mut().filter(|claim| !claim.is_over) {
            let name = &nodes[claim.node].name;
            let seen = Seen::new(store.session_found(name), claim.session);
            if is_other || claim.seen != Some(seen) {
                (claim.seen, claim.since) = (Some(seen), now);
            }
            let over_at = claim.since + claim.wait();
            if over_at > now {
                next = Some(next.map_or(over_at, |next: Micros| next.min(over_at)));
                continue;
            }
            claim.is_over = true;
            over.push(claim.clone());
            if matches!(seen, Seen::Open(_)) {
                let (id, lease) = (claim.session, claim.lease);
                let state = SessionState::Ended { lease };
                let heartbeat = 0;
                store.overwrite(
                    &Key::Session(name.clone()),
                    Some(Record::Session(SessionRecord { id, heartbeat, state })),
                );
            }
        }
        (over, next)
    }
}

impl Claim {
    /// A claim that is made now, by a session that is open.
    #[must_use]
    pub const fn new(
        node: usize,
        cluster: usize,
        identity: Identity,
        terms: (SessionId, LeaseDuration, Duration),
    ) -> Self {
        let (session, lease, grace) = terms;
        Self {
            node,
            cluster,
            identity,
            session,
            lease,
            grace,
            end: 0,
            is_over: false,
            seen: None,
            since: 0,
        }
    }

    /// In true time.
    fn wait(&self) -> Micros {
        let wait = match self.seen {
            Some(Seen::Ended(lease)) if lease >= self.lease => self.grace,
            _ => self.lease.wait_duration() + self.grace,
        };
        u64::try_from(wait.as_micros()).unwrap_or(u64::MAX) * 100 / 101 + 1
    }
}

impl Seen {
    fn new(found: Option<&Found>, id: SessionId) -> Self {
        let Some(found) = found else { return Self::Gone };
        match &found.record {
            Some(Record::Session(record)) if record.id != id => Self::Gone,
            Some(Record::Session(SessionRecord {
                state: SessionState::Ended { lease },
                ..
            })) => Self::Ended(*lease),
            // What cannot be read counts as open.
            _ => Self::Open(found.version),
        }
    }
}
