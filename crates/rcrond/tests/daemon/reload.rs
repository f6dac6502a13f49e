//! SIGHUP.

use crate::node::Node;
use crate::signals::HUP;
use control::{Request, Response};
use std::fs;
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn changes_what_can_change_and_refuses_the_rest() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let good = node.configuration();
    node.configure(&good.replace("lease = \"1s\"", "leese = \"1s\""));
    node.signal(HUP);
    until("the refusal", || {
        node.log().contains("did you mean `lease`?").then_some(())
    });
    node.configure(&good.replace("node = \"n1\"", "node = \"n2\""));
    node.signal(HUP);
    until("the refusal", || {
        node.log()
            .contains("node cannot be changed without a restart")
            .then_some(())
    });
    let more = format!(
        "{}[[cluster]]\nname = \"db\"\nstate_file = \"{}\"\nlease = \"1s\"\n",
        good.replace("priority = 100", "priority = 7"),
        node.path("db-state").display()
    );
    node.configure(&more);
    node.signal(HUP);
    until("the new cluster", || {
        fs::read_to_string(node.path("db-state"))
            .ok()
            .filter(|text| text.starts_with("active "))
    });
    let Response::Status(report) = node.ask(&Request::Status { nodes: false }) else {
        panic!("a report")
    };
    assert_eq!(report.clusters[0].priority, 7);
    node.configure(&good);
    node.signal(HUP);
    until("the removed cluster to be released", || {
        fs::read_to_string(node.path("db-state"))
            .ok()
            .filter(|text| text.starts_with("passive "))
    });
    node.is_renewed();
    assert!(
        node.state().contains(" epoch=1 "),
        "no lease was lost: {}",
        node.state()
    );
}
