//! How servers differ, as rcrond finds it. Both run on this machine, so they have the same crontabs.

use crate::metrics::{free_address, scrape};
use crate::node::Node;
use control::{DifferenceKind as Kind, DriftReport, Request, Response};
use std::fs;
use testing::servers::redis::Redis;
use testing::until;

/// What the node answers; `None` while it has not read what it needs.
fn drift(node: &Node) -> Option<DriftReport> {
    match node.ask(&Request::Drift {}) {
        Response::Drift(report) => Some(report),
        Response::Error { message } => {
            assert!(message.contains("cannot be compared yet"), "{message}");
            None
        }
        answer => panic!("{answer:?}"),
    }
}

/// The kinds and keys of the differences, with the nodes of each value.
fn found(report: &DriftReport) -> Vec<(Kind, Option<&str>, Vec<String>)> {
    // An ordinary user cannot read all crontabs.
    let differences = report.differences.iter().filter(|found| found.kind != Kind::Incomplete);
    differences
        .map(|found| {
            let values = found.values.iter();
            let values = values.map(|value| format!("{}={}", value.nodes.join("+"), value.value));
            (found.kind, found.key.as_deref(), values.collect())
        })
        .collect()
}

#[test]
fn settings_that_differ_are_found_and_counted() {
    let redis = Redis::start();
    let one = Node::new("n1", &redis).started();
    one.is_active();
    until("its record in the store", || {
        let record = redis.cli(&["GET", "rcron:node-jobs/n1"]);
        record.contains("\"format\":2").then_some(())
    });
    let mut two = Node::new("n2", &redis);
    let address = free_address();
    let toml = two.configuration().replace("settle = \"0s\"", "settle = \"2s\"");
    two.configure(&format!("{toml}[metrics]\nlisten = \"{address}\"\n"));
    let conf = fs::read_to_string(two.path("rcron.conf")).expect("there");
    fs::write(two.path("rcron.conf"), format!("{conf}on_demotion = terminate\n")).expect("written");
    two.start();
    let expected = [
        (
            Kind::RcrondKey,
            Some("settle"),
            vec!["n1=0s".to_owned(), "n2=2s".to_owned()],
        ),
        (
            Kind::RcronKey,
            Some("on_demotion"),
            vec!["n1=continue".to_owned(), "n2=terminate".to_owned()],
        ),
    ];
    for node in [&two, &one] {
        let report = until("the difference", || {
            let report = drift(node)?;
            (report.clusters[0].nodes == ["n1", "n2"]).then_some(report)
        });
        assert_eq!(found(&report), expected);
        assert_eq!(report.clusters[0].count, 2);
        assert!(!report.is_partial && !report.is_cut);
    }
    until("the metric", || {
        let page = scrape(address)?;
        let of_root = "\nrcrond_drift{cluster=\"web\",owner=\"root\"} 2\n";
        let of_users = "\nrcrond_drift{cluster=\"web\",owner=\"users\"} 0\n";
        (page.contains(of_root) && page.contains(of_users)).then_some(())
    });
    until("a line in the log", || {
        let line = "cluster web: 2 differences between the servers; `rcronctl check` lists them";
        two.log().contains(line).then_some(())
    });
}

