//! How a session begins, ends and is resumed.

use crate::node::Node;
use crate::signals::{TERM, USR1};
use control::{Request, Response, Role};
use std::fs;
use std::time::{Duration, Instant};
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn begins_when_the_only_node_takes_over() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let state = node.state();
    for word in ["active until=", " boot=", " epoch=1 ", " by=n1 ", " since="] {
        assert!(state.contains(word), "{state}");
    }
    // The daemon learns a moment later that the file was written.
    node.has_role(Role::Active);
    let Response::Status(report) = node.ask(&Request::Status { nodes: true }) else {
        panic!("a report")
    };
    assert_eq!((report.node.as_str(), report.store.answers), ("n1", true));
    let cluster = &report.clusters[0];
    assert_eq!(
        (cluster.role, cluster.epoch, cluster.holder.as_deref()),
        (Role::Active, 1, Some("n1"))
    );
    assert_eq!(cluster.nodes.len(), 1);
}

#[test]
fn ends_with_a_stop_and_the_next_start_opens_a_new_one() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis).started();
    node.is_active();
    node.signal(TERM);
    assert!(node.ended().success());
    assert!(node.state().starts_with("passive "), "{}", node.state());
    assert!(redis.cli(&["GET", "rcron:cluster/web"]).contains(" free last=n1 "));
    assert!(!node.path("run/identity").exists());
    node.start();
    node.is_active();
    // The next epoch may have been reserved and not used.
    assert!(!node.state().contains(" epoch=1 "), "{}", node.state());
    assert!(!node.log().contains("session is lost"), "{}", node.log());
}

#[test]
fn is_resumed_after_an_upgrade_without_a_failover() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis).started();
    node.is_active();
    let since = node.since();
    node.signal(USR1);
    assert!(node.ended().success());
    assert!(node.state().starts_with("active "), "{}", node.state());
    node.start();
    node.is_renewed();
    assert!(node.state().contains(" epoch=1 "), "{}", node.state());
    assert_eq!(node.since(), since);
}

/// A later process that no longer has the cluster must know that the session may hold it.
#[test]
fn is_saved_again_if_it_is_resumed_with_a_new_cluster() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis).started();
    node.is_active();
    node.signal(USR1);
    node.ended();
    let file = node.path("db-state");
    let cluster = format!("[[cluster]]\nname = \"db\"\nstate_file = \"{}\"\n", file.display());
    node.configure(&format!("{}{cluster}", node.configuration()));
    node.start();
    let saved = || fs::read_to_string(node.path("run/identity")).unwrap_or_default();
    until("the new cluster to be saved", || {
        saved().contains("\"db\"").then_some(())
    });
    assert!(!node.log().contains("has a session in the store"), "{}", node.log());
}

#[test]
fn is_not_resumed_if_state_files_were_exchanged() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    let one = node.configuration();
    let two = |first: &str, second: &str| {
        let first = one.replace("/state\"", &format!("/{first}\""));
        let second = node.path(second);
        let second = second.display();
        format!("{first}[[cluster]]\nname = \"db\"\nstate_file = \"{second}\"\nlease = \"1s\"\nsettle = \"0s\"\n")
    };
    let (before, after) = (two("state", "other"), two("other", "state"));
    node.configure(&before);
    node.start();
    node.is_active();
    until("the other", || {
        fs::read_to_string(node.path("other"))
            .ok()
            .filter(|text| text.starts_with("active "))
    });
    node.signal(USR1);
    node.ended();
    node.configure(&after);
    node.start();
    // A session that is resumed would not be opened again.
    until("another session", || {
        node.log().contains("has a session in the store").then_some(())
    });
    node.is_active();
}

#[test]
fn keeps_a_second_process_from_starting() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let done = testing::run(&mut node.command());
    assert_eq!(done.code(), Some(1));
    assert!(done.stderr().contains("another rcrond is running"), "{}", done.stderr());
    // systemd starts it again and again: it does not fill the log.
    let begun = Instant::now();
    let done = testing::run(node.command().env("NOTIFY_SOCKET", node.path("none")));
    assert_eq!(done.code(), Some(1));
    assert!(begun.elapsed() >= Duration::from_secs(2));
    node.is_renewed();
}

#[test]
fn keeps_a_second_machine_with_this_name_out() {
    let redis = Redis::start();
    let first = Node::new("n1", &redis).started();
    first.is_active();
    let clone = Node::new("n1", &redis).started();
    until("the clone to log it", || {
        clone.log().contains("this node's name").then_some(())
    });
    first.is_renewed();
    assert!(clone.state().starts_with("passive "), "{}", clone.state());
    let store = |node: &Node| match node.ask(&Request::Status { nodes: false }) {
        Response::Status(report) => report.store,
        other => panic!("{other:?} instead of a report"),
    };
    assert_eq!(
        store(&clone).session_failure.as_deref(),
        Some("another running machine has this node's name: give one of them another name in rcrond.toml")
    );
    assert_eq!(store(&first).session_failure, None);
    drop(first);
    until("the clone to have a session", || store(&clone).session.then_some(()));
    assert_eq!(store(&clone).session_failure, None);
}
