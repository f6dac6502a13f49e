//! `drain --wait`.

use crate::node::Node;
use control::{Request, Response, Role};
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn keeps_the_cluster_while_a_job_runs() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    let mut replies = node.asking(&Request::Drain {
        clusters: Vec::new(),
        wait_ms: Some(600_000),
    });
    until("the file", || {
        node.state().starts_with("active draining ").then_some(())
    });
    let text = "web: waiting for 1 running job".to_owned();
    assert!(
        replies.any(|reply| reply == Response::Progress { text: text.clone() }),
        "it reports what it waits for"
    );
    node.has_role(Role::Draining);
    drop(job.0.stdin.take());
    assert!(job.wait().success());
    assert!(replies.any(|reply| matches!(reply, Response::Done { .. })));
    assert!(node.state().starts_with("passive "), "{}", node.state());
}
