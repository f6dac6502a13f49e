use super::*;
use crate::drift::Owner;
use control::{ClusterReport, Report, Role, StoreReport};
use std::collections::BTreeMap;

const NASTY: &str = "a\"b\\c\nd,e{f=\"g\"} 1 # grün";

fn cluster(name: &str, role: Role, lease_left_ms: Option<u64>) -> ClusterReport {
    ClusterReport {
        name: name.to_owned(),
        state_file: "/run/rcron/state".to_owned(),
        role,
        priority: 100,
        lease_ms: 10_000,
        settle_ms: Some(1_000),
        grace_ms: Some(0),
        shared: false,
        lease_left_ms,
        epoch: 42,
        holder: None,
        writable: name != NASTY,
        drain: None,
        nodes: Vec::new(),
    }
}

/// It was taken at second 100.
pub(super) fn snapshot() -> Snapshot {
    let clusters = vec![
        cluster("web", Role::Active, Some(9_780)),
        cluster(NASTY, Role::Standby, None),
        cluster("night", Role::Draining, Some(9_780)),
    ];
    let store = StoreReport {
        kind: "etcd".to_owned(),
        servers: vec!["10.0.0.1:2379".to_owned()],
        answers: true,
        failure: None,
        session: true,
        session_failure: None,
        watching: false,
        watch_failure: None,
    };
    let report = Report {
        node: "server1".to_owned(),
        version: "0.9.0".to_owned(),
        store,
        clusters,
    };
    Snapshot {
        taken: at(100_000),
        wall: WallTime(Duration::from_millis(1_800_000_000_250)),
        report,
    }
}

fn at(milliseconds: u64) -> BootTime {
    BootTime(Duration::from_millis(milliseconds))
}

/// A sample's name and labels, and its value.
type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Parses the part of the format that rcrond uses, as strictly as the format is specified.
fn parse(text: &str) -> Samples {
    let body = text.strip_suffix("# EOF\n").expect("the end");
    let mut samples = Samples::new();
    let mut family = (String::new(), String::new());
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<_> = comment.splitn(3, ' ').collect();
            assert!(matches!(words[0], "HELP" | "TYPE" | "UNIT"), "{line}");
            if words[0] == "TYPE" {
                family = (words[1].to_owned(), words[2].to_owned());
            }
            continue;
        }
        let end = line.find(['{', ' ']).expect("a value");
        let (name, mut rest) = line.split_at(end);
        let suffixes: &[&str] = match family.1.as_str() {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        };
        let known = suffixes.iter().any(|suffix| name == format!("{}{suffix}", family.0));
        assert!(known && name.starts_with("rcrond_"), "{line} is not of {family:?}");
        let mut labels = BTreeMap::new();
        if let Some(inner) = rest.strip_prefix('{') {
            rest = parse_labels(inner, &mut labels);
        }
        let value = rest.trim_start().parse().expect("a number");
        assert!(
            samples.insert((name.to_owned(), labels), value).is_none(),
            "duplicate: {line}"
        );
    }
    samples
}

fn parse_labels<'a>(mut text: &'a str, labels: &mut BTreeMap<String, String>) -> &'a str {
    loop {
        let (name, value) = text.split_once("=\"").expect("a label");
        let mut decoded = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().expect("a quote") {
                (end, '"') => break end,
                (_, '\\') => decoded.push(match characters.next().expect("an escape").1 {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    other => panic!("\\{other}"),
                }),
                (_, plain) => decoded.push(plain),
            }
        };
        assert!(labels.insert(name.to_owned(), decoded).is_none(), "{name} twice");
        match value[end + 1..].split_at(1) {
            (",", rest) => text = rest,
            ("}", rest) => return rest,
            other => panic!("{other:?}"),
        }
    }
}

fn value(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let labels = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    samples.get(&(name.to_owned(), labels)).copied()
}

#[test]
fn a_scrape_contains_each_cluster_whatever_its_name() {
    let samples = parse(&Metrics::new().text(&snapshot(), at(100_000)).expect("text"));
    let of = |name: &str, cluster: &str| value(&samples, name, &[("cluster", cluster)]);
    assert_eq!(of("rcrond_active", "web"), Some(1.0));
    assert_eq!(of("rcrond_active", NASTY), Some(0.0));
    assert_eq!(
        of("rcrond_active", "night"),
        Some(0.0),
        "no more jobs are started there"
    );
    assert_eq!(of("rcrond_drained", "night"), Some(1.0));
    assert_eq!(of("rcrond_drained", "web"), Some(0.0));
    assert_eq!(of("rcrond_epoch", NASTY), Some(42.0));
    assert_eq!(of("rcrond_priority", NASTY), Some(100.0));
    assert_eq!(of("rcrond_state_file_writable", NASTY), Some(0.0));
    assert_eq!(of("rcrond_state_file_writable", "web"), Some(1.0));
    assert_eq!(of("rcrond_lease_left_seconds", NASTY), Some(0.0));
    assert_eq!(of("rcrond_lease_seconds", NASTY), Some(10.0));
    assert_eq!(value(&samples, "rcrond_time_seconds", &[]), Some(1_800_000_000.25));
    assert_eq!(value(&samples, "rcrond_store_up", &[]), Some(1.0));
    assert_eq!(value(&samples, "rcrond_store_watching", &[]), Some(0.0));
    let build = [("version", "0.9.0"), ("node", "server1")];
    assert_eq!(value(&samples, "rcrond_build_info", &build), Some(1.0));
}

