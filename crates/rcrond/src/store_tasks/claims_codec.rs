//! The claims machine's records as keys and bytes of the store.
//!
//! A session that the machine ends keeps its line for administrators (see [`super::codec`]).

use super::client::Codec;
use super::codec::{self, SessionDates};
use crate::api::metrics::{Metrics, Operation, Outcome};
use crate::claims::ClaimsEvent;
use crate::event::Event;
use claims::{Change, EndedTick, FloorRecord, Found, JobKey, JobList, JobRecord, Key, Reading, Record};
use lease::{Call, ClusterName, Incarnation, Verdict, Version};
use policy::claim::encode;
use std::time::Duration;
use store::Error;

/// The claims machine's.
#[derive(Debug, Default)]
pub(crate) struct ClaimsCodec {
    /// When the sessions of the last read were written, by their writers' clocks.
    dates: SessionDates,
}

/// The key that is written with each change of a cluster's jobs.
pub(crate) fn notify(cluster: &ClusterName) -> String {
    format!("notify/{}", encode(cluster.as_str().as_bytes()))
}

/// The key of the list of a cluster's jobs.
pub(super) fn jobs(cluster: &ClusterName) -> String {
    format!("jobs/{}", encode(cluster.as_str().as_bytes()))
}

/// The key of a cluster's floor.
pub(super) fn floor(cluster: &ClusterName) -> String {
    format!("floor/{}", encode(cluster.as_str().as_bytes()))
}

/// The key of a job.
pub(super) fn job(job: &JobKey) -> String {
    format!("job/{}", job.path())
}

/// The key of one of a job's ended ticks.
pub(super) fn ended(job: &JobKey, slot: u32) -> String {
    format!("tick/{}/{slot}", job.path())
}

/// The key of a record.
pub(crate) fn key(key: &Key) -> String {
    match key {
        Key::Session(node) => codec::session(node.as_str()),
        Key::Floor(cluster) => floor(cluster),
        Key::Job(key) => job(key),
        Key::Ended(job, slot) => ended(job, *slot),
        Key::Jobs(cluster) => jobs(cluster),
        Key::Notify(cluster) => notify(cluster),
    }
}

impl Codec for ClaimsCodec {
    const REPORTS_WARNINGS: bool = false;

    type Key = Key;
    type Change = Change;
    type Reading = Reading;

    fn key(key: &Key) -> String {
        self::key(key)
    }

