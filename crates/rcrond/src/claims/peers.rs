//! The other servers, as the store's records show them: which of them have a job in their crontab, and how far their clocks are.
//!
//! Nothing that must be exclusive depends on this: it decides only who claims first, and who should not claim because its clock is
//! wrong.

use crate::session_seen::{SILENT_AFTER, SessionSeen};
use claims::JobKey;
use lease::NodeName;
use policy::moment::{BootTime, WallTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How long a comparison of clocks counts.
const CLOCK_LIFETIME: Duration = Duration::from_secs(60);

/// All nodes but this one, as they were read together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peers {
    pub(crate) nodes: BTreeMap<NodeName, Peer>,
}

/// A node.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Whether its session is open.
    pub(crate) is_open: bool,
    /// When its session was last seen to be renewed.
    pub(crate) renewed: BootTime,
    /// How far this server's clock is ahead of its clock, at least.
    pub(crate) ahead: Option<Ahead>,
    /// Its jobs with `once_per_tick`.
    pub(crate) jobs: Arc<BTreeSet<JobKey>>,
}

/// A comparison of two clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// In milliseconds; negative if this server's is behind.
    pub(crate) at_least_ms: i64,
    pub(crate) seen: BootTime,
}

/// Compares what one read found with the read before.
#[derive(Debug, Default)]
pub(crate) struct PeerHistory {
    /// The versions of the last read, and when they were first seen.
    versions: BTreeMap<NodeName, (u64, BootTime)>,
    ahead: BTreeMap<NodeName, Ahead>,
    /// When the last read was begun.
    last: Option<WallTime>,
}

impl PeerHistory {
    /// Takes in the sessions of a read. `begun` is from before the read. `jobs` has what each node has published.
    pub(crate) fn take(
        &mut self,
        sessions: &BTreeMap<NodeName, SessionSeen>,
        jobs: &BTreeMap<NodeName, Arc<BTreeSet<JobKey>>>,
        begun: WallTime,
        now: BootTime,
    ) -> Peers {
        let last = self.last.replace(begun);
        self.versions.retain(|node, _| sessions.contains_key(node));
        self.ahead
            .retain(|node, ahead| sessions.contains_key(node) && now.since(ahead.seen) < CLOCK_LIFETIME);
        let mut peers = Peers::default();
        for (node, session) in sessions {
            let before = self.versions.get(node).copied();
            let renewed = match before {
                Some((version, since)) if version == session.version => since,
                _ => now,
            };
            self.versions.insert(node.clone(), (session.version, renewed));
            let is_moved = before.is_some_and(|(version, _)| version != session.version);
            if let (true, Some(last), Some(date)) = (is_moved && session.is_open, last, session.date) {
                // It was written after the last read had begun, so this clock showed at least `last`.
                let ahead = Ahead {
                    at_least_ms: difference_ms(last, date),
                    seen: now,
                };
                self.ahead.insert(node.clone(), ahead);
            }
            let peer = Peer {
                is_open: session.is_open,
                renewed,
                ahead: self.ahead.get(node).copied(),
                jobs: jobs.get(node).cloned().unwrap_or_default(),
            };
            peers.nodes.insert(node.clone(), peer);
        }
        peers
    }

    /// The clock of this server was set: comparisons from before mean nothing.
    pub(crate) fn clock_was_set(&mut self) {
        self.last = None;
        self.ahead.clear();
    }
}

impl Peer {
    fn is_alive(&self, now: BootTime) -> bool {
        self.is_open && now.since(self.renewed) < SILENT_AFTER
    }
}

impl Peers {
    /// The other nodes that have the job and are alive.
    pub(crate) fn with_job(&self, job: &JobKey, now: BootTime) -> Vec<NodeName> {
        let nodes = self.nodes.iter();
        nodes
            .filter(|(_, peer)| peer.is_alive(now) && peer.jobs.contains(job))
            .map(|(node, _)| node.clone())
            .collect()
    }

