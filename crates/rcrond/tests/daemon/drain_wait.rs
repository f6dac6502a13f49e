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

/// The second cluster of a node, which has no running job.
fn with_db(node: &Node) {
    let here = node.path("").display().to_string();
    let cluster = format!(
        "[[cluster]]\nname = \"db\"\nstate_file = \"{here}db-state\"\njournal = \"{here}journal\"\nlease = \"1s\"\nsettle = \"0s\"\n"
    );
    node.configure(&format!("{}{cluster}", node.configuration()));
}

fn drain_db() -> Request {
    Request::Drain {
        clusters: vec!["db".to_owned()],
        wait_ms: None,
    }
}

fn drain_web_wait() -> Request {
    Request::Drain {
        clusters: vec!["web".to_owned()],
        wait_ms: Some(600_000),
    }
}

/// Until [`repair_disk`], clusters.json cannot be written: a directory is in its place.
fn break_disk(node: &Node) {
    let file = node.path("lib/clusters.json");
    until("a directory in place of the file", || {
        let _ = fs::remove_file(&file);
        fs::create_dir_all(file.join("x")).is_ok().then_some(())
    });
}

fn repair_disk(node: &Node) {
    fs::remove_dir_all(node.path("lib/clusters.json")).expect("removed");
}

#[test]
fn is_confirmed_by_its_own_write_if_a_later_one_fails() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    with_db(&node);
    node.start();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    let mut replies = node.asking(&drain_web_wait());
    waits_for_a_job(&mut replies);
    until("the drain on disk", || {
        let saved = fs::read_to_string(node.path("lib/clusters.json")).ok()?;
        saved.contains("600000").then_some(())
    });
    break_disk(&node);
    let Response::Error { message } = node.ask(&drain_db()) else {
        panic!("written")
    };
    assert!(message.contains("could not be written to disk"), "{message}");
    drop(job.0.stdin.take());
    assert!(job.wait().success());
    assert!(replies.any(|reply| matches!(reply, Response::Done { .. })));
}

/// One write has all drains that were requested before it.
#[test]
fn is_confirmed_by_a_later_write_if_its_own_fails() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    with_db(&node);
    node.start();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    break_disk(&node);
    let mut replies = node.asking(&drain_web_wait());
    waits_for_a_job(&mut replies);
    until("the failure", || {
        node.log().contains("cannot write the epochs").then_some(())
    });
    repair_disk(&node);
    assert!(matches!(node.ask(&drain_db()), Response::Done { .. }));
    drop(job.0.stdin.take());
    assert!(job.wait().success());
    assert!(replies.any(|reply| matches!(reply, Response::Done { .. })));
}
