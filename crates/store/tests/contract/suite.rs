//! The contract, expressed in calls. Each function uses keys of its own, so that all can run on one store.

mod changes;

use crate::client::connect;
use store::{Change, Connection, LONGEST_VALUE, Snapshot, Store, Verdict};

/// Runs the whole contract.
pub(crate) async fn all(store: &dyn Store) {
    store.init().await.expect("prepared");
    store.init().await.expect("prepared twice");
    a_read_returns_what_was_written(store).await;
    changes::a_change_is_all_or_nothing(store).await;
    every_write_changes_the_version(store).await;
    changes::one_of_two_equal_changes_is_refused(store).await;
    changes::another_incarnation_is_refused(store).await;
    a_change_and_a_read_of_many_keys(store).await;
    a_key_is_any_text_and_a_value_any_bytes(store).await;
    if store.reports_changes() {
        a_watch_reports_its_keys(store).await;
        a_watch_reports_many_keys(store).await;
    } else {
        assert!(store.watch(vec!["i/1".to_owned()]).await.is_err());
    }
    changes::a_condition_may_be_on_a_record_that_is_not_written(store).await;
    changes::one_of_two_crossed_changes_is_refused(store).await;
    changes::conditions_without_writes_are_answered(store).await;
    a_value_that_is_too_long_is_not_written(store).await;
    changes::an_abandoned_change_is_all_or_nothing(store).await;
}

fn put(conditions: &[(&str, Option<u64>)], writes: &[(&str, &[u8])]) -> Change {
    Change {
        incarnation: None,
        conditions: conditions
            .iter()
            .map(|(key, version)| ((*key).to_owned(), *version))
            .collect(),
        writes: writes
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.to_vec()))
            .collect(),
    }
}

async fn read(connection: &mut Box<dyn Connection>, keys: &[&str]) -> Snapshot {
    let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
    let snapshot = connection.read(&keys).await.expect("read");
    assert_eq!(snapshot.items.len(), keys.len());
    snapshot
}

async fn change(connection: &mut Box<dyn Connection>, change: &Change) -> Verdict {
    connection.change(change).await.expect("answered")
}

fn versions(snapshot: &Snapshot) -> Vec<Option<u64>> {
    snapshot
        .items
        .iter()
        .map(|item| item.as_ref().map(|item| item.version))
        .collect()
}

async fn a_read_returns_what_was_written(store: &dyn Store) {
    let mut one = connect(store).await;
    assert_eq!(versions(&read(&mut one, &["a/1", "a/2"]).await), [None, None]);
    let written = change(&mut one, &put(&[("a/1", None)], &[("a/1", b"one")])).await;
    assert_eq!(written, Verdict::Done);
    // Another connection reads it at once, too.
    let mut other = connect(store).await;
    let snapshot = read(&mut other, &["a/2", "a/1"]).await;
    assert_eq!(snapshot.items[0], None);
    assert_eq!(snapshot.items[1].as_ref().expect("there").value, b"one");
}

async fn every_write_changes_the_version(store: &dyn Store) {
    let mut one = connect(store).await;
    let mut seen = Vec::new();
    for _ in 0..20 {
        // A write of the same content is a write too.
        let last = seen.last().copied();
        assert_eq!(
            change(&mut one, &put(&[("c", last)], &[("c", b"same")])).await,
            Verdict::Done
        );
        let version = versions(&read(&mut one, &["c"]).await)[0].expect("there");
        assert!(!seen.contains(&version), "{version} again: {seen:?}");
        seen.push(version);
    }
}

async fn a_change_and_a_read_of_many_keys(store: &dyn Store) {
    let mut one = connect(store).await;
    let keys: Vec<_> = (0..1000).map(|n| format!("f/{n}")).collect();
    let some: Vec<_> = keys
        .iter()
        .take(101)
        .map(|key| (key.clone(), key.clone().into_bytes()))
        .collect();
    let many = Change {
        incarnation: None,
        conditions: some.iter().map(|(key, _)| (key.clone(), None)).collect(),
        writes: some.clone(),
    };
    assert_eq!(change(&mut one, &many).await, Verdict::Done);
    let snapshot = one.read(&keys).await.expect("read");
    for (index, item) in snapshot.items.iter().enumerate() {
        let value = item.as_ref().map(|item| item.value.clone());
        assert_eq!(value, some.get(index).map(|(_, value)| value.clone()), "{index}");
    }
}

async fn a_key_is_any_text_and_a_value_any_bytes(store: &dyn Store) {
    let mut one = connect(store).await;
    let long = "x".repeat(2000);
    let empty = put(&[("g/empty", None)], &[("g/empty", b"")]);
    assert_eq!(change(&mut one, &empty).await, Verdict::Done);
    let found = read(&mut one, &["g/empty"]).await.items;
    assert_eq!(found[0].as_ref().expect("present, though empty").value, b"");
    for key in ["g", "g/", "g/ü ß/\n", "g/a%b_c\\d'e\"f*g?h[i]", &long] {
        let value: Vec<u8> = (0..=255).collect();
        assert_eq!(
            change(&mut one, &put(&[(key, None)], &[(key, &value)])).await,
            Verdict::Done
        );
        assert_eq!(
            read(&mut one, &[key]).await.items[0].as_ref().expect("there").value,
            value
        );
    }
}

async fn a_watch_reports_its_keys(store: &dyn Store) {
    let mut one = connect(store).await;
    let mut watch = store
        .watch(vec!["i/1".to_owned(), "i/2".to_owned()])
        .await
        .expect("watching");
    for key in ["i/2", "i/1", "i/2"] {
        assert_eq!(change(&mut one, &put(&[], &[(key, b"new")])).await, Verdict::Done);
        watch.changed().await.expect("reported");
    }
}

async fn a_watch_reports_many_keys(store: &dyn Store) {
    let mut one = connect(store).await;
    let keys: Vec<_> = (0..300).map(|n| format!("k/{n}")).collect();
    let mut watch = store.watch(keys).await.expect("watching");
    assert_eq!(change(&mut one, &put(&[], &[("k/299", b"new")])).await, Verdict::Done);
    watch.changed().await.expect("reported");
}

async fn a_value_that_is_too_long_is_not_written(store: &dyn Store) {
    let longest = vec![b'x'; LONGEST_VALUE];
    let mut one = connect(store).await;
    assert_eq!(change(&mut one, &put(&[], &[("n/1", &longest)])).await, Verdict::Done);
    assert_eq!(
        read(&mut one, &["n/1"]).await.items[0].as_ref().expect("there").value,
        longest
    );
    let longer = [&longest[..], b"x"].concat();
    let error = one.change(&put(&[], &[("n/2", &longer)])).await.expect_err("too long");
    assert!(error.what().contains("n/2"), "{error}");
    assert_eq!(versions(&read(&mut connect(store).await, &["n/2"]).await), [None]);
}
