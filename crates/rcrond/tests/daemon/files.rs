//! State files, epochs and the other files of the daemon.

use crate::node::Node;
use control::Role;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn a_node_that_cannot_write_its_state_file_releases_the_cluster() {
    let redis = Redis::start();
    let first = Node::new("n1", &redis).started();
    first.is_active();
    // A directory in place of the file: not even root can replace it.
    fs::remove_file(first.path("state")).expect("removed");
    fs::create_dir(first.path("state")).expect("made");
    let second = Node::new("n2", &redis).started();
    second.is_active();
    until("a message", || {
        first.log().contains("the state file cannot be written").then_some(())
    });
    fs::remove_dir(first.path("state")).expect("removed");
    first.has_role(Role::Standby);
    until("the file", || first.path("state").is_file().then_some(()));
    assert!(first.state().starts_with("passive "), "{}", first.state());
}

#[test]
fn epochs_that_cannot_be_read_are_not_taken_as_zero() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis);
    fs::create_dir(node.path("lib")).expect("made");
    fs::write(node.path("lib/clusters.json"), "{").expect("written");
    let done = testing::run(&mut node.command());
    assert_eq!(done.code(), Some(1));
    assert!(done.stderr().contains("move it away"), "{}", done.stderr());
}

#[test]
fn modes_permit_what_is_needed() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mode = |name: &str| fs::metadata(node.path(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!(mode("state"), 0o644, "the jobs of all users read it");
    assert_eq!(mode("run/identity"), 0o600);
    assert_eq!(mode("socket"), 0o666, "the kernel tells the daemon who the client is");
}
