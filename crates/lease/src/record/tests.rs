use super::*;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use proptest::prelude::*;

const ID: &str = "00112233445566778899aabbccddeeff";

fn any_node() -> impl Strategy<Value = NodeName> {
    "[a-z0-9._/=-]{2,20}".prop_filter_map("a name", |name| NodeName::new(&name))
}

fn any_lease() -> impl Strategy<Value = LeaseDuration> {
    (1000u64..=300_000).prop_filter_map("a lease", |lease| LeaseDuration::new(Duration::from_millis(lease)))
}

fn any_session_ref() -> impl Strategy<Value = SessionRef> {
    (any_node(), any::<[u8; 16]>(), any::<u32>()).prop_map(|(node, id, priority)| SessionRef {
        node,
        session: SessionId(id),
        priority,
    })
}

fn any_ownership() -> impl Strategy<Value = Ownership> {
    prop_oneof![
        (any_session_ref(), proptest::option::of(any_session_ref())).prop_map(|(by, ask)| Ownership::Held { by, ask }),
        (any_node(), proptest::option::of(any_node()))
            .prop_map(|(last, handover_target)| Ownership::Free { last, handover_target }),
    ]
}

fn any_cluster() -> impl Strategy<Value = ClusterRecord> {
    (any::<u64>(), any_lease(), any_ownership()).prop_map(|(epoch, lease, ownership)| ClusterRecord {
        epoch,
        lease,
        ownership,
    })
}

fn any_session() -> impl Strategy<Value = SessionRecord> {
    let state = prop_oneof![
        Just(SessionState::Open),
        any_lease().prop_map(|lease| SessionState::Ended { lease })
    ];
    (any::<[u8; 16]>(), any::<u64>(), state).prop_map(|(id, heartbeat, state)| SessionRecord {
        id: SessionId(id),
        heartbeat,
        state,
    })
}

/// Fields that a later version could append.
fn any_unknown_fields() -> impl Strategy<Value = String> {
    let field = ("new_[a-z0-9_]{0,8}", "[!-~]{1,20}").prop_map(|(name, value)| format!(" {name}={value}"));
    proptest::collection::vec(field, 0..4).prop_map(|fields| fields.concat())
}

/// Bytes near a record: one byte of it changed, inserted or removed, or the end cut off.
fn damage(text: String, at: usize, byte: u8, how: u8) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    let at = at % bytes.len();
    match how % 4 {
        0 => bytes[at] = byte,
        1 => bytes.truncate(at),
        2 => bytes.insert(at, byte),
        _ => {
            bytes.remove(at);
        }
    }
    bytes
}

/// Whether `bytes` are that text, or that text and more words.
fn begins_with(bytes: &[u8], text: &str) -> bool {
    let rest = bytes.strip_prefix(text.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" "))
}

proptest! {
    #[test]
    fn a_clusters_record_is_read_as_it_was_written(record in any_cluster()) {
        let text = record.to_text();
        prop_assert!(text.len() <= LONGEST);
        prop_assert_eq!(ClusterRecord::parse(text.as_bytes()), Ok(record));
        prop_assert_eq!(SessionRecord::parse(text.as_bytes()), Err(Unreadable));
    }

    #[test]
    fn a_sessions_record_is_read_as_it_was_written(record in any_session()) {
        let text = record.to_text();
        prop_assert_eq!(SessionRecord::parse(text.as_bytes()), Ok(record));
        prop_assert_eq!(ClusterRecord::parse(text.as_bytes()), Err(Unreadable));
    }

    #[test]
    fn unknown_fields_at_the_end_are_ignored(
        cluster in any_cluster(), session in any_session(), fields in any_unknown_fields(),
    ) {
        let text = cluster.to_text() + &fields;
        prop_assert_eq!(ClusterRecord::parse(text.as_bytes()), Ok(cluster));
        let text = session.to_text() + &fields;
        prop_assert_eq!(SessionRecord::parse(text.as_bytes()), Ok(session));
    }

    #[test]
    fn other_bytes_are_unreadable(bytes: Vec<u8>) {
        prop_assert_eq!(SessionRecord::parse(&bytes), Err(Unreadable));
        prop_assert_eq!(ClusterRecord::parse(&bytes), Err(Unreadable));
    }

    #[test]
    fn a_damaged_record_is_unreadable_or_another_record_in_its_one_form(
        cluster in any_cluster(), session in any_session(), at: usize, byte: u8, how: u8,
    ) {
        let bytes = damage(cluster.to_text(), at, byte, how);
        if let Ok(read) = ClusterRecord::parse(&bytes) {
            prop_assert!(begins_with(&bytes, &read.to_text()));
        }
        let bytes = damage(session.to_text(), at, byte, how);
        if let Ok(read) = SessionRecord::parse(&bytes) {
            prop_assert!(begins_with(&bytes, &read.to_text()));
        }
    }
}