    /// Whether this server's clock is known to be ahead of all others' by more than `max_skew`.
    pub(crate) fn is_clock_ahead(&self, max_skew: Duration, now: BootTime) -> bool {
        let limit = i64::try_from(max_skew.as_millis()).unwrap_or(i64::MAX);
        let mut alive = self.nodes.values().filter(|peer| peer.is_alive(now)).peekable();
        let is_ahead = |peer: &Peer| {
            let current = peer.ahead.filter(|ahead| now.since(ahead.seen) < CLOCK_LIFETIME);
            current.is_some_and(|ahead| ahead.at_least_ms > limit)
        };
        alive.peek().is_some() && alive.all(is_ahead)
    }
}

/// In milliseconds.
fn difference_ms(one: WallTime, other: WallTime) -> i64 {
    let distance = i64::try_from(one.distance(other).as_millis()).unwrap_or(i64::MAX);
    if one < other { -distance } else { distance }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lease::ClusterName;

    const SKEW: Duration = Duration::from_secs(10);

    fn node(name: &str) -> NodeName {
        NodeName::new(name).expect("a name")
    }

    fn job() -> JobKey {
        JobKey::new(ClusterName::new("web"), "root", "backup")
    }

    fn wall(seconds: u64) -> WallTime {
        WallTime(Duration::from_secs(1_000_000 + seconds))
    }

    fn boot(seconds: u64) -> BootTime {
        BootTime(Duration::from_secs(seconds))
    }

    /// Reads at these times find sessions that were written at the dates.
    fn read(history: &mut PeerHistory, at: u64, sessions: &[(&str, u64, u64)]) -> Peers {
        let session = |(name, version, date): &(&str, u64, u64)| {
            let seen = SessionSeen {
                is_open: true,
                version: *version,
                date: Some(wall(*date)),
            };
            (node(name), seen)
        };
        let jobs = Arc::new(BTreeSet::from([job()]));
        let jobs = sessions.iter().map(|(name, ..)| (node(name), Arc::clone(&jobs)));
        history.take(
            &sessions.iter().map(session).collect(),
            &jobs.collect(),
            wall(at),
            boot(at),
        )
    }

    #[test]
    fn a_clock_is_ahead_only_of_all_others_and_only_if_that_is_certain() {
        let mut history = PeerHistory::default();
        // n2 agrees, n3 is 20 s behind.
        let peers = read(&mut history, 100, &[("n2", 1, 98), ("n3", 1, 78)]);
        assert!(!peers.is_clock_ahead(SKEW, boot(100)), "nothing is known yet");
        let peers = read(&mut history, 105, &[("n2", 1, 98), ("n3", 2, 83)]);
        assert!(!peers.is_clock_ahead(SKEW, boot(105)), "of n2, nothing is known");
        let peers = read(&mut history, 110, &[("n2", 2, 108), ("n3", 2, 83)]);
        assert!(!peers.is_clock_ahead(SKEW, boot(110)));
        // n2 has gone.
        let peers = read(&mut history, 115, &[("n3", 3, 94)]);
        assert!(peers.is_clock_ahead(SKEW, boot(115)));
        assert!(!peers.is_clock_ahead(SKEW, boot(115 + 60)), "the comparison is old");
        history.clock_was_set();
        let peers = read(&mut history, 120, &[("n3", 4, 99)]);
        assert!(!peers.is_clock_ahead(SKEW, boot(120)));
        assert!(!Peers::default().is_clock_ahead(SKEW, boot(0)), "there is no other");
    }

    #[test]
    fn a_node_that_is_silent_has_no_rank() {
        let mut history = PeerHistory::default();
        read(&mut history, 0, &[("n2", 1, 0), ("n3", 1, 0)]);
        let peers = read(&mut history, 100, &[("n2", 2, 100), ("n3", 1, 0)]);
        assert_eq!(peers.with_job(&job(), boot(100)), [node("n2"), node("n3")]);
        assert_eq!(peers.with_job(&job(), boot(120)), [node("n2")]);
        let other = JobKey::new(ClusterName::new("web"), "root", "other");
        assert!(peers.with_job(&other, boot(100)).is_empty());
    }
}
