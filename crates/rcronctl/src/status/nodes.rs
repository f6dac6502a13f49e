//! rcrond's report for people: the nodes of each cluster, and the store.

use super::cluster::ClusterState;
use super::rcrond::Rcrond;
use crate::daemon::drain_origin;
use crate::screen::Screen;
use crate::table::{Cell, Column, Tone, format_table};
use crate::when;
use control::{ClusterDrift, ClusterReport, DriftReport, NodeReport, Report, Role};
use jiff::Timestamp;
use policy::display::escaped;
use std::fmt::Write;
use std::time::Duration;

const COLUMNS: [Column; 7] = [
    Column::cut("NODE", 24),
    Column::whole("ROLE"),
    Column::omit("PRIORITY", 1),
    Column::omit("EPOCH", 2),
    Column::whole("LEASE LEFT"),
    Column::omit("LAST SEEN", 3),
    Column::omit("VERSION", 0),
];

/// How far the further lines of a sentence are indented on a terminal.
const INDENT: usize = 2;

/// A block for each cluster and a line about the store, or the reason why there is no report.
pub(super) fn format_nodes(rcrond: &Rcrond, clusters: &[ClusterState], screen: Screen) -> String {
    let mut text = String::new();
    if let Some(report) = &rcrond.report {
        for cluster in clusters.iter().filter_map(|cluster| rcrond.report_of(cluster)) {
            text.push('\n');
            append_cluster(&mut text, report, cluster, screen);
            if let Some((found, drift)) = rcrond.drift_of(cluster) {
                append_drift(&mut text, found, drift, screen);
            }
        }
        let _ = writeln!(text, "\n{}", format_store(report, screen));
        if let Some(Err(why)) = &rcrond.drift {
            let line = format!("drift: not known: {}", escaped(why));
            let _ = writeln!(text, "{}", screen.fold(&line, INDENT));
        }
    }
    if let Some(error) = &rcrond.error {
        let (before, what) = match rcrond.report {
            Some(_) => ("", "the other nodes are not known"),
            None => ("\n", "rcrond does not answer"),
        };
        let line = screen.fold(&format!("{what}: {}", escaped(error)), INDENT);
        let _ = writeln!(text, "{before}{}", Tone::Bad.paint(&line, screen));
    }
    text
}

fn append_cluster(text: &mut String, report: &Report, cluster: &ClusterReport, screen: Screen) {
    let lease = when::duration(Duration::from_millis(cluster.lease_ms));
    let held = match &cluster.holder {
        Some(holder) if *holder != report.node && !report.store.answers => {
            format!(
                "{} held it when the store last answered, epoch {}",
                escaped(holder),
                cluster.epoch
            )
        }
        Some(holder) => format!("{} holds it, epoch {}", escaped(holder), cluster.epoch),
        // A node with a session has read the records.
        None if report.store.answers && report.store.session => "nobody holds it".to_owned(),
        None => "who holds it is not known".to_owned(),
    };
    let _ = writeln!(text, "{}: {held}, lease {lease}", escaped(&cluster.name));
    let this_node = [this_node(report, cluster)];
    let nodes = if cluster.nodes.is_empty() {
        &this_node[..]
    } else {
        &cluster.nodes
    };
    let rows: Vec<Vec<Cell>> = nodes.iter().map(|node| row(node, node.name == report.node)).collect();
    text.push_str(&format_table(&COLUMNS, &rows, screen));
    for line in nodes.iter().filter_map(drain_line) {
        let _ = writeln!(text, "{line}");
    }
    if !cluster.writable {
        let file = escaped(&cluster.state_file);
        let line = format!("{file} cannot be written: this server cannot become active");
        let line = screen.fold(&line, INDENT);
        let _ = writeln!(text, "{}", Tone::Bad.paint(&line, screen));
    }
}

/// Nothing if there is only one server to look at.
fn append_drift(text: &mut String, found: &ClusterDrift, drift: &DriftReport, screen: Screen) {
    append_differences(text, found, drift, screen);
    if drift.unread > 0 {
        let DriftReport { nodes, unread, .. } = drift;
        let line = format!("drift: not known for {unread} of {nodes} servers; run rcronctl check");
        let _ = writeln!(text, "{line}");
    }
}