/// Other programs can write anything into the store.
#[test]
fn spoilt_records_cost_only_their_own_nodes() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let set = |key: &str, text: &str| redis.cli(&["SET", &format!("rcron:{key}"), &format!("1\n{text}")]);
    let now = inputs::clock::wall_time().rfc3339();
    let own = redis.cli(&["GET", "rcron:session/n1"]);
    let session = own
        .lines()
        .find(|line| line.starts_with("session1 "))
        .expect("a session");
    let records = [
        ("junk", "\u{1b}[2J".to_owned()),
        ("deep", "[".repeat(60_000)),
        ("long", format!("{{\"format\":2,\"rcrond\":\"{}\"", "x".repeat(100_000))),
        ("older", r#"{"format":1,"jobs":[]}"#.to_owned()),
        (
            "same",
            r#"{"format":2,"rcrond":"9.9","clusters":{"web":{"users":{"nobody-here":[{"j":"x","s":"@daily","h":1}]}}}}"#
                .to_owned(),
        ),
    ];
    let names = ["deep", "junk", "long", "n1", "older", "none", "off", "same"];
    for name in names.iter().filter(|name| **name != "n1") {
        set(&format!("session/{name}"), &format!("{session}\nat={now}"));
        set(
            &format!("node/{name}"),
            r#"{"format":1,"version":"1","clusters":{"web":{"priority":1}}}"#,
        );
    }
    set("session/off", &format!("{session}\nat=2020-01-01T00:00:00Z"));
    for (name, record) in &records {
        set(&format!("node-jobs/{name}"), record);
    }
    set("nodes", &format!("{{\"format\":1,\"nodes\":{names:?}}}"));
    let report = until("the report", || drift(&node));
    let of_kind = |kind| {
        let differences = report.differences.iter().filter(|found| found.kind == kind);
        differences.flat_map(|found| found.odd.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        of_kind(Kind::Unreadable),
        ["deep", "junk", "long", "older"],
        "{report:?}"
    );
    assert_eq!(of_kind(Kind::NotPublished), ["none"]);
    assert_eq!(of_kind(Kind::NoSession), ["off"]);
    assert_eq!(report.clusters[0].nodes, ["n1", "same"]);
    assert!(
        report
            .differences
            .iter()
            .any(|found| found.user.as_deref() == Some("nobody-here"))
    );
    node.is_renewed();
}

/// The list of nodes only grows where servers are replaced by others with new names.
#[test]
fn servers_that_are_gone_hide_no_others() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let set = |key: &str, text: &str| redis.cli(&["SET", &format!("rcron:{key}"), &format!("1\n{text}")]);
    let own = redis.cli(&["GET", "rcron:session/n1"]);
    let session = own
        .lines()
        .find(|line| line.starts_with("session1 "))
        .expect("a session");
    let now = inputs::clock::wall_time().rfc3339();
    let mut names: Vec<String> = (0..100).map(|number| format!("gone{number}")).collect();
    for name in &names {
        set(
            &format!("session/{name}"),
            &format!("{session}\nat=2020-01-01T00:00:00Z"),
        );
        set(
            &format!("node-jobs/{name}"),
            r#"{"format":2,"rcrond":"1","clusters":{"web":{}}}"#,
        );
    }
    set("session/z", &format!("{session}\nat={now}"));
    set("node-jobs/z", r#"{"format":2,"rcrond":"9.9","clusters":{"web":{}}}"#);
    names.extend(["n1", "z"].map(str::to_owned));
    set("nodes", &format!("{{\"format\":1,\"nodes\":{names:?}}}"));
    let report = until("the report", || drift(&node));
    assert_eq!(report.clusters[0].nodes, ["n1", "z"]);
    assert_eq!((report.nodes, report.unread, report.is_cut), (102, 1, false));
}

#[test]
fn servers_whose_records_are_too_long_are_counted() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let set = |key: &str, text: &str| redis.cli(&["SET", &format!("rcron:{key}"), &format!("1\n{text}")]);
    let names: Vec<String> = (10..50).map(|number| format!("long{number}")).collect();
    let record = format!("{{\"format\":2,\"x\":\"{}\"}}", "x".repeat(60_000 - 19));
    for name in &names {
        set(&format!("node-jobs/{name}"), &record);
    }
    set("nodes", &format!("{{\"format\":1,\"nodes\":{names:?}}}"));
    let report = until("the report", || drift(&node));
    // 34 of them are 2 MiB.
    assert_eq!((report.nodes, report.unread, report.is_cut), (41, 6, false));
    assert_eq!(report.clusters[0].nodes, ["n1"]);
}
