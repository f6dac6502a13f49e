//! `run_on = "any"`: the servers share the jobs of a cluster.

use crate::DRAIN;
use crate::node::Node;
use crate::signals::{HUP, TERM, USR1};
use control::{Request, Response, Role};
use std::fs;
use testing::servers::redis::Redis;
use testing::until;

const ANY: &str = "run_on = \"any\"\n";

/// A node that shares the cluster, and runs.
fn sharing(name: &'static str, redis: &Redis) -> Node {
    let node = Node::new(name, redis);
    node.configure(&format!("{}{ANY}", node.configuration()));
    let node = node.started();
    is_shared(&node);
    node
}

fn has_state(node: &Node, start: &str) {
    until(&format!("a state file that says {start}"), || {
        node.state().starts_with(start).then_some(())
    });
}

fn is_shared(node: &Node) {
    has_state(node, "passive shared until=");
}

fn session(node: &Node) -> String {
    let state = node.state();
    let value = state.split(" session=").nth(1).expect("a session");
    value.split(' ').next().expect("a word").to_owned()
}

#[test]
fn each_server_shares_the_cluster_and_none_holds_it() {
    let redis = Redis::start();
    let nodes = [sharing("n1", &redis), sharing("n2", &redis)];
    for node in &nodes {
        node.has_role(Role::Shared);
        assert!(
            redis
                .cli(&["GET", &format!("rcron:session/{}", node_name(node))])
                .contains(&session(node))
        );
    }
    assert_eq!(redis.cli(&["EXISTS", "rcron:cluster/web"]).trim(), "0");
    until("both nodes in the report", || {
        let Response::Status(report) = nodes[0].ask(&Request::Status { nodes: true }) else {
            panic!("a report")
        };
        let cluster = &report.clusters[0];
        assert!(cluster.shared && cluster.holder.is_none());
        let roles: Vec<Role> = cluster.nodes.iter().map(|node| node.role).collect();
        (roles == [Role::Shared, Role::Shared]).then_some(())
    });
}

fn node_name(node: &Node) -> String {
    let state = node.state();
    let value = state.split(" by=").nth(1).expect("a writer");
    value.split(' ').next().expect("a word").to_owned()
}

#[test]
fn a_reload_changes_it_in_both_directions() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let active = node.configuration();
    node.configure(&format!("{active}{ANY}"));
    node.signal(HUP);
    is_shared(&node);
    until("the release", || {
        redis
            .cli(&["GET", "rcron:cluster/web"])
            .contains(" free last=n1 ")
            .then_some(())
    });
    node.has_role(Role::Shared);
    node.configure(&active);
    node.signal(HUP);
    node.is_active();
    node.has_role(Role::Active);
    let states = ["cluster web: active", "cluster web: shared", "cluster web: active"];
    until("the states in the log, in this order", || {
        let log = node.log();
        let after = |rest: &str, state: &str| rest.split_once(state).map(|(_, rest)| rest.to_owned());
        states.iter().try_fold(log, |rest, state| after(&rest, state)).map(drop)
    });
    assert!(!node.log().contains("session is lost"), "{}", node.log());
}

#[test]
fn a_stop_and_a_drain_make_it_passive() {
    let redis = Redis::start();
    let mut node = sharing("n1", &redis);
    assert!(matches!(node.ask(&DRAIN), Response::Done { .. }));
    assert!(node.state().starts_with("passive by="), "{}", node.state());
    node.has_role(Role::Drained);
    let undrain = Request::Undrain { clusters: Vec::new() };
    assert!(matches!(node.ask(&undrain), Response::Done { .. }));
    is_shared(&node);
    node.signal(TERM);
    assert!(node.ended().success());
    assert!(node.state().starts_with("passive by="), "{}", node.state());
    assert!(redis.cli(&["GET", "rcron:session/n1"]).contains(" ended lease="));
}

#[test]
fn a_drain_waits_for_jobs_and_starts_none() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mut job = node.job("cat");
    node.journal_has("\"event\":\"start\"");
    node.configure(&format!("{}{ANY}", node.configuration()));
    node.signal(HUP);
    is_shared(&node);
    let wait = Request::Drain {
        clusters: Vec::new(),
        wait_ms: Some(600_000),
    };
    let mut replies = node.asking(&wait);
    has_state(&node, "passive shared draining ");
    node.has_role(Role::Draining);
    let waits = |reply: Response| matches!(reply, Response::Progress { text, .. } if text.contains("1 running job"));
    assert!(replies.any(waits));
    drop(job.0.stdin.take());
    assert!(job.wait().success());
    assert!(replies.any(|reply| matches!(reply, Response::Done { .. })));
    assert!(node.state().starts_with("passive by="), "{}", node.state());
}

#[test]
fn an_upgrade_resumes_the_session_unless_the_lease_has_changed() {
    let redis = Redis::start();
    let mut node = sharing("n1", &redis);
    let (id, since) = (session(&node), node.since());
    until("the shared cluster to be saved", || {
        let saved = fs::read_to_string(node.path("run/identity")).unwrap_or_default();
        saved.contains("\"shared\":{\"web\":1000}").then_some(())
    });
    node.signal(USR1);
    assert!(node.ended().success());
    node.configure(&node.configuration().replace("lease = \"1s\"", "lease = \"2s\""));
    node.start();
    until("another session", || {
        let state = node.state();
        (state.starts_with("passive shared ") && session(&node) != id).then_some(())
    });
    assert!(node.since() >= since);
}

#[test]
fn a_foreign_write_is_replaced() {
    let redis = Redis::start();
    let node = sharing("n1", &redis);
    fs::write(node.path("state"), "active\n").expect("written");
    is_shared(&node);
    until("a line in the log", || {
        node.log()
            .contains("another program has written the state file")
            .then_some(())
    });
}
