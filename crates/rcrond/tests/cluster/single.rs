//! PostgreSQL, MariaDB and Redis: one server each, and fewer faults than with etcd.

use crate::node::{Node, Settings};
use crate::scenario::Scenario;
use crate::site::{Site, seconds_since_1970};
use crate::stores::Single;
use crate::stores::mariadb::MariaDb;
use crate::stores::postgresql::PostgreSql;
use crate::stores::redis::Redis;
use inputs::clock::boot_time;
use nix::sys::signal::Signal;
use policy::moment::BootTime;
use std::time::Duration;

#[test]
#[ignore = "needs root, postgresql, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn postgresql_survives_the_faults() {
    let site = Site::new();
    let mut store = PostgreSql::new(&site.lab, &site.data(), &site.directory());
    run("PostgreSQL", &site, &mut store, Node::init_store);
}

#[test]
#[ignore = "needs root, mariadb-server, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn mariadb_survives_the_faults() {
    let site = Site::new();
    let mut store = MariaDb::new(&site.lab, &site.data(), &site.directory());
    run("MariaDB", &site, &mut store, Node::init_store);
}

#[test]
#[ignore = "needs root, redis-server, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn redis_survives_the_faults() {
    let site = Site::new();
    let mut store = Redis::new(&site.lab, &site.data(), &site.directory());
    run("Redis", &site, &mut store, |_| ());
}

/// `prepare` is what an administrator does once, on one node, before the store can be used.
fn run(title: &'static str, site: &Site, server: &mut impl Single, prepare: impl FnOnce(&Node)) {
    server.start();
    let settings = Settings {
        store: server.table(),
        lease: Duration::from_secs(2),
        settle: Duration::from_secs(1),
        preempt_delay: Duration::from_secs(2),
        priority: 100,
    };
    let nodes = site.nodes();
    nodes[0].configure(&settings);
    prepare(&nodes[0]);
    let scenario = Scenario::begin(title, site, nodes, settings);
    nodes_fail(&scenario, site, server);
    clock_steps(&scenario, server);
    server_restarts(&scenario, server);
    scenario.end();
}

fn nodes_fail(scenario: &Scenario, site: &Site, server: &impl Single) {
    let (old, _) = scenario.fails_over("stop", scenario.release_bound(), |node| node.end(Signal::SIGTERM));
    old.comes_up();

    let crash = scenario.crash_bound();
    let (old, _) = scenario.fails_over("kill -9", crash, |node| node.end(Signal::SIGKILL));
    old.comes_up();

    let (old, _) = scenario.fails_over("SIGSTOP", crash, |node| node.signal(Signal::SIGSTOP));
    scenario.keeps("SIGCONT after more than a lease", |_| old.signal(Signal::SIGCONT));
    old.comes_up();

    let (old, _) = scenario.fails_over("cut off from the store", crash, |node| {
        site.lab.part(&[&node.host], &[server.host()]);
    });
    site.lab.heal();
    old.comes_up();
}

fn clock_steps(scenario: &Scenario, server: &impl Single) {
    if !server.has_own_wall_clock() {
        println!("NOT RUN: setting the server's wall clock, which works only on x86-64");
        return;
    }
    for (how, offset) in [
        ("an hour ahead", 3600),
        ("an hour back", -3600),
        ("ten years ahead", 315_360_000),
        ("right again", 0),
    ] {
        scenario.keeps(&format!("the server's wall clock {how}"), |_| {
            server.set_wall_clock(offset);
            let off = server.wall_clock() - seconds_since_1970();
            assert!((off - offset).abs() < 60, "{off} s off");
        });
    }
}

fn server_restarts(scenario: &Scenario, server: &mut impl Single) {
    // If rcrond cannot know whether data were lost, it cannot know whether a node is active. Then all nodes wait for a lease.
    let back = if server.is_known_again() {
        Duration::from_secs(2)
    } else {
        scenario.crash_bound()
    };
    let old = scenario.steady_holder();
    let dark = outage(scenario, "the server stopped", || server.pause(Signal::SIGSTOP));
    server.pause(Signal::SIGCONT);
    let fault = "the server continues after SIGSTOP";
    scenario.comes_back(fault, Duration::from_secs(2), dark, boot_time(), old);

    let old = scenario.steady_holder();
    let dark = outage(scenario, "the server killed with -9", || server.kill());
    server.start();
    scenario.comes_back("the server back after an outage", back, dark, boot_time(), old);

    let old = scenario.steady_holder();
    let dark = outage(scenario, "the server killed with -9, and its disk lost", || {
        server.kill();
    });
    server.lose_data();
    server.start();
    server.prepare();
    scenario.comes_back(
        "the server back without its data",
        scenario.crash_bound(),
        dark,
        boot_time(),
        old,
    );
}

/// Returns since when no node is active.
fn outage(scenario: &Scenario, fault: &str, act: impl FnOnce()) -> BootTime {
    scenario.say(fault);
    act();
    scenario.wait("the lease to expire", || (!scenario.is_any_active()).then_some(()));
    scenario.say("    no node is active");
    let dark = boot_time();
    scenario.stays_passive(Duration::from_secs(1));
    dark
}
