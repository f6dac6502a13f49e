//! `drain` and `undrain`.

use crate::DRAIN;
use crate::node::Node;
use crate::signals::TERM;
use control::{Request, Response, Role};
use std::fs;
use testing::servers::redis::Redis;

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
