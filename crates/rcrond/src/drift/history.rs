//! What the sessions of the other nodes show over time: which nodes are alive, and how far their clocks are off.

use crate::session_seen::{SILENT_AFTER, SessionSeen};
use policy::moment::{BootTime, WallTime};
use std::collections::BTreeMap;
use std::time::Duration;

/// How far a clock is ahead of this server's, in milliseconds. It is negative if the clock is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    at_least: i64,
    at_most: i64,
}

/// Compares what one read found with the reads before.
#[derive(Debug, Default)]
pub(crate) struct History {
    nodes: BTreeMap<String, Seen>,
    /// When the last read was begun.
    last: Option<WallTime>,
}

#[derive(Debug)]
struct Seen {
    is_open: bool,
    version: u64,
    /// When it was last seen to be renewed; `None` if it was old when it was first seen.
    renewed: Option<BootTime>,
    clock: Option<Clock>,
}

impl History {
    /// Takes in the sessions of a read, which was begun and had ended at these times of this server's wall clock.
    pub(crate) fn take(
        &mut self,
        sessions: &BTreeMap<String, SessionSeen>,
        (begun, ended): (WallTime, WallTime),
        now: BootTime,
    ) {
        let last = self.last.replace(begun);
        self.nodes.retain(|node, _| sessions.contains_key(node));
        for (node, session) in sessions {
            let before = self.nodes.get(node);
            let is_renewed = before.is_some_and(|before| before.version != session.version);
            let renewed = match before {
                Some(_) if is_renewed => Some(now),
                Some(before) => before.renewed,
                // By the wall clocks of two servers, so this is only about right. The next read shows it.
                None => session
                    .date
                    .is_none_or(|date| ended.0.saturating_sub(date.0) < SILENT_AFTER)
                    .then_some(now),
            };
            let clock = session.date.filter(|_| session.is_open).map(|date| Clock {
                at_least: difference_ms(date, ended),
                at_most: last
                    .filter(|_| is_renewed)
                    .map_or(i64::MAX, |last| difference_ms(date, last)),
            });
            let known = before.and_then(|before| before.clock);
            let seen = Seen {
                is_open: session.is_open,
                version: session.version,
                renewed,
                clock: clock.map(|clock| clock.narrowed_by(known)).or(known),
            };
            self.nodes.insert(node.clone(), seen);
        }
    }

    /// The clock of this server was set: comparisons from before mean nothing.
    pub(crate) fn clock_was_set(&mut self) {
        self.last = None;
        for seen in self.nodes.values_mut() {
            seen.clock = None;
        }
    }

    /// Whether the node does not renew a session.
    pub(crate) fn is_silent(&self, node: &str, now: BootTime) -> bool {
        let seen = self.nodes.get(node);
        !seen.is_some_and(|seen| seen.is_open && seen.renewed.is_some_and(|renewed| now.since(renewed) < SILENT_AFTER))
    }

    /// The node's clock, if it is known.
    pub(crate) fn clock(&self, node: &str) -> Option<Clock> {
        self.nodes.get(node)?.clock
    }
}

impl Clock {
    /// Each read gives bounds, and all hold, unless a clock was set.
    fn narrowed_by(self, known: Option<Self>) -> Self {
        let both = known.map(|known| Self {
            at_least: self.at_least.max(known.at_least),
            at_most: self.at_most.min(known.at_most),
        });
        both.filter(|both| both.at_least <= both.at_most).unwrap_or(self)
    }

    /// How far the clock is certainly ahead, or behind, in milliseconds; 0 if the clocks may differ by less than `max_skew`. `None` if
    /// this is not known.
    pub(crate) fn ahead(self, max_skew: Duration) -> Option<i64> {
        let limit = i64::try_from(max_skew.as_millis()).unwrap_or(i64::MAX);
        match self {
            Self { at_least, .. } if at_least > limit => Some(at_least),
            Self { at_most, .. } if at_most < -limit => Some(at_most),
            Self { at_most: i64::MAX, .. } => None,
            _ => Some(0),
        }
    }
}

fn difference_ms(one: WallTime, other: WallTime) -> i64 {
    let distance = i64::try_from(one.distance(other).as_millis()).unwrap_or(i64::MAX);
    if one < other { -distance } else { distance }
}
