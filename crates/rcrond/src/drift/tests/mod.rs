//! Tables of servers and what is found.

mod compare;
mod history;
mod record;
mod steady;

use super::*;
use control::{Difference, DifferenceKind as Kind, DriftReport};
use policy::config::Config;
use policy::moment::{BootTime, WallTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::LONGEST_VALUE;

const SKEW: Duration = Duration::from_secs(10);

/// A line: user, name, schedule, zone, once_per_tick, hash.
type Line<'a> = (&'a str, &'a str, &'a str, &'a str, bool, u16);

const BACKUP: Line = ("root", "backup", "0 3 * * *", "", false, 7);

fn line((user, name, schedule, zone, once_per_tick, hash): Line<'_>) -> ServerLine<'_> {
    ServerLine {
        cluster: "web",
        user: user.as_bytes(),
        name: Some(name.as_bytes()).filter(|name| !name.is_empty()),
        schedule: schedule.as_bytes(),
        zone: Some(zone.as_bytes()).filter(|zone| !zone.is_empty()),
        once_per_tick,
        hash,
    }
}

fn facts() -> ServerFacts {
    ServerFacts {
        rcrond: "1.0".to_owned(),
        rcron: Some("1.0".to_owned()),
        cron: Some(true),
        zone: Some("UTC0".to_owned()),
        max_skew: Some("10s".to_owned()),
        ..ServerFacts::default()
    }
}

fn keys(lease: &str, conf: &[(&str, &str)]) -> ClusterKeys {
    let table = |keys: &[(&str, &str)]| {
        let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        keys.collect::<BTreeMap<_, _>>()
    };
    ClusterKeys {
        toml: table(&[("lease", lease)]),
        conf: Some(table(conf)),
    }
}

fn record(facts: ServerFacts, keys: ClusterKeys, lines: &[Line]) -> NodeJobs {
    let clusters = BTreeMap::from([("web".to_owned(), keys)]);
    NodeJobs::new(facts, clusters, lines.iter().map(|of| line(*of)))
}

fn with_lines(lines: &[Line]) -> NodeJobs {
    record(facts(), keys("10s", &[]), lines)
}

/// The nodes n1, n2, …, with these records.
fn nodes<const N: usize>(records: [NodeJobs; N]) -> Vec<Node> {
    let node = |(index, record): (usize, NodeJobs)| Node {
        name: format!("n{}", index + 1),
        is_silent: false,
        clock_ahead: Some(0),
        clusters: BTreeSet::from(["web".to_owned()]),
        published: Published::Record(Arc::new(record)),
    };
    records.into_iter().enumerate().map(node).collect()
}

fn compared(nodes: &[Node]) -> DriftReport {
    compare(&["web".to_owned()], nodes, SKEW, None)
}

/// A difference in one line: its kind, its subject, the nodes that differ, and the values.
fn short(difference: &Difference) -> String {
    let subject = [&difference.user, &difference.job, &difference.schedule, &difference.key];
    let subject: Vec<&str> = subject.into_iter().flatten().map(String::as_str).collect();
    let values = difference
        .values
        .iter()
        .map(|value| format!("{}={}", value.nodes.join("+"), value.value));
    let values: Vec<String> = values.collect();
    let odd = difference.odd.join("+");
    format!(
        "{} {} [{odd}] {}",
        difference.kind.as_str(),
        subject.join("/"),
        values.join(" ")
    )
}

fn found(nodes: &[Node]) -> Vec<String> {
    let report = compared(nodes);
    let found: Vec<String> = report.differences.iter().map(short).collect();
    let is_counted = |found: &&Difference| !matches!(found.kind, Kind::NoSession | Kind::Incomplete);
    let counting = report.differences.iter().filter(is_counted);
    assert_eq!(report.clusters[0].count, counting.count());
    found
}

fn boot(seconds: i64) -> BootTime {
    BootTime(after(10_000, seconds))
}

fn after(base: u64, seconds: i64) -> Duration {
    Duration::from_secs(base.checked_add_signed(seconds).expect("positive"))
}