fn append_differences(text: &mut String, found: &ClusterDrift, drift: &DriftReport, screen: Screen) {
    let scope = if drift.is_partial { " in your jobs" } else { "" };
    let servers = found.nodes.len();
    let line = match found.count {
        0 if servers < 2 => return,
        0 => format!("drift: none{scope} ({servers} servers compared)"),
        1 => format!("drift: 1 difference{scope} between servers; run rcronctl check"),
        count => format!("drift: {count} differences{scope} between servers; run rcronctl check"),
    };
    let tone = if found.count > 0 { Tone::Bad } else { Tone::Plain };
    let _ = writeln!(text, "{}", tone.paint(&line, screen));
}

/// For a report without nodes: this one, as far as it knows itself.
fn this_node(report: &Report, cluster: &ClusterReport) -> NodeReport {
    let holds = matches!(cluster.role, Role::Active | Role::Holding | Role::Draining);
    NodeReport {
        name: report.node.clone(),
        role: cluster.role,
        priority: cluster.priority,
        epoch: holds.then_some(cluster.epoch),
        lease_left_ms: cluster.lease_left_ms,
        version: report.version.clone(),
        last_seen: None,
        drain: cluster.drain.clone(),
    }
}

/// `server2: drained since 2026-12-01 03:12 by root (login anna)`.
fn drain_line(node: &NodeReport) -> Option<String> {
    let origin = node.drain.as_ref()?;
    let word = match node.role {
        Role::Draining => "draining",
        _ => "drained",
    };
    Some(format!("{}: {word} {}", escaped(&node.name), drain_origin(origin)))
}

fn row(node: &NodeReport, is_here: bool) -> Vec<Cell> {
    let here = if is_here { " (here)" } else { "" };
    let lease_left = node
        .lease_left_ms
        .map(|left| when::duration(Duration::from_millis(left)));
    vec![
        format!("{}{here}", node.name).into(),
        role(node.role),
        node.priority.to_string().into(),
        node.epoch.map(|epoch| epoch.to_string()).unwrap_or_default().into(),
        lease_left.unwrap_or_default().into(),
        node.last_seen.as_deref().map(last_seen).unwrap_or_default().into(),
        node.version.as_str().into(),
    ]
}

fn role(role: Role) -> Cell {
    let (word, tone) = match role {
        Role::Active => ("active", Tone::Good),
        Role::Shared => ("shared", Tone::Good),
        Role::Holding => ("holding", Tone::Busy),
        Role::Draining => ("draining", Tone::Busy),
        Role::Standby => ("standby", Tone::Plain),
        Role::Drained => ("drained", Tone::Dim),
        Role::Gone => ("gone", Tone::Bad),
        Role::Unknown => ("unknown", Tone::Plain),
    };
    Cell::new(word, tone)
}

fn last_seen(time: &str) -> String {
    let parsed = time.parse::<Timestamp>();
    parsed.map_or_else(|_| time.to_owned(), |time| when::age(time, Timestamp::now()))
}

fn format_store(report: &Report, screen: Screen) -> String {
    let store = &report.store;
    let who = format!("rcrond {} on {}", escaped(&report.version), escaped(&report.node));
    let servers = store.servers.join(", ");
    let name = format!("{} at {}", escaped(&store.kind), escaped(&servers));
    if !store.answers {
        let why = store.failure.as_deref().unwrap_or("the reason is not known");
        let line = format!(
            "{who}: THE STORE DOES NOT ANSWER, {name}: {}. No server is active once the leases have expired.",
            escaped(why)
        );
        return Tone::Bad.paint(&screen.fold(&line, INDENT), screen).into_owned();
    }
    let state = match (store.session, store.watching) {
        (false, _) => "answers, but this server does not have a session yet and cannot become active",
        (true, false) => "answers, but does not report changes: a handover takes longer",
        (true, true) => "answers",
    };
    let why = match (&store.session_failure, &store.watch_failure) {
        (Some(why), _) if !store.session => format!(" ({})", escaped(why)),
        (_, Some(why)) if store.session && !store.watching => format!(" ({})", escaped(why)),
        _ => String::new(),
    };
    screen.fold(&format!("{who}: {name} {state}{why}"), INDENT)
}