fn reads_session(text: &str) -> bool {
    SessionRecord::parse(text.replace("ID", ID).as_bytes()).is_ok()
}

fn reads_cluster(text: &str) -> bool {
    ClusterRecord::parse(text.replace("ID", ID).as_bytes()).is_ok()
}

#[test]
fn a_sessions_record_has_exactly_one_form() {
    for text in [
        "session1 id=ID heartbeat=1 open",
        "session1 id=ID heartbeat=18446744073709551615 ended lease=10000",
    ] {
        assert!(reads_session(text), "{text}");
    }
    for text in [
        "",
        "session1",
        "session2 id=ID heartbeat=1 open",
        "session1 id=ID heartbeat=1",
        "session1 id=ID heartbeat=01 open",
        "session1 id=ID heartbeat=+1 open",
        "session1 id=ID heartbeat= open",
        "session1 id=ID heartbeat=18446744073709551616 open",
        "session1 id=ID heartbeat=1 open ",
        "session1  id=ID heartbeat=1 open",
        "session1 id=ID heartbeat=1 open\n",
        "session1 id=ID heartbeat=1 ended",
        "session1 id=ID heartbeat=1 ended lease=999",
        "session1 id=ID heartbeat=1 ended lease=300001",
        "session1 heartbeat=1 id=ID open",
    ] {
        assert!(!reads_session(text), "{text}");
    }
}

#[test]
fn a_clusters_record_has_exactly_one_form() {
    for text in [
        "cluster1 epoch=1 lease=10000 held node=a session=ID priority=1 ask=-",
        "cluster1 epoch=1 lease=10000 held node=a session=ID priority=1 ask=b:ID:2",
        "cluster1 epoch=1 lease=10000 free last=a handover_target=-",
        "cluster1 epoch=1 lease=10000 free last=a handover_target=b",
    ] {
        assert!(reads_cluster(text), "{text}");
    }
    for text in [
        "cluster1 epoch=1 lease=10000 held node=a session=ID priority=4294967296 ask=-",
        "cluster1 epoch=1 lease=10000 held node=a session=ID priority=1 ask=b:ID",
        "cluster1 epoch=1 lease=10000 held node=a session=ID priority=1 ask=b:ID:2:3",
        "cluster1 epoch=1 lease=10000 held node=a session=ID priority=1",
        "cluster1 epoch=1 lease=10000 held node=- session=ID priority=1 ask=-",
        "cluster1 epoch=1 lease=10000 free last= handover_target=-",
        "cluster1 epoch=1 lease=10000 free last=a handover_target=",
        "cluster1 epoch=-1 lease=10000 free last=a handover_target=-",
    ] {
        assert!(!reads_cluster(text), "{text}");
    }
}

#[test]
fn only_unknown_fields_in_their_one_form_can_follow() {
    let session = "session1 id=ID heartbeat=1 open";
    let cluster = "cluster1 epoch=1 lease=10000 free last=a handover_target=-";
    for more in [" new=1", " new=a=b other_2=~", " node2=b"] {
        assert!(reads_session(&format!("{session}{more}")), "{more}");
        assert!(reads_cluster(&format!("{cluster}{more}")), "{more}");
    }
    for more in [
        " new",
        " new=",
        " =1",
        " New=1",
        " new-er=1",
        " new=1 ",
        "  new=1",
        " new=\u{e9}",
        " new=1\n",
        " new=1\nat=2",
        " lease=10000",
        " new=1 lease=10000",
    ] {
        assert!(!reads_session(&format!("{session}{more}")), "{more:?}");
        assert!(!reads_cluster(&format!("{cluster}{more}")), "{more:?}");
    }
    for more in [" heartbeat=2", " id=ID", " open", " ended"] {
        assert!(!reads_session(&format!("{session}{more}")), "{more}");
    }
    for more in [" epoch=2", " ask=-", " last=b", " priority=1", " held"] {
        assert!(!reads_cluster(&format!("{cluster}{more}")), "{more}");
    }
    // A field before the end is misplaced, known or not.
    assert!(!reads_session("session1 new=1 id=ID heartbeat=1 open"));
    assert!(!reads_session("session1 id=ID heartbeat=1 new=1 open"));
    let long = "a".repeat(LONGEST);
    assert!(!reads_session(&format!("{session} new={long}")));
}