#[test]
fn a_lease_expires_between_two_snapshots() {
    let metrics = Metrics::new();
    let (mut left, mut active) = (Vec::new(), Vec::new());
    for now in [100_000, 104_780, 109_779, 109_780, 500_000] {
        let samples = parse(&metrics.text(&snapshot(), at(now)).expect("text"));
        left.push(value(&samples, "rcrond_lease_left_seconds", &[("cluster", "web")]).expect("a gauge"));
        active.push(value(&samples, "rcrond_active", &[("cluster", "web")]).expect("a gauge"));
    }
    assert_eq!(left, [9.78, 5.0, 0.001, 0.0, 0.0]);
    assert_eq!(active, [1.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn calls_are_counted_by_their_results() {
    let metrics = Metrics::new();
    metrics.count_call(Operation::Read, Duration::from_millis(3), Outcome::Done);
    metrics.count_call(Operation::Change, Duration::from_millis(30), Outcome::Done);
    metrics.count_call(Operation::Change, Duration::from_millis(30), Outcome::Refused);
    metrics.count_call(Operation::Change, Duration::from_secs(2), Outcome::NoAnswer);
    let samples = parse(&metrics.text(&snapshot(), at(100_000)).expect("text"));
    assert_eq!(value(&samples, "rcrond_renewals_total", &[]), Some(1.0));
    let failures = |operation, kind| {
        value(
            &samples,
            "rcrond_store_failures_total",
            &[("operation", operation), ("kind", kind)],
        )
    };
    assert_eq!(failures("change", "refused"), Some(1.0));
    assert_eq!(failures("change", "no_answer"), Some(1.0));
    assert_eq!(failures("read", "no_answer"), Some(0.0));
    let count = |operation| {
        value(
            &samples,
            "rcrond_store_latency_seconds_count",
            &[("operation", operation)],
        )
    };
    assert_eq!((count("read"), count("change")), (Some(1.0), Some(2.0)));
    let up_to = |limit| {
        value(
            &samples,
            "rcrond_store_latency_seconds_bucket",
            &[("operation", "read"), ("le", limit)],
        )
    };
    assert_eq!(
        (up_to("0.0025"), up_to("0.005"), up_to("+Inf")),
        (Some(0.0), Some(1.0), Some(1.0))
    );
}

#[test]
fn transitions_begin_at_zero() {
    let metrics = Metrics::new();
    metrics.count_transition(NASTY, "active");
    let samples = parse(&metrics.text(&snapshot(), at(100_000)).expect("text"));
    let to = |cluster, to| {
        value(
            &samples,
            "rcrond_transitions_total",
            &[("cluster", cluster), ("to", to)],
        )
    };
    assert_eq!((to(NASTY, "active"), to(NASTY, "passive")), (Some(1.0), Some(0.0)));
    assert_eq!((to("web", "active"), to("web", "passive")), (Some(0.0), Some(0.0)));
    assert_eq!(to("web", "shared"), Some(0.0));
}

#[test]
fn drift_is_shown_only_for_clusters_that_were_compared() {
    let metrics = Metrics::new();
    let drift = |metrics: &Metrics| {
        let text = metrics.text(&snapshot(), at(100_000)).expect("text");
        let samples = parse(&text).into_iter().filter(|((name, _), _)| name == "rcrond_drift");
        samples
            .map(|((_, labels), value)| (labels["cluster"].clone(), labels["owner"].clone(), value))
            .collect::<Vec<_>>()
    };
    assert_eq!(drift(&metrics), []);
    let counts = |counts: &[(&str, Owner, usize)]| {
        counts
            .iter()
            .map(|(name, owner, count)| (((*name).to_owned(), *owner), *count))
            .collect()
    };
    let sample = |cluster: &str, owner: &str, count: f64| (cluster.to_owned(), owner.to_owned(), count);
    metrics.set_drift(&counts(&[
        ("web", Owner::Root, 2),
        ("web", Owner::Users, 1000),
        (NASTY, Owner::Root, 0),
    ]));
    let expected = [
        sample(NASTY, "root", 0.0),
        sample("web", "root", 2.0),
        sample("web", "users", 1000.0),
    ];
    assert_eq!(drift(&metrics), expected);
    metrics.set_drift(&counts(&[("web", Owner::Root, 1)]));
    assert_eq!(drift(&metrics), [sample("web", "root", 1.0)]);
}
