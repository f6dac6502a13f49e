//! `drain` and `undrain`.

use crate::DRAIN;
use crate::node::Node;
use crate::signals::TERM;
use control::{DrainOrigin, Request, Response, Role};
use jiff::Timestamp;
use nix::unistd::{Uid, User};
use std::fs;
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn lasts_over_a_restart_until_undrain() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis).started();
    node.is_active();
    let lines = vec!["web: drained".to_owned()];
    assert_eq!(node.ask(&DRAIN), Response::Done { lines });
    assert!(node.state().starts_with("passive "));
    node.signal(TERM);
    node.ended();
    node.start();
    node.has_role(Role::Drained);
    let undrain = Request::Undrain { clusters: Vec::new() };
    assert!(matches!(node.ask(&undrain), Response::Done { .. }));
    node.is_active();
}

#[test]
fn the_drained_node_reports_at_once_who_has_taken_over() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let held = redis.cli(&["GET", "rcron:cluster/web"]);
    node.ask(&DRAIN);
    // Redis publishes nothing about this change, so that the node learns of it only by reading the record.
    let taken = held
        .trim_end()
        .replace("epoch=1 ", "epoch=2 ")
        .replace("node=n1 ", "node=n2 ");
    assert_ne!(taken, held.trim_end());
    redis.cli(&["SET", "rcron:cluster/web", &taken]);
    let Response::Status(report) = node.ask(&Request::Status { nodes: true }) else {
        panic!("a report")
    };
    let cluster = &report.clusters[0];
    assert_eq!((cluster.holder.as_deref(), cluster.epoch), (Some("n2"), 2));
    let epochs: Vec<_> = cluster.nodes.iter().map(|node| (&*node.name, node.epoch)).collect();
    assert_eq!(epochs, [("n1", None), ("n2", None)], "n2 has no session");
}

/// This process's user, and its login if the kernel knows one.
fn own_name() -> String {
    let name = |uid: u32| {
        let user = User::from_uid(Uid::from_raw(uid)).expect("looked up");
        user.map_or_else(|| format!("user {uid}"), |user| user.name)
    };
    let uid = nix::unistd::geteuid().as_raw();
    let login = fs::read_to_string("/proc/self/loginuid").ok();
    let login = login.and_then(|login| login.trim_end().parse().ok());
    match login.filter(|login| ![uid, u32::MAX].contains(login)) {
        Some(login) => format!("{} (login {})", name(uid), name(login)),
        None => name(uid),
    }
}

/// Where the drain of n1 comes from, according to the node itself, and to the store.
fn origins(node: &Node) -> [Option<DrainOrigin>; 2] {
    let Response::Status(mut report) = node.ask(&Request::Status { nodes: true }) else {
        panic!("a report")
    };
    let cluster = report.clusters.remove(0);
    let mut nodes = cluster.nodes.into_iter();
    let own = nodes.find(|node| node.name == "n1");
    [cluster.drain, own.and_then(|own| own.drain)]
}

#[test]
fn its_time_and_user_are_known_to_all_nodes_and_after_a_restart() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis).started();
    node.is_active();
    assert_eq!(origins(&node), [None, None]);
    node.ask(&DRAIN);
    let origin = origins(&node)[0].clone().expect("an origin");
    assert_eq!(origin.by, own_name());
    let since: Timestamp = origin.since.parse().expect("RFC 3339");
    node.has_logged(&format!("drain requested by {}", origin.by));
    // By the same user in another second: the first counts.
    until("the next second", || {
        (Timestamp::now().as_second() > since.as_second()).then_some(())
    });
    node.ask(&DRAIN);
    node.signal(TERM);
    node.ended();
    node.start();
    node.has_role(Role::Drained);
    let other = Node::new("n2", &redis).started();
    until("the other node to know it", || {
        let Response::Status(report) = other.ask(&Request::Status { nodes: true }) else {
            panic!("a report")
        };
        let mut nodes = report.clusters[0].nodes.iter();
        let found = nodes.find(|found| found.name == "n1" && found.role == Role::Drained)?;
        (found.drain.as_ref() == Some(&origin)).then_some(())
    });
    until("the node to know it", || {
        (origins(&node) == [Some(origin.clone()), Some(origin.clone())]).then_some(())
    });
    node.ask(&Request::Undrain { clusters: Vec::new() });
    assert_eq!(origins(&node), [None, None]);
}

#[test]
fn refuses_an_unknown_cluster() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    let drain = Request::Drain {
        clusters: vec!["wep".to_owned()],
        wait_ms: None,
    };
    let Response::Error { message } = node.ask(&drain) else {
        panic!("refused")
    };
    assert!(message.contains("\"wep\"") && message.contains("web"), "{message}");
}

#[test]
fn fails_if_it_cannot_be_written_to_disk() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    // A directory in place of the file: not even root can rename a file over it.
    fs::remove_file(node.path("lib/clusters.json")).expect("removed");
    fs::create_dir_all(node.path("lib/clusters.json/x")).expect("made");
    let Response::Error { message } = node.ask(&DRAIN) else {
        panic!("written")
    };
    assert!(message.contains("could not be written to disk"), "{message}");
    assert!(node.state().starts_with("passive "), "{}", node.state());
}
