//! What a change promises.

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

pub(super) async fn of_two_that_want_the_same_one_is_refused(store: &dyn Store) {
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

pub(super) async fn a_condition_on_what_is_not_written_counts(store: &dyn Store) {
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

/// Each is right by itself; together they are what no order of the two could have done.
pub(super) async fn of_two_that_rely_on_what_the_other_writes_one_is_refused(store: &dyn Store) {
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
    // No version that a store gives.
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

pub(super) async fn a_call_that_is_given_up_is_done_whole_or_not_at_all(store: &dyn Store) {
    for round in 0..10 {
        let mut one = connect(store).await;
        let keys = [format!("o/{round}/1"), format!("o/{round}/2")];
        let both = put(
            &[(&keys[0], None), (&keys[1], None)],
            &[(&keys[0], b"x"), (&keys[1], b"x")],
        );
        // Far enough to be sent, perhaps; not so far that an answer must be there.
        let _ = tokio::time::timeout(Duration::from_micros(300 * round), one.change(&both)).await;
        drop(one);
        let mut other = connect(store).await;
        let settled = change(&mut other, &both).await;
        let there = read(&mut other, &[&keys[0], &keys[1]]).await;
        assert!(there.items.iter().all(Option::is_some), "{settled:?} {there:?}");
    }
}
