//! The promises about changes.

use super::{change, connect, put, read, versions};
use std::time::Duration;
use store::{Store, Verdict};

pub(super) async fn a_change_is_all_or_nothing(store: &dyn Store) {
    let mut one = connect(store).await;
    assert_eq!(
        change(&mut one, &put(&[], &[("b/1", b"x"), ("b/2", b"y")])).await,
        Verdict::Done
    );
    let before = read(&mut one, &["b/1", "b/2", "b/3"]).await;
    let [first, second, _] = versions(&before)[..] else {
        panic!("three")
    };
    let half = put(
        &[("b/1", first), ("b/2", second.map(|version| version.wrapping_add(1)))],
        &[("b/1", b"z"), ("b/3", b"z")],
    );
    assert_eq!(change(&mut one, &half).await, Verdict::Refused);
    let there = put(&[("b/1", None)], &[("b/3", b"z")]);
    assert_eq!(change(&mut one, &there).await, Verdict::Refused);
    let missing = put(&[("b/3", first)], &[("b/3", b"z")]);
    assert_eq!(change(&mut one, &missing).await, Verdict::Refused);
    assert_eq!(read(&mut one, &["b/1", "b/2", "b/3"]).await.items, before.items);
}

pub(super) async fn one_of_two_equal_changes_is_refused(store: &dyn Store) {
    let (mut one, mut other) = (connect(store).await, connect(store).await);
    for round in 0..20 {
        let key = format!("d/{round}");
        let wanted = put(&[(&key, None)], &[(&key, b"mine")]);
        let (first, second) = tokio::join!(one.change(&wanted), other.change(&wanted));
        let verdicts = [first.expect("answered"), second.expect("answered")];
        let done = verdicts.iter().filter(|verdict| **verdict == Verdict::Done).count();
        assert_eq!(done, 1, "{verdicts:?}");
    }
}

pub(super) async fn another_incarnation_is_refused(store: &dyn Store) {
    let mut one = connect(store).await;
    let snapshot = read(&mut one, &["e"]).await;
    let mut change_of = put(&[("e", None)], &[("e", b"x")]);
    change_of.incarnation = Some(b"another".to_vec());
    if snapshot.incarnation.is_some() {
        assert_eq!(change(&mut one, &change_of).await, Verdict::Refused);
        assert_eq!(versions(&read(&mut one, &["e"]).await), [None]);
    }
    change_of.incarnation.clone_from(&snapshot.incarnation);
    assert_eq!(change(&mut one, &change_of).await, Verdict::Done);
    let later = read(&mut one, &["e"]).await;
    assert_eq!(later.incarnation, snapshot.incarnation);
    assert!(later.revision >= snapshot.revision);
}

pub(super) async fn a_condition_may_be_on_a_record_that_is_not_written(store: &dyn Store) {
    let mut one = connect(store).await;
    assert_eq!(
        change(&mut one, &put(&[("j/none", None)], &[("j/1", b"x")])).await,
        Verdict::Done
    );
    assert_eq!(
        change(&mut one, &put(&[("j/1", None)], &[("j/2", b"x")])).await,
        Verdict::Refused
    );
    assert_eq!(versions(&read(&mut one, &["j/2"]).await), [None]);
}

/// Each change alone could be done, but in no order could both be done.
pub(super) async fn one_of_two_crossed_changes_is_refused(store: &dyn Store) {
    let (mut one, mut other) = (connect(store).await, connect(store).await);
    for round in 0..20 {
        let (left, right) = (format!("l/{round}/left"), format!("l/{round}/right"));
        let first = put(&[(&left, None)], &[(&right, b"x")]);
        let second = put(&[(&right, None)], &[(&left, b"x")]);
        let (first, second) = tokio::join!(one.change(&first), other.change(&second));
        let verdicts = [first.expect("answered"), second.expect("answered")];
        let done = verdicts.iter().filter(|verdict| **verdict == Verdict::Done).count();
        assert_eq!(done, 1, "{verdicts:?}");
    }
}

pub(super) async fn conditions_without_writes_are_answered(store: &dyn Store) {
    let mut one = connect(store).await;
    assert_eq!(change(&mut one, &put(&[("m", None)], &[])).await, Verdict::Done);
    assert_eq!(change(&mut one, &put(&[("m", Some(1))], &[])).await, Verdict::Refused);
    assert_eq!(change(&mut one, &put(&[], &[("m", b"x")])).await, Verdict::Done);
    assert_eq!(change(&mut one, &put(&[("m", None)], &[])).await, Verdict::Refused);
    // No store gives these versions.
    for never in [0, u64::MAX] {
        assert_eq!(
            change(&mut one, &put(&[("m", Some(never))], &[("m", b"y")])).await,
            Verdict::Refused
        );
        assert_eq!(
            change(&mut one, &put(&[("m/none", Some(never))], &[("m/none", b"y")])).await,
            Verdict::Refused
        );
    }
    assert_eq!(change(&mut one, &put(&[], &[])).await, Verdict::Done);
}

pub(super) async fn an_abandoned_change_is_all_or_nothing(store: &dyn Store) {
    for round in 0..10 {
        let mut one = connect(store).await;
        let keys = [format!("o/{round}/1"), format!("o/{round}/2")];
        let both = put(
            &[(&keys[0], None), (&keys[1], None)],
            &[(&keys[0], b"x"), (&keys[1], b"x")],
        );
        // The time may be enough to send the change, but not for its answer.
        let _ = tokio::time::timeout(Duration::from_micros(300 * round), one.change(&both)).await;
        drop(one);
        let mut other = connect(store).await;
        let settled = change(&mut other, &both).await;
        let there = read(&mut other, &[&keys[0], &keys[1]]).await;
        assert!(there.items.iter().all(Option::is_some), "{settled:?} {there:?}");
    }
}