    fn reading(&mut self, keys: &[Key], names: &[String], snapshot: store::Snapshot) -> Reading {
        self.dates = SessionDates::of(names, &snapshot);
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

    fn change(&self, change: &Change) -> store::Change {
        let conditions = change.conditions.iter();
        let writes = change.writes.iter();
        store::Change {
            incarnation: change.incarnation.as_ref().map(|incarnation| incarnation.0.to_vec()),
            conditions: conditions
                .map(|(of, version)| (key(of), version.map(|version| version.0)))
                .collect(),
            writes: writes
                .map(|(of, record)| {
                    let key = key(of);
                    let text = text(record, self.dates.get(&key).map(String::as_str));
                    (key, text.into_bytes())
                })
                .collect(),
        }
    }

    fn was_read(call: Call, answer: Result<Reading, Error>) -> Event {
        Event::Claims(ClaimsEvent::Read(call, answer))
    }

    fn was_changed(call: Call, verdict: Verdict, failure: Option<Error>) -> Event {
        Event::Claims(ClaimsEvent::Changed(call, verdict, failure))
    }

    fn count_call(metrics: &Metrics, operation: Operation, duration: Duration, outcome: Outcome) {
        metrics.claims.count_call(operation, duration, outcome);
    }
}

fn text(record: &Record, date: Option<&str>) -> String {
    match record {
        Record::Session(session) => codec::session_text(session, date),
        Record::Floor(floor) => floor.to_text(),
        Record::Job(job) => job.to_text(),
        Record::Ended(ended) => ended.to_text(),
        Record::Jobs(jobs) => jobs.to_text(),
        Record::Notify(number) => number.to_string(),
    }
}

fn record(key: &Key, value: &[u8]) -> Option<Record> {
    match key {
        Key::Session(_) => codec::parse_session(value).map(Record::Session),
        Key::Floor(_) => FloorRecord::parse(value).ok().map(Record::Floor),
        Key::Job(_) => JobRecord::parse(value).ok().map(Record::Job),
        Key::Ended(..) => EndedTick::parse(value).ok().map(Record::Ended),
        Key::Jobs(_) => JobList::parse(value).ok().map(Record::Jobs),
        Key::Notify(_) => std::str::from_utf8(value).ok()?.parse().ok().map(Record::Notify),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use claims::{Gap, MissReason};
    use lease::{LeaseDuration, NodeName, SessionId, SessionRecord, SessionState};
    use policy::moment::WallTime;
    use policy::tick::TickTime;

    fn node(name: &str) -> NodeName {
        NodeName::new(name).expect("a name")
    }

    fn backup() -> JobKey {
        JobKey::new(ClusterName::new("web/1"), "root", "nightly backup")
    }

    #[test]
    fn keys_are_those_of_the_design_page() {
        let cluster = ClusterName::new("web/1");
        let keys = [
            Key::Session(node("n1")),
            Key::Floor(cluster.clone()),
            Key::Job(backup()),
            Key::Ended(backup(), 7),
            Key::Jobs(cluster.clone()),
            Key::Notify(cluster),
        ];
        let expected = [
            "session/n1",
            "floor/web%2F1",
            "job/web%2F1/root/nightly%20backup",
            "tick/web%2F1/root/nightly%20backup/7",
            "jobs/web%2F1",
            "notify/web%2F1",
        ];
        assert_eq!(keys.each_ref().map(key), expected);
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let ended = EndedTick {
            gap: Gap::single(TickTime(60)),
            attempt: 0,
            node: node("n1"),
            run: None,
            at: WallTime(Duration::from_secs(400)),
            lasted: None,
            outcome: claims::Outcome::Missed(MissReason::NotAsked),
        };
        let job = JobRecord {
            closed: TickTime(60),
            written: 1,
            last: None,
            entries: Vec::new(),
        };
        let floor = FloorRecord {
            incarnation: None,
            floor: TickTime(9),
        };
        let list = JobList {
            jobs: vec![("root".to_owned(), "nightly backup".to_owned())],
        };
        let cluster = || backup().cluster;
        for (key, record) in [
            (Key::Ended(backup(), 0), Record::Ended(ended)),
            (Key::Job(backup()), Record::Job(job)),
            (Key::Floor(cluster()), Record::Floor(floor)),
            (Key::Jobs(cluster()), Record::Jobs(list)),
            (Key::Notify(cluster()), Record::Notify(u64::MAX)),
        ] {
            let change = Change {
                incarnation: None,
                conditions: vec![(key.clone(), Some(Version(3)))],
                writes: vec![(key.clone(), record.clone())],
            };
            let mut codec = ClaimsCodec::default();
            let made = codec.change(&change);
            assert_eq!(made.conditions, [(super::key(&key), Some(3))]);
            let (name, value) = made.writes[0].clone();
            let snapshot = store::Snapshot {
                incarnation: Some(vec![1]),
                revision: Some(2),
                items: vec![Some(store::Item { version: 4, value })],
            };
            let reading = codec.reading(&[key], &[name], snapshot);
            let found = reading.records[0].clone().expect("there");
            assert_eq!((found.version, found.record), (Version(4), Some(record)));
        }
    }

    #[test]
    fn a_session_that_is_ended_keeps_the_time_of_its_last_renewal() {
        let key = Key::Session(node("n2"));
        let open = SessionRecord {
            id: SessionId([7; 16]),
            heartbeat: 3,
            state: SessionState::Open,
        };
        let snapshot = store::Snapshot {
            incarnation: None,
            revision: None,
            items: vec![Some(store::Item {
                version: 1,
                value: format!("{}\nat=2026-01-01T00:00:00Z", open.to_text()).into_bytes(),
            })],
        };
        let mut codec = ClaimsCodec::default();
        let reading = codec.reading(std::slice::from_ref(&key), &["session/n2".to_owned()], snapshot);
        let found = reading.records[0].clone().expect("there");
        assert_eq!(found.record, Some(Record::Session(open.clone())));
        let ended = SessionRecord {
            state: SessionState::Ended {
                lease: LeaseDuration::SHORTEST,
            },
            ..open
        };
        let end = Change {
            writes: vec![(key, Record::Session(ended))],
            ..Change::default()
        };
        let value = String::from_utf8(codec.change(&end).writes[0].1.clone()).expect("text");
        assert!(value.ends_with("\nat=2026-01-01T00:00:00Z"), "{value}");
    }

    #[test]
    fn what_is_not_a_record_is_found_without_one() {
        let snapshot = store::Snapshot {
            incarnation: None,
            revision: None,
            items: vec![
                Some(store::Item {
                    version: 1,
                    value: b"\xff".to_vec(),
                }),
                None,
            ],
        };
        let keys = [Key::Job(backup()), Key::Notify(backup().cluster)];
        let reading = ClaimsCodec::default().reading(&keys, &keys.each_ref().map(key), snapshot);
        assert_eq!(
            reading.records[0].as_ref().map(|found| found.record.is_none()),
            Some(true)
        );
        assert_eq!(reading.records[1], None);
    }
}
