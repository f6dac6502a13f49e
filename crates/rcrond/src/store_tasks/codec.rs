//! The lease machine's records as keys and bytes of the store.
//!
//! A session record has a second line, for administrators: when its node has written it, by that node's wall clock. The machine
//! ignores it.

use super::client::Codec;
use crate::api::metrics::{Metrics, Operation, Outcome};
use crate::event::Event;
use inputs::clock;
use lease::{
    Call, Change, ClusterRecord, Found, Incarnation, Key, NodeName, Reading, Record, SessionRecord, Verdict, Version,
};
use policy::moment::WallTime;
use std::collections::BTreeMap;
use std::time::Duration;
use store::Error;

/// The lease machine's.
#[derive(Debug)]
pub(crate) struct LeaseCodec {
    /// This node's name.
    node: NodeName,
    /// When the sessions of the last read were written, by their writers' clocks.
    dates: SessionDates,
}

impl LeaseCodec {
    pub(crate) fn new(node: NodeName) -> Self {
        let dates = SessionDates::default();
        Self { node, dates }
    }
}

impl Codec for LeaseCodec {
    const REPORTS_WARNINGS: bool = true;

    type Key = Key;
    type Change = Change;
    type Reading = Reading;

    fn key(key: &Key) -> String {
        self::key(key)
    }

    fn reading(&mut self, keys: &[Key], names: &[String], snapshot: store::Snapshot) -> Reading {
        self.dates = SessionDates::of(names, &snapshot);
        reading(keys, snapshot)
    }

    fn change(&self, wanted: &Change) -> store::Change {
        change(wanted, &self.node, &self.dates, clock::wall_time())
    }

    fn was_read(call: Call, answer: Result<Reading, Error>) -> Event {
        Event::Read(call, answer)
    }

    fn was_changed(call: Call, verdict: Verdict, failure: Option<Error>) -> Event {
        Event::Changed(call, verdict, failure)
    }

    fn count_call(metrics: &Metrics, operation: Operation, duration: Duration, outcome: Outcome) {
        metrics.count_call(operation, duration, outcome);
    }
}

/// The key of a node's session.
pub(crate) fn session(node: &str) -> String {
    format!("session/{node}")
}

/// The key of a cluster's record.
pub(crate) fn cluster(name: &str) -> String {
    format!("cluster/{name}")
}

/// The key of a node's [`NodeInfo`](super::node_info::NodeInfo).
pub(super) fn node_info(node: &str) -> String {
    format!("node/{node}")
}

/// The key of the [`NodeList`](super::node_list::NodeList).
pub(super) const NODE_LIST: &str = "nodes";

/// The key of a record.
pub(crate) fn key(key: &Key) -> String {
    match key {
        Key::Session(node) => session(node.as_str()),
        Key::Cluster(name) => cluster(name.as_str()),
    }
}

/// When sessions were written, as far as they say so, by their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionDates(BTreeMap<String, String>);

impl SessionDates {
    /// From a read of these keys.
    pub(super) fn of(keys: &[String], snapshot: &store::Snapshot) -> Self {
        let pairs = keys.iter().zip(&snapshot.items);
        let dates = pairs.filter_map(|(key, item)| {
            let (_, date) = dated_session(&item.as_ref()?.value)?;
            Some((key.clone(), date?))
        });
        Self(dates.collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&String> {
        self.0.get(key)
    }
}

/// The text of a session record, with the line for administrators.
pub(super) fn session_text(session: &SessionRecord, date: Option<&str>) -> String {
    let date = date.map(|date| format!("\nat={date}"));
    session.to_text() + &date.unwrap_or_default()
}

/// Reads what [`session_text`] writes, without the line for administrators.
pub(super) fn parse_session(value: &[u8]) -> Option<SessionRecord> {
    let (first, _) = split_lines(value);
    SessionRecord::parse(first).ok()
}

/// The machine's change in the store's terms. `wall` is the time that is written into the session record of this node. A node that
/// ends another node's session leaves its time as it was: it shows when that node was last alive.
fn change(change: &Change, own: &NodeName, dates: &SessionDates, wall: WallTime) -> store::Change {
    let date = |of: &Key| match of {
        Key::Session(node) if node == own => Some(wall.rfc3339()),
        of => dates.get(&key(of)).cloned(),
    };
    store::Change {
        incarnation: change.incarnation.as_ref().map(|incarnation| incarnation.0.to_vec()),
        conditions: change
            .conditions
            .iter()
            .map(|(of, version)| (key(of), version.map(|version| version.0)))
            .collect(),
        writes: change
            .writes
            .iter()
            .map(|(of, record)| (key(of), text(record, date(of).as_deref())))
            .collect(),
    }
}

fn text(record: &Record, date: Option<&str>) -> Vec<u8> {
    let text = match record {
        Record::Session(session) => session_text(session, date),
        Record::Cluster(cluster) => cluster.to_text(),
    };
    text.into_bytes()
}

/// The store's answer in the machine's terms. `keys` are those of the request.
fn reading(keys: &[Key], snapshot: store::Snapshot) -> Reading {
    let found = |(key, item): (&Key, Option<store::Item>)| {
        item.map(|item| Found {
            version: Version(item.version),
            record: record(key, &item.value),
        })
    };
    Reading {
        incarnation: snapshot.incarnation.map(|incarnation| Incarnation(incarnation.into())),
        revision: snapshot.revision,
        records: keys.iter().zip(snapshot.items).map(found).collect(),
    }
}

fn record(key: &Key, value: &[u8]) -> Option<Record> {
    match key {
        Key::Session(_) => parse_session(value).map(Record::Session),
        Key::Cluster(_) => ClusterRecord::parse(split_lines(value).0).ok().map(Record::Cluster),
    }
}

/// The record itself, and the line for administrators.
fn split_lines(value: &[u8]) -> (&[u8], &[u8]) {
    match value.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&value[..end], &value[end + 1..]),
        None => (value, b""),
    }
}

