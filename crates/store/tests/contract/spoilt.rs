//! Another program has written something in the place of a record.

use crate::client::{connect, write};
use store::{Change, Connection, Item, Snapshot, Store, Verdict};

/// A value that rcrond would never write affects no key but its own. It has a version that stays the same while it does, and a
/// change can replace it on the condition that it still has this version. Returns it.
///
/// `spoil` writes the value in the place of the record `spoilt`.
pub(crate) async fn affects_only_its_own_key(store: &dyn Store, spoil: impl FnOnce()) -> Item {
    // More keys than one call reads.
    let mut keys: Vec<_> = (0..120).map(|number| format!("sound/{number}")).collect();
    "spoilt".clone_into(&mut keys[60]);
    let mut connection = connect(store).await;
    for some in keys.chunks(60) {
        let all = Change {
            writes: some.iter().map(|key| (key.clone(), key.clone().into_bytes())).collect(),
            ..Change::default()
        };
        assert_eq!(connection.change(&all).await, Ok(Verdict::Done));
    }
    spoil();
    let found = connection.read(&keys).await.expect("read");
    for (key, item) in keys.iter().zip(&found.items).filter(|(key, _)| *key != "spoilt") {
        assert_eq!(item.as_ref().expect("there").value, key.as_bytes());
    }
    let item = found.items[60].clone().expect("present, though spoilt");
    assert_eq!(read_spoilt(&mut connection).await, Some(item.clone()), "it is stable");

    assert_eq!(connection.change(&write("sound/1")).await, Ok(Verdict::Done));
    for version in [None, Some(item.version ^ 1)] {
        assert_eq!(connection.change(&replace(&found, version)).await, Ok(Verdict::Refused));
    }
    assert_eq!(
        read_spoilt(&mut connection).await,
        Some(item.clone()),
        "nothing was written"
    );
    assert_eq!(
        connection.change(&replace(&found, Some(item.version))).await,
        Ok(Verdict::Done)
    );
    let healed = read_spoilt(&mut connection).await.expect("there");
    assert_eq!(healed.value, b"x");
    assert_ne!(healed.version, item.version);
    item
}

fn replace(found: &Snapshot, version: Option<u64>) -> Change {
    Change {
        incarnation: found.incarnation.clone(),
        conditions: vec![("spoilt".to_owned(), version)],
        ..write("spoilt")
    }
}

pub(crate) async fn read_spoilt(connection: &mut Box<dyn Connection>) -> Option<Item> {
    let found = connection.read(&["spoilt".to_owned()]).await.expect("read");
    found.items.into_iter().next().expect("one")
}
