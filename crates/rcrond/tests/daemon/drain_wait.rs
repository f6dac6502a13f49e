//! `drain --wait`.

use crate::DRAIN;
use crate::node::Node;
use control::{Request, Response, Role};
use std::fs;
use testing::servers::redis::Redis;
use testing::until;

/// With this limit in milliseconds.
const fn drain_wait(wait_ms: u64) -> Request {
    Request::Drain {
        clusters: Vec::new(),
        wait_ms: Some(wait_ms),
    }
}

/// Reads the answers until rcrond reports what it waits for.
fn waits_for_a_job(replies: &mut impl Iterator<Item = Response>) {
    let is_it = |reply: Response| matches!(reply, Response::Progress { text, .. } if text == "web: waiting for 1 running job (cat)");
    assert!(replies.any(is_it), "it reports what it waits for");
}

fn error_in(replies: &mut impl Iterator<Item = Response>) -> String {
    match replies.last() {
        Some(Response::Error { message }) => message,
        other => panic!("{other:?} instead of an error"),
    }
}

#[test]
fn keeps_the_cluster_while_a_job_runs() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    let mut replies = node.asking(&drain_wait(600_000));
    until("the file", || {
        node.state().starts_with("active draining ").then_some(())
    });
    waits_for_a_job(&mut replies);
    node.has_role(Role::Draining);
    drop(job.0.stdin.take());
    assert!(job.wait().success());
    assert!(replies.any(|reply| matches!(reply, Response::Done { .. })));
    assert!(node.state().starts_with("passive "), "{}", node.state());
}

/// After a failover: the state file is passive, and the job was started before.
#[test]
fn waits_on_a_standby_too() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    assert!(matches!(node.ask(&DRAIN), Response::Done { .. }));
    assert!(node.state().starts_with("passive "), "{}", node.state());
    let mut replies = node.asking(&drain_wait(600_000));
    waits_for_a_job(&mut replies);
    drop(job.0.stdin.take());
    assert!(job.wait().success());
    assert!(replies.any(|reply| matches!(reply, Response::Done { .. })));
    // Without a job there is nothing to wait for.
    assert!(matches!(node.ask(&drain_wait(600_000)), Response::Done { .. }));
}

#[test]
fn fails_if_jobs_outlast_it() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    let message = error_in(&mut node.asking(&drain_wait(3_000)));
    assert!(
        message.starts_with("web: drained, but the time to wait is over for 1 running job (cat)"),
        "{message}"
    );
    assert!(node.state().starts_with("passive "), "{}", node.state());
    drop(job.0.stdin.take());
    job.wait();
}

#[test]
fn ends_with_undrain_and_says_so() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    let mut replies = node.asking(&drain_wait(600_000));
    waits_for_a_job(&mut replies);
    let undrain = Request::Undrain { clusters: Vec::new() };
    assert!(matches!(node.ask(&undrain), Response::Done { .. }));
    let message = error_in(&mut replies);
    assert_eq!(message, "web: undrain was requested, and it is not drained");
    node.has_role(Role::Active);
    drop(job.0.stdin.take());
    job.wait();
}

#[test]
fn ends_with_a_drain_that_does_not_wait() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    let mut replies = node.asking(&drain_wait(600_000));
    waits_for_a_job(&mut replies);
    assert!(matches!(node.ask(&DRAIN), Response::Done { .. }));
    let message = error_in(&mut replies);
    assert!(
        message.starts_with("web: another drain does not wait for running jobs"),
        "{message}"
    );
    // The wait is over, also for a process that is started later.
    let saved = fs::read_to_string(node.path("lib/clusters.json")).expect("there");
    assert!(saved.contains("\"drained\"") && !saved.contains("wait_ms"), "{saved}");
    drop(job.0.stdin.take());
    job.wait();
}
