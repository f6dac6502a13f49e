//! The nodes of rcrond's clusters, for people.

use super::Known;
use super::rcrond::Rcrond;
use crate::screen::Screen;
use crate::table::{self, Cell, Tone, visible};
use crate::when;
use control::{ClusterReport, NodeReport, Report, Role};
use inputs::words;
use jiff::Timestamp;
use std::fmt::Write;
use std::time::Duration;

const HEADS: [&str; 7] = [
    "NODE",
    "ROLE",
    "PRIORITY",
    "EPOCH",
    "LEASE LEFT",
    "LAST SEEN",
    "VERSION",
];

/// A block for each cluster, and a line on the store; or why there is nothing to show.
pub(super) fn text(rcrond: &Rcrond, known: &[Known], screen: Screen) -> String {
    let mut text = String::new();
    if let Some(report) = rcrond.report() {
        for cluster in known.iter().filter_map(|known| rcrond.cluster(known.config())) {
            text.push('\n');
            append_cluster(&mut text, report, cluster, screen);
        }
        let _ = writeln!(text, "\n{}", store(report, screen));
    } else if rcrond.trouble().is_some() {
        text.push('\n');
    }
    if let Some(trouble) = rcrond.trouble() {
        let what = match rcrond.report() {
            Some(_) => "the other nodes are not known",
            None => "rcrond does not answer",
        };
        let line = format!("{what}: {}", visible(trouble));
        let _ = writeln!(text, "{}", table::paint(&line, Tone::Bad, screen));
    }
    text
}

fn append_cluster(text: &mut String, report: &Report, cluster: &ClusterReport, screen: Screen) {
    let lease = when::span(Duration::from_millis(cluster.lease_ms)).replace(".0 s", " s");
    let held = match &cluster.holder {
        Some(holder) => format!("{} holds it, epoch {}", visible(holder), cluster.epoch),
        None => "nobody holds it".to_owned(),
    };
    let _ = writeln!(text, "{}: {held}, lease {lease}", visible(&cluster.name));
    let itself = [own(report, cluster)];
    let nodes = if cluster.nodes.is_empty() {
        &itself[..]
    } else {
        &cluster.nodes
    };
    let rows: Vec<Vec<Cell>> = nodes.iter().map(|node| row(node, node.name == report.node)).collect();
    text.push_str(&table::lines(&HEADS, &rows, screen));
    if !cluster.writable {
        let file = visible(&cluster.state_file);
        let line = format!("{file} cannot be written: this server cannot become active");
        let _ = writeln!(text, "{}", table::paint(&line, Tone::Bad, screen));
    }
}

/// This node, where nothing is known of the others.
fn own(report: &Report, cluster: &ClusterReport) -> NodeReport {
    let holds = matches!(cluster.role, Role::Active | Role::Holding | Role::Draining);
    NodeReport {
        name: report.node.clone(),
        role: cluster.role,
        priority: cluster.priority,
        epoch: holds.then_some(cluster.epoch),
        lease_left_ms: cluster.lease_left_ms,
        version: report.version.clone(),
        last_seen: None,
    }
}

fn row(node: &NodeReport, is_here: bool) -> Vec<Cell> {
    let name = if is_here {
        format!("{} (here)", node.name)
    } else {
        node.name.clone()
    };
    let left = node.lease_left_ms.map(Duration::from_millis);
    vec![
        name.into(),
        role(node.role),
        node.priority.to_string().into(),
        node.epoch.map(|epoch| epoch.to_string()).unwrap_or_default().into(),
        left.map(words::seconds).unwrap_or_default().into(),
        node.last_seen.as_deref().map(seen).unwrap_or_default().into(),
        node.version.as_str().into(),
    ]
}

fn role(role: Role) -> Cell {
    let (word, tone) = match role {
        Role::Active => ("active", Tone::Good),
        Role::Holding => ("holding", Tone::Busy),
        Role::Draining => ("draining", Tone::Busy),
        Role::Standby => ("standby", Tone::Plain),
        Role::Drained => ("drained", Tone::Dim),
        Role::Gone => ("gone", Tone::Bad),
    };
    Cell::new(word, tone)
}

/// By the other node's clock: an age may lie ahead.
fn seen(at: &str) -> String {
    let parsed = at.parse::<Timestamp>();
    parsed.map_or_else(|_| at.to_owned(), |at| when::age(at, Timestamp::now()))
}

fn store(report: &Report, screen: Screen) -> String {
    let store = &report.store;
    let who = format!("rcrond {} on {}", visible(&report.version), visible(&report.node));
    let servers = store.servers.join(", ");
    let name = format!("{} at {}", visible(&store.kind), visible(&servers));
    if !store.answers {
        let why = store.failure.as_deref().unwrap_or("no reason is known");
        let line = format!(
            "{who}: THE STORE DOES NOT ANSWER, {name}: {}. Nobody is active once the leases are over.",
            visible(why)
        );
        return table::paint(&line, Tone::Bad, screen);
    }
    let rest = match (store.session, store.watching) {
        (false, _) => "answers, but this server has no session in it yet and takes no part",
        (true, false) => "answers, but does not tell of changes: a handover takes longer",
        (true, true) => "answers",
    };
    format!("{who}: {name} {rest}")
}
