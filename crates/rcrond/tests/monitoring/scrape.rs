//! A site of three servers and Prometheus, from the first scrape to alerts that fire and end.

use crate::examples::{configuration, dashboard_expressions, impatient_alerts, metrics};
use crate::prometheus::{ask, becomes_false, becomes_true, firing, query};
use crate::server::Server;
use crate::{picture, story};
use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::time::Duration;
use testing::servers::prometheus::{NodeExporter, Prometheus};
use testing::servers::redis::Redis;

const FAILED: &str = "RcronJobFailed";
const NO_ACTIVE: &str = "RcronNoActiveServer";
/// Names the file for the picture; then the test takes some minutes longer.
const PICTURE: &str = "RCRON_DASHBOARD_PICTURE";

#[test]
#[ignore = "needs root, redis-server, prometheus, prometheus-node-exporter and chromium: `make test` installs them and runs it"]
fn prometheus_scrapes_rcrond_and_the_alerts_fire_and_end() {
    let redis = Redis::start();
    let mut servers = [("server1", 300), ("server2", 200), ("server3", 100)]
        .map(|(name, priority)| Server::start(name, priority, &redis));
    let (other, exporter) = (Server::without_rcrond("server4", 0, &redis), NodeExporter::start());
    let targets = servers.each_ref().map(Server::target);
    let configuration = configuration(&targets, &[("server4:9100".to_owned(), exporter.address())]);
    let prometheus = Prometheus::start(&[("prometheus.yml", &configuration), ("alerts.yml", &impatient_alerts())]);
    becomes_true(&prometheus, "count(up == 1) == 4");
    servers[0].is_active();

    let picture = env::var_os(PICTURE).map(PathBuf::from);
    let span = if picture.is_some() {
        story::tell(&mut servers, &redis)
    } else {
        a_failed_job_is_an_alert_until_it_succeeds_elsewhere(&servers, &prometheus);
        no_active_server_is_an_alert(&servers, &prometheus);
        Duration::from_secs(30)
    };
    other.writes_metrics(&exporter.textfiles().join("rcron.prom"));
    every_metric_exists(&prometheus);
    every_panel_has_data(&prometheus);
    picture::draw(&prometheus, span, picture.as_deref());
}

fn a_failed_job_is_an_alert_until_it_succeeds_elsewhere(servers: &[Server], prometheus: &Prometheus) {
    let [first, second, _] = servers else { panic!("three") };
    assert!(first.runs("backup", "true").success());
    assert_eq!(first.runs("backup", "exit 3").code(), Some(3));
    becomes_true(prometheus, &firing(FAILED));
    first.drains();
    second.is_active();
    assert!(second.runs("backup", "true").success());
    becomes_false(prometheus, &firing(FAILED));
}

/// The first is drained already.
fn no_active_server_is_an_alert(servers: &[Server], prometheus: &Prometheus) {
    becomes_false(prometheus, &firing(NO_ACTIVE));
    servers[2].drains();
    servers[1].drains();
    becomes_true(prometheus, &firing(NO_ACTIVE));
    servers[1].undrains();
    becomes_false(prometheus, &firing(NO_ACTIVE));
}

/// The expressions of the rules, as Prometheus has read them.
fn rules(prometheus: &Prometheus) -> Vec<String> {
    let data = ask(prometheus, "/api/v1/rules");
    let groups = data["groups"].as_array().expect("groups");
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"));
    let expressions = rules.map(|rule| {
        assert_eq!(rule["health"], "ok", "{rule}");
        rule["query"].as_str().expect("an expression").to_owned()
    });
    expressions.collect()
}

fn every_metric_exists(prometheus: &Prometheus) {
    let rules = rules(prometheus);
    let written = impatient_alerts();
    let written = written.matches("- alert: ").count() + written.matches("- record: ").count();
    assert_eq!(rules.len(), written);
    let asked = dashboard_expressions();
    let all = rules.iter().chain(asked.iter().map(|(_, expression)| expression));
    let used: BTreeSet<&str> = all.flat_map(|expression| metrics(expression)).collect();
    for name in used {
        becomes_true(prometheus, &format!("last_over_time({name}[10m])"));
    }
}

fn every_panel_has_data(prometheus: &Prometheus) {
    for (title, expression) in dashboard_expressions() {
        // An expression that Prometheus cannot parse is a panic here.
        assert!(!query(prometheus, &expression).is_empty(), "{title}: {expression}");
    }
}
