//! When a node that wins a cluster is active.

use super::*;

/// n1 was active with epoch 1, has released the cluster, and stays out.
fn released() -> Fixture {
    let mut fixture = Fixture::new(start(None, None));
    fixture.incarnation = 0;
    let mut fixture = fixture.wins();
    fixture.give(Input::Drain {
        cluster: name(),
        wait: false,
    });
    fixture.pass_ms(1000);
    assert!(fixture.cluster().is_some_and(|record| record.holder().is_none()));
    fixture
}

#[test]
fn is_at_once_if_the_node_held_the_cluster_last() {
    let mut fixture = released();
    fixture.give(Input::Undrain(name()));
    fixture.pass_ms(300);
    assert_eq!(fixture.epoch(), Some(2));
    assert!(fixture.is_active());
}

#[test]
fn is_after_settle_if_the_store_went_back_unnoticed() {
    let mut fixture = released();
    let mut before = fixture.cluster().expect("a record").clone();
    let later = ClusterRecord {
        epoch: 2,
        ..before.clone()
    };
    fixture.put(Key::Cluster(name()), Record::Cluster(later));
    fixture.pass_ms(5000);
    // Another node has held the cluster, and a record from before that is back.
    before.epoch = 1;
    fixture.put(Key::Cluster(name()), Record::Cluster(before));
    fixture.give(Input::Undrain(name()));
    fixture.pass_ms(300);
    assert_eq!(fixture.epoch(), Some(3), "greater than each that was seen");
    assert!(!fixture.is_active());
    fixture.pass_ms(1000);
    assert!(fixture.is_active());
}
