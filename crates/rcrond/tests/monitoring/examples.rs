//! The files of `examples/prometheus`, and what they ask Prometheus.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

pub(crate) const ALERTS: &str = include_str!("../../../../examples/prometheus/alerts.yml");
const CONFIGURATION: &str = include_str!("../../../../examples/prometheus/prometheus.yml");
const DASHBOARD: &str = include_str!("../../../../examples/prometheus/dashboard.json");
pub(crate) const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/prometheus");

/// A target's name and its address.
type Target = (String, String);

/// The configuration for these targets: each second, and without an Alertmanager.
pub(crate) fn configuration(rcronds: &[Target], exporters: &[Target]) -> String {
    let mut text = CONFIGURATION.to_owned();
    for (from, to) in [
        ("15s", "1s".to_owned()),
        (r#"["localhost:9093"]"#, "[]".to_owned()),
        (
            r#"- targets: ["server1:9187", "server2:9187", "server3:9187"]"#,
            targets(rcronds),
        ),
        (
            r#"- targets: ["server1:9100", "server2:9100", "server3:9100"]"#,
            targets(exporters),
        ),
    ] {
        text = replaced(&text, from, &to);
    }
    text
}

/// One configuration each, because each has a label.
fn targets(targets: &[Target]) -> String {
    let each = |(name, address): &Target| format!("- {{targets: [\"{address}\"], labels: {{instance: \"{name}\"}}}}");
    let all: Vec<String> = targets.iter().map(each).collect();
    all.join("\n      ")
}

/// The rules, which fire as soon as their condition holds.
pub(crate) fn impatient_alerts() -> String {
    let lines = ALERTS.lines().filter(|line| !line.starts_with("        for: "));
    replaced(&lines.collect::<Vec<_>>().join("\n"), "interval: 1m", "interval: 1s")
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from} in\n{text}");
    text.replace(from, to)
}

/// The dashboard.
pub(crate) fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).expect("JSON")
}

/// What the dashboard asks: the title of the panel, and the expression with its variables replaced.
pub(crate) fn dashboard_expressions() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
    let of_panel = |panel: &Value| {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let targets = panel["targets"].as_array().expect("targets").clone();
        let expression = |target: Value| target["expr"].as_str().expect("an expression").to_owned();
        targets
            .into_iter()
            .map(move |target| (title.clone(), with_values(&expression(target))))
    };
    panels.iter().flat_map(of_panel).collect()
}

/// As Grafana replaces them.
fn with_values(expression: &str) -> String {
    let replaced = expression
        .replace("$cluster", ".*")
        .replace("$__range", "1h")
        .replace("$__rate_interval", "1m");
    assert!(!replaced.replace("$1", "").contains('$'), "{expression}");
    replaced
}

/// The metrics in an expression that come from rcron, rcrond, node_exporter or the recording rules.
pub(crate) fn metrics(expression: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = expression.split(|c: char| !is_part(c));
    let prefixes = ["rcron_", "rcrond_", "node_", "cluster_user_job"];
    words
        .filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)))
        .collect()
}

/// The histories that promtool runs.
pub(crate) fn histories() -> Vec<String> {
    let files = std::fs::read_dir(Path::new(DIRECTORY).join("tests")).expect("a directory");
    let paths = files.map(|file| file.expect("a file").path().display().to_string());
    paths.collect()
}
