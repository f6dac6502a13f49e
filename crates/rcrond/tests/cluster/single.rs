//! PostgreSQL and Redis: one server each, and the same faults in short.

use crate::node::{Node, Settings};
use crate::site::{Site, seconds_since_1970};
use crate::stores::Single;
use crate::stores::postgresql::PostgreSql;
use crate::stores::redis::Redis;
use crate::story::Story;
use inputs::clock::boot_time;
use nix::sys::signal::Signal;
use policy::moment::BootTime;
use std::time::Duration;

#[test]
#[ignore = "needs root, postgresql, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn postgresql_and_the_same_in_short() {
    let site = Site::new();
    let mut store = PostgreSql::new(&site.lab, &site.data(), &site.directory());
    tell("PostgreSQL", &site, &mut store, Node::init_store);
}

#[test]
#[ignore = "needs root, redis-server, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn redis_and_the_same_in_short() {
    let site = Site::new();
    let mut store = Redis::new(&site.lab, &site.data(), &site.directory());
    tell("Redis", &site, &mut store, |_| ());
}

/// `prepare`: what an administrator does once, on a node, before the store can be used.
fn tell(title: &'static str, site: &Site, server: &mut impl Single, prepare: impl FnOnce(&Node)) {
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
    let story = Story::begin(title, site, nodes, settings);
    nodes_fail(&story, site, server);
    clock_steps(&story, server);
    server_restarts(&story, server);
    story.end();
}

fn nodes_fail(story: &Story, site: &Site, server: &impl Single) {
    let (old, _) = story.fails_over("stop", story.release_bound(), |node| node.end(Signal::SIGTERM));
    old.comes_up();

    let crash = story.crash_bound();
    let (old, _) = story.fails_over("kill -9", crash, |node| node.end(Signal::SIGKILL));
    old.comes_up();

    let (old, _) = story.fails_over("SIGSTOP", crash, |node| node.signal(Signal::SIGSTOP));
    story.keeps("SIGCONT after more than a lease", |_| old.signal(Signal::SIGCONT));
    old.comes_up();

    let (old, _) = story.fails_over("cut off from the store", crash, |node| {
        site.lab.part(&[&node.host], &[server.host()]);
    });
    site.lab.heal();
    old.comes_up();
}

fn clock_steps(story: &Story, server: &impl Single) {
    if !server.has_own_wall_clock() {
        println!("NOT RUN: the server's wall clock set; that is known on x86-64 only");
        return;
    }
    for (how, offset) in [
        ("an hour ahead", 3600),
        ("an hour back", -3600),
        ("ten years ahead", 315_360_000),
        ("right again", 0),
    ] {
        story.keeps(&format!("the server's wall clock {how}"), |_| {
            server.set_wall_clock(offset);
            let off = server.wall_clock() - seconds_since_1970();
            assert!((off - offset).abs() < 60, "{off} s off");
        });
    }
}

fn server_restarts(story: &Story, server: &mut impl Single) {
    // Where nobody can know what is lost, nobody can know that nobody is active: all wait a lease.
    let back = if server.is_known_again() {
        Duration::from_secs(2)
    } else {
        story.crash_bound()
    };
    let old = story.steady_holder();
    let dark = outage(story, "the server stopped", || server.pause(Signal::SIGSTOP));
    server.pause(Signal::SIGCONT);
    let fault = "the server goes on after SIGSTOP";
    story.comes_back(fault, Duration::from_secs(2), dark, boot_time(), old);

    let old = story.steady_holder();
    let dark = outage(story, "the server killed with -9", || server.kill());
    server.start();
    story.comes_back("the server back after an outage", back, dark, boot_time(), old);

    let old = story.steady_holder();
    let dark = outage(story, "the server killed with -9, and its disk lost", || server.kill());
    server.lose_data();
    server.start();
    server.prepare();
    story.comes_back(
        "the server back without its data",
        story.crash_bound(),
        dark,
        boot_time(),
        old,
    );
}

/// Since when nobody is active.
fn outage(story: &Story, fault: &str, act: impl FnOnce()) -> BootTime {
    story.say(fault);
    act();
    story.wait("the lease to end", || (!story.is_anybody_active()).then_some(()));
    story.say("    nobody is active");
    let dark = boot_time();
    story.stays_passive(Duration::from_secs(1));
    dark
}
