//! promtool accepts the rules, and each history in `examples/prometheus/tests` leads to the alerts that it names.

use crate::examples::{ALERTS, DIRECTORY, histories};
use std::fs;
use std::process::Stdio;
use testing::process::run;
use testing::servers::server;

fn promtool(arguments: &[&str]) -> String {
    let mut promtool = server("promtool", "prometheus");
    let done = run(promtool.args(arguments).stdin(Stdio::null()));
    let output = format!("{}{}", done.stdout(), done.stderr());
    assert_eq!(done.code(), Some(0), "promtool {arguments:?}:\n{output}");
    output
}

#[test]
#[ignore = "needs prometheus: `make test` installs it and runs it"]
fn promtool_accepts_the_rules_and_the_configuration() {
    let output = promtool(&["check", "rules", &format!("{DIRECTORY}/alerts.yml")]);
    let rules = ALERTS.matches("\n      - alert: ").count() + ALERTS.matches("\n      - record: ").count();
    assert!(output.contains(&format!("SUCCESS: {rules} rules found")), "{output}");
    promtool(&["check", "config", &format!("{DIRECTORY}/prometheus.yml")]);
}

#[test]
#[ignore = "needs prometheus: `make test` installs it and runs it"]
fn each_history_leads_to_the_alerts_that_it_names() {
    let histories = histories();
    let files: Vec<&str> = histories.iter().map(String::as_str).collect();
    promtool(&[&["test", "rules"], &files[..]].concat());
}

#[test]
fn each_alert_fires_in_a_history() {
    let histories: String = histories()
        .iter()
        .map(|file| fs::read_to_string(file).expect("readable"))
        .collect();
    let alerts = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let firing = |alert: &&str| histories.contains(&format!("ALERTS{{alertname=\"{alert}\", alertstate=\"firing\""));
    assert_eq!(alerts.filter(|alert| !firing(alert)).collect::<Vec<_>>(), [""; 0]);
}
