//! The floors: after a loss of data, nothing that may have been started before is started again.

use super::Machine;
use super::outcome::Effect;
use super::reading::Snapshot;
use crate::message::{Change, Found, Key, Notice, Now, Record};
use crate::mutation::Mutation;
use crate::record::FloorRecord;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;
use lease::{ClusterName, Incarnation, Version};
use policy::tick::TickTime;

/// rcron names ticks up to a second ahead of its start.
const NAMED_AHEAD: Duration = Duration::from_secs(1);

/// The floors of the clusters of one round.
pub(super) struct Floors(BTreeMap<ClusterName, Floor>);

#[derive(Clone, Copy)]
enum Floor {
    /// Ticks above it can be claimed, on the condition of this version.
    Valid(TickTime, Option<Version>),
    /// It must be set to this first. `was_there`: there was one before.
    Set {
        floor: TickTime,
        version: Option<Version>,
        was_there: bool,
    },
    /// The record cannot be read. Nothing is claimed.
    Unreadable,
}

impl Machine {
    /// The floors among the keys of a read.
    pub(super) fn read_floors(&self, now: Now, keys: &[Key], snapshot: &Snapshot) -> Floors {
        let floor = |key: &Key| match key {
            Key::Floor(cluster) => Some((cluster.clone(), self.floor(now, cluster, snapshot.get(key).flatten()))),
            _ => None,
        };
        Floors(keys.iter().filter_map(floor).collect())
    }

    fn floor(&self, now: Now, cluster: &ClusterName, found: Option<&Found>) -> Floor {
        let (version, record) = match found {
            None => (None, None),
            Some(Found {
                version,
                record: Some(Record::Floor(record)),
            }) => (Some(*version), Some(record)),
            Some(_) => return Floor::Unreadable,
        };
        match record {
            None if self.is_mutated(Mutation::MissingFloorIsZero) => Floor::Valid(TickTime(0), None),
            Some(record) if self.is_mutated(Mutation::FloorIsKept) => Floor::Valid(record.floor, version),
            Some(record) if record.incarnation == self.incarnation && !self.suspects.contains(cluster) => {
                Floor::Valid(record.floor, version)
            }
            record => Floor::Set {
                floor: self
                    .safe_floor(now)
                    .max(record.map_or(TickTime(0), |record| record.floor)),
                version,
                was_there: record.is_some(),
            },
        }
    }

    /// A tick that another node has started is not later than this: its clock is ahead of this node's by at most `max_skew`, and
    /// `--tick` may name a tick that is as far ahead of that.
    pub(super) fn safe_floor(&self, now: Now) -> TickTime {
        let skew = if self.is_mutated(Mutation::FloorWithoutSkew) {
            Duration::ZERO
        } else if self.is_mutated(Mutation::FloorWithoutNamedAhead) {
            self.max_skew / 2
        } else {
            self.max_skew
        };
        let latest = now.wall.0.saturating_add(skew * 2).saturating_add(NAMED_AHEAD);
        // Rounded up: a tick in the same second is not above the floor.
        TickTime(latest.as_secs().saturating_add(u64::from(latest.subsec_nanos() > 0)))
    }

    /// Whether only a wrong clock can have set *closed* or a floor to this: any other node's clock is ahead by at most `max_skew`, and
    /// its floor was rounded up to a second.
    pub(super) fn is_ahead(&self, now: Now, closed: TickTime) -> bool {
        if self.is_mutated(Mutation::ReopenWithoutSkew) {
            return closed > TickTime::from(now.wall);
        }
        let most = self.max_skew.saturating_add(Duration::from_secs(1));
        closed.wall().0 > self.safe_floor(now).wall().0.saturating_add(most)
    }
}

impl Floors {
    /// The change that sets floors, if one must be set.
    pub(super) fn change(&self, incarnation: Option<&Incarnation>) -> Option<Change> {
        let mut change = Change {
            incarnation: incarnation.cloned(),
            ..Change::default()
        };
        for (cluster, floor) in &self.0 {
            if let Floor::Set { floor, version, .. } = floor {
                let key = Key::Floor(cluster.clone());
                let record = FloorRecord {
                    incarnation: incarnation.cloned(),
                    floor: *floor,
                };
                change.conditions.push((key.clone(), *version));
                change.writes.push((key, Record::Floor(record)));
            }
        }
        (!change.writes.is_empty()).then_some(change)
    }

    /// Whether this floor is not known to be set: it must be set, or was not read.
    pub(super) fn is_to_be_set(&self, cluster: &ClusterName) -> bool {
        matches!(self.0.get(cluster), None | Some(Floor::Set { .. }))
    }

    /// What follows when it is done.
    pub(super) fn effects(&self) -> Vec<Effect> {
        let set = self.0.iter().filter_map(|(cluster, floor)| match floor {
            Floor::Set { floor, was_there, .. } => Some(Effect::FloorSet(Notice::FloorSet {
                cluster: cluster.clone(),
                floor: *floor,
                was_lost: *was_there,
            })),
            _ => None,
        });
        set.collect()
    }

    /// The floor of a cluster, and the version of its record; `None` if it cannot be read.
    pub(super) fn get(&self, cluster: &ClusterName) -> Option<(TickTime, Option<Version>)> {
        match self.0.get(cluster) {
            Some(Floor::Valid(floor, version)) => Some((*floor, *version)),
            _ => None,
        }
    }
}