/// A session record, and when it was written by its writer's wall clock, unchanged.
pub(crate) fn dated_session(value: &[u8]) -> Option<(SessionRecord, Option<String>)> {
    let (first, second) = split_lines(value);
    let at = second.strip_prefix(b"at=").and_then(|at| std::str::from_utf8(at).ok());
    let plain = at.filter(|at| at.len() <= 64 && at.bytes().all(|byte| byte.is_ascii_graphic()));
    Some((SessionRecord::parse(first).ok()?, plain.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lease::{ClusterName, NodeName, SessionId, SessionState};
    use std::time::Duration;

    #[test]
    fn a_session_is_read_as_it_was_written_with_the_time_of_the_write() {
        let node = Key::Session(NodeName::new("n1").expect("a name"));
        let session = SessionRecord {
            id: SessionId([7; 16]),
            heartbeat: 3,
            state: SessionState::Open,
        };
        let wanted = Change {
            incarnation: Some(Incarnation([1, 2].into())),
            conditions: vec![
                (node.clone(), Some(Version(9))),
                (Key::Cluster(ClusterName::new("ü b")), None),
            ],
            writes: vec![(node.clone(), Record::Session(session.clone()))],
        };
        let own = NodeName::new("n1").expect("a name");
        let wall = WallTime(Duration::from_secs(951_782_400));
        let made = change(&wanted, &own, &SessionDates::default(), wall);
        assert_eq!(made.incarnation.as_deref(), Some(&[1, 2][..]));
        assert_eq!(
            made.conditions,
            [("session/n1".to_owned(), Some(9)), ("cluster/ü b".to_owned(), None)]
        );
        let (key, value) = made.writes[0].clone();
        assert_eq!(key, "session/n1");
        let (read, at) = dated_session(&value).expect("a session");
        assert_eq!(
            (read, at.as_deref()),
            (session.clone(), Some("2000-02-29T00:00:00.000000Z"))
        );
        let snapshot = store::Snapshot {
            incarnation: None,
            revision: None,
            items: vec![Some(store::Item { version: 10, value })],
        };
        let found = reading(&[node], snapshot).records.remove(0).expect("there");
        assert_eq!(found.record, Some(Record::Session(session)));
    }

    #[test]
    fn a_session_that_another_node_ends_keeps_the_time_of_its_last_renewal() {
        let (own, dead) = (
            NodeName::new("n1").expect("a name"),
            NodeName::new("n2").expect("a name"),
        );
        let session = SessionRecord {
            id: SessionId([7; 16]),
            heartbeat: 3,
            state: SessionState::Open,
        };
        let item = |second: &str| store::Item {
            version: 1,
            value: format!("{}{second}", session.to_text()).into_bytes(),
        };
        for (second, expected) in [("\nat=2026-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")), ("", None)] {
            let snapshot = store::Snapshot {
                incarnation: None,
                revision: None,
                items: vec![Some(item(second))],
            };
            let dates = SessionDates::of(&[key(&Key::Session(dead.clone()))], &snapshot);
            let end = Change {
                incarnation: None,
                conditions: Vec::new(),
                writes: vec![(Key::Session(dead.clone()), Record::Session(session.clone()))],
            };
            let made = change(&end, &own, &dates, WallTime(Duration::from_secs(951_782_400)));
            let (_, date) = dated_session(&made.writes[0].1).expect("a session");
            assert_eq!(date.as_deref(), expected);
        }
    }

    #[test]
    fn a_value_that_is_not_a_record_is_found_without_one() {
        let snapshot = store::Snapshot {
            incarnation: None,
            revision: None,
            items: vec![Some(store::Item {
                version: 10,
                value: b"\xff\n\xff".to_vec(),
            })],
        };
        let key = Key::Cluster(ClusterName::new("c"));
        let found = reading(&[key], snapshot).records.remove(0).expect("there");
        assert_eq!(found.record, None);
    }
}
