//! The records' keys and bytes.
//!
//! A session's text has a second line for people: when it was written, by the writer's wall clock. Nothing is decided by it.

use lease::{Change, ClusterRecord, Found, Incarnation, Key, Reading, Record, SessionRecord, Version};
use policy::moment::WallTime;

/// The key of a node's session.
pub(crate) fn session(node: &str) -> String {
    format!("session/{node}")
}

/// The key of a cluster's record.
pub(crate) fn cluster(name: &str) -> String {
    format!("cluster/{name}")
}

/// What the keys of cards begin with.
pub(crate) const CARDS: &str = "node/";

/// A record's key.
pub(crate) fn key(key: &Key) -> String {
    match key {
        Key::Session(node) => session(node.as_str()),
        Key::Cluster(name) => cluster(name.as_str()),
    }
}

/// The machine's change, for the store.
pub(crate) fn change(change: &Change, wall: WallTime) -> store::Change {
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
            .map(|(of, record)| (key(of), text(record, wall)))
            .collect(),
    }
}

fn text(record: &Record, wall: WallTime) -> Vec<u8> {
    let text = match record {
        Record::Session(session) => format!("{}\nat={}", session.to_text(), wall.rfc3339()),
        Record::Cluster(cluster) => cluster.to_text(),
    };
    text.into_bytes()
}

/// What the store found, for the machine. `keys` are those that were asked for.
pub(crate) fn reading(keys: &[Key], snapshot: store::Snapshot) -> Reading {
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
    let (first, _) = lines(value);
    match key {
        Key::Session(_) => SessionRecord::parse(first).ok().map(Record::Session),
        Key::Cluster(_) => ClusterRecord::parse(first).ok().map(Record::Cluster),
    }
}

/// The record itself, and the line for people.
fn lines(value: &[u8]) -> (&[u8], &[u8]) {
    match value.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&value[..end], &value[end + 1..]),
        None => (value, b""),
    }
}

/// A session's record, and when it was written by its writer's wall clock, as it stands there.
pub(crate) fn dated_session(value: &[u8]) -> Option<(SessionRecord, Option<String>)> {
    let (first, second) = lines(value);
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
    fn what_the_machine_writes_it_reads_and_people_see_when() {
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
        let made = change(&wanted, WallTime(Duration::from_secs(951_782_400)));
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
    fn what_is_no_record_is_there_all_the_same() {
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
