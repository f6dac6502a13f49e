use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

const ID: &str = "00112233445566778899aabbccddeeff";

fn any_node() -> impl Strategy<Value = NodeName> {
    "[a-z0-9._/=-]{2,20}".prop_filter_map("a name", |name| NodeName::new(&name))
}

fn any_term() -> impl Strategy<Value = LeaseDuration> {
    (1000u64..=300_000).prop_filter_map("a lease", |lease| LeaseDuration::new(Duration::from_millis(lease)))
}

fn any_party() -> impl Strategy<Value = SessionRef> {
    (any_node(), any::<[u8; 16]>(), any::<u32>()).prop_map(|(node, id, priority)| SessionRef {
        node,
        session: SessionId(id),
        priority,
    })
}

fn any_tenure() -> impl Strategy<Value = Ownership> {
    prop_oneof![
        (any_party(), proptest::option::of(any_party())).prop_map(|(by, ask)| Ownership::Held { by, ask }),
        (any_node(), proptest::option::of(any_node()))
            .prop_map(|(last, handover_target)| Ownership::Free { last, handover_target }),
    ]
}

fn any_cluster() -> impl Strategy<Value = ClusterRecord> {
    (any::<u64>(), any_term(), any_tenure()).prop_map(|(epoch, lease, tenure)| ClusterRecord { epoch, lease, tenure })
}

fn any_session() -> impl Strategy<Value = SessionRecord> {
    let state = prop_oneof![
        Just(SessionState::Open),
        any_term().prop_map(|lease| SessionState::Ended { lease })
    ];
    (any::<[u8; 16]>(), any::<u64>(), state).prop_map(|(id, beat, state)| SessionRecord {
        id: SessionId(id),
        beat,
        state,
    })
}

/// Bytes near a record: one byte of it changed, cut or doubled.
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
    fn what_is_read_is_written_the_same_whatever_the_bytes(bytes: Vec<u8>) {
        prop_assert_eq!(SessionRecord::parse(&bytes), Err(Unreadable));
        prop_assert_eq!(ClusterRecord::parse(&bytes), Err(Unreadable));
    }

    #[test]
    fn a_damaged_record_is_unreadable_or_another_record_in_its_one_form(
        cluster in any_cluster(), session in any_session(), at: usize, byte: u8, how: u8,
    ) {
        let bytes = damage(cluster.to_text(), at, byte, how);
        if let Ok(read) = ClusterRecord::parse(&bytes) {
            prop_assert_eq!(read.to_text().into_bytes(), bytes);
        }
        let bytes = damage(session.to_text(), at, byte, how);
        if let Ok(read) = SessionRecord::parse(&bytes) {
            prop_assert_eq!(read.to_text().into_bytes(), bytes);
        }
    }
}

#[test]
fn records_have_exactly_one_form() {
    for text in [
        "session1 id=ID beat=1 open",
        "session1 id=ID beat=18446744073709551615 ended lease=10000",
    ] {
        assert!(
            SessionRecord::parse(text.replace("ID", ID).as_bytes()).is_ok(),
            "{text}"
        );
    }
    for text in [
        "",
        "session1",
        "session2 id=ID beat=1 open",
        "session1 id=ID beat=1",
        "session1 id=ID beat=01 open",
        "session1 id=ID beat=+1 open",
        "session1 id=ID beat= open",
        "session1 id=ID beat=18446744073709551616 open",
        "session1 id=ID beat=1 open ",
        "session1  id=ID beat=1 open",
        "session1 id=ID beat=1 open\n",
        "session1 id=ID beat=1 ended",
        "session1 id=ID beat=1 ended lease=999",
        "session1 id=ID beat=1 ended lease=300001",
        "session1 beat=1 id=ID open",
    ] {
        assert!(
            SessionRecord::parse(text.replace("ID", ID).as_bytes()).is_err(),
            "{text}"
        );
    }
    for text in [
        "cluster1 epoch=1 lease=10000 held node=a session=ID priority=1 ask=-",
        "cluster1 epoch=1 lease=10000 held node=a session=ID priority=1 ask=b:ID:2",
        "cluster1 epoch=1 lease=10000 free last=a handover_target=-",
        "cluster1 epoch=1 lease=10000 free last=a handover_target=b",
    ] {
        assert!(
            ClusterRecord::parse(text.replace("ID", ID).as_bytes()).is_ok(),
            "{text}"
        );
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
        assert!(
            ClusterRecord::parse(text.replace("ID", ID).as_bytes()).is_err(),
            "{text}"
        );
    }
}
