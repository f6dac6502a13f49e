//! The store fails.

use crate::node::Node;
use testing::servers::TestServer;
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn outage_is_logged_once_and_no_node_is_active_until_its_end() {
    let mut redis = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let node = Node::new("n1", &redis).started();
    node.is_active();
    redis.kill();
    until("the lease to expire", || {
        node.state().starts_with("passive ").then_some(())
    });
    redis.start_again();
    node.is_active();
    let silent = node.log().matches("the store does not answer").count();
    assert_eq!(silent, 1, "{}", node.log());
    // To the daemon, the server is another one now: it has waited for the lease, and the epoch has grown.
    assert!(!node.state().contains(" epoch=1 "), "{}", node.state());
}

#[test]
fn loss_of_all_data_does_not_make_epochs_smaller() {
    let mut redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    redis.kill();
    redis.lose_data();
    redis.start_again();
    until("the next epoch", || {
        let state = node.state();
        (state.starts_with("active ") && !state.contains(" epoch=1 ")).then_some(())
    });
}
