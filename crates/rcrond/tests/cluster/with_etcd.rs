//! etcd with three members.

use crate::node::Settings;
use crate::scenario::Scenario;
use crate::site::{Site, seconds_since_1970};
use crate::stores::etcd::Etcd;
use crate::vdso;
use control::Request;
use inputs::clock::boot_time;
use nix::sys::signal::Signal;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(2);
/// For an election of etcd: the election timeout of 1 s, a second one if votes are split, and the clients' wait.
const ELECTION: Duration = Duration::from_millis(2400);

const DAY: i64 = 86_400;
const TEN_YEARS: i64 = 3652 * DAY;

fn settings(table: String) -> Settings {
    Settings {
        store: table,
        lease: LEASE,
        settle: Duration::from_secs(1),
        preempt_delay: Duration::from_secs(2),
        priority: 100,
    }
}

#[test]
#[ignore = "needs root, etcd, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn every_fault() {
    let site = Site::new();
    let mut etcd = Etcd::start(&site.lab, &site.data(), &site.directory());
    let scenario = Scenario::begin("etcd, three members", &site, site.nodes(), settings(etcd.table()));
    ends_of_a_daemon(&scenario);
    pauses(&scenario);
    partitions(&scenario, &site, &etcd);
    members(&scenario, &site, &mut etcd);
    outage(&scenario, &mut etcd);
    if vdso::KNOWN {
        server_clocks(&scenario, &etcd);
        node_clocks(&scenario);
    } else {
        println!("NOT RUN: setting the wall clocks of etcd and rcrond, which works only on x86-64");
    }
    priorities(&scenario);
    scenario.end();
}

#[test]
#[ignore = "needs root, etcd, nftables and iproute2: `make test` installs them and runs it"]
fn the_default_lease() {
    let site = Site::new();
    let etcd = Etcd::start(&site.lab, &site.data(), &site.directory());
    let settings = Settings {
        lease: Duration::from_secs(10),
        ..settings(etcd.table())
    };
    let scenario = Scenario::begin("etcd, a lease of 10 s", &site, site.nodes(), settings);
    let (old, _) = scenario.fails_over("kill -9", scenario.crash_bound(), |node| node.end(Signal::SIGKILL));
    old.comes_up();
    scenario.fails_over("stop", scenario.release_bound(), |node| node.end(Signal::SIGTERM));
    scenario.end();
}

fn ends_of_a_daemon(scenario: &Scenario) {
    let (old, _) = scenario.fails_over("stop", scenario.release_bound(), |node| node.end(Signal::SIGTERM));
    old.comes_up();

    let clusters = Vec::new;
    let (old, _) = scenario.fails_over("drain", scenario.release_bound(), |node| {
        node.order(&Request::Drain {
            clusters: clusters(),
            wait_ms: None,
        });
    });
    old.order(&Request::Undrain { clusters: clusters() });

    let (old, _) = scenario.fails_over("kill -9", scenario.crash_bound(), |node| node.end(Signal::SIGKILL));
    old.comes_up();

    scenario.keeps("kill -9 and start at once", |node| {
        node.end(Signal::SIGKILL);
        node.start();
    });
    scenario.keeps("upgrade (SIGUSR1 and start)", |node| {
        node.end(Signal::SIGUSR1);
        node.start();
    });
}

fn pauses(scenario: &Scenario) {
    let (old, _) = scenario.fails_over("SIGSTOP", scenario.crash_bound(), |node| node.signal(Signal::SIGSTOP));
    scenario.keeps("SIGCONT after more than a lease", |_| old.signal(Signal::SIGCONT));
    old.comes_up();
}

fn partitions(scenario: &Scenario, site: &Site, etcd: &Etcd) {
    let (lab, members) = (&site.lab, etcd.hosts());
    let crash = scenario.crash_bound();
    let (old, _) = scenario.fails_over("cut off from all stores", crash, |node| {
        lab.part(&[&node.host], &members);
    });
    lab.heal();
    old.comes_up();
    let (old, _) = scenario.fails_over("what it sends is lost", crash, |node| lab.lose(&[&node.host], &members));
    lab.heal();
    old.comes_up();
    let (old, _) = scenario.fails_over("what it is sent is lost", crash, |node| {
        lab.lose(&members, &[&node.host]);
    });
    lab.heal();
    old.comes_up();

    let others = |but: &str| -> Vec<_> { scenario.hosts().into_iter().filter(|host| host.name != but).collect() };
    scenario.keeps("cut off from the other nodes only", |node| {
        lab.part(&[&node.host], &others(node.name()));
    });
    lab.heal();

    let (old, _) = scenario.fails_over("cut off with one member of etcd", crash + ELECTION, |node| {
        let mut rest = others(node.name());
        rest.extend(&members[1..]);
        lab.part(&[&node.host, members[0]], &rest);
    });
    // The member that was cut off has called elections all the time, and now makes the others elect again.
    scenario.survives("etcd: the partition heals", crash + ELECTION, || lab.heal());
    old.comes_up();
    etcd.wait_until_whole();
}

fn members(scenario: &Scenario, site: &Site, etcd: &mut Etcd) {
    let bound = scenario.crash_bound() + ELECTION;
    let follower = (etcd.leader() + 1) % 3;
    scenario.keeps("etcd: a follower killed with -9", |_| etcd.members[follower].kill());
    etcd.members[follower].start();
    etcd.wait_until_whole();

    let leader = etcd.leader();
    scenario.survives("etcd: its leader killed with -9", bound, || etcd.members[leader].kill());
    assert_ne!(etcd.leader(), leader);
    etcd.members[leader].start();
    etcd.wait_until_whole();

    let leader = etcd.leader();
    scenario.survives("etcd: its leader stopped", bound, || {
        etcd.members[leader].signal(Signal::SIGSTOP);
    });
    etcd.members[leader].signal(Signal::SIGCONT);
    etcd.wait_until_whole();
    assert_ne!(etcd.leader(), leader);

    let leader = etcd.leader();
    scenario.survives("etcd: its leader cut off from its followers", bound, || {
        let mut followers = etcd.hosts();
        let leader = followers.remove(leader);
        site.lab.part(&[leader], &followers);
    });
    site.lab.heal();
    etcd.wait_until_whole();
}

fn outage(scenario: &Scenario, etcd: &mut Etcd) {
    let old = scenario.steady_holder();
    scenario.say("etcd: all members killed with -9");
    for member in &mut etcd.members {
        member.kill();
    }
    scenario.wait("the lease to expire", || (!scenario.is_any_active()).then_some(()));
    scenario.say("    no node is active");
    let dark = boot_time();
    scenario.stays_passive(Duration::from_secs(2));
    for member in &mut etcd.members {
        member.start();
    }
    etcd.wait_until_back();
    scenario.comes_back(
        "etcd: back after an outage",
        Duration::from_secs(2),
        dark,
        boot_time(),
        old,
    );
    etcd.wait_until_whole();
}

/// Of each of the three servers or nodes, in seconds from the right time.
const OFFSETS: [(&str, [i64; 3]); 4] = [
    ("an hour ahead", [3600, 3600, 3600]),
    ("apart by days", [-3600, 0, DAY]),
    ("apart by decades", [TEN_YEARS, -TEN_YEARS, 0]),
    ("right again", [0, 0, 0]),
];

fn server_clocks(scenario: &Scenario, etcd: &Etcd) {
    for (how, offsets) in OFFSETS {
        scenario.keeps(&format!("etcd: wall clocks {how}"), |_| {
            for (member, offset) in etcd.members.iter().zip(offsets) {
                member.set_wall_clock(offset);
                let off = member.wall_clock() - seconds_since_1970();
                assert!((off - offset).abs() < 60, "{} is {off} s off", member.host.name);
            }
        });
    }
}

fn node_clocks(scenario: &Scenario) {
    for (how, offsets) in OFFSETS {
        scenario.keeps(&format!("rcrond: wall clocks {how}"), |_| {
            for (node, offset) in scenario.nodes.iter().zip(offsets) {
                node.set_wall_clock(offset);
            }
        });
    }
    // `since=` in the state file shows that it is rcrond's clock that was set.
    for node in &scenario.nodes {
        node.set_wall_clock(DAY);
    }
    let (old, new) = scenario.fails_over("kill -9 a day ahead", scenario.crash_bound(), |node| {
        node.end(Signal::SIGKILL);
    });
    let off = new.active_since() - seconds_since_1970();
    assert!((off - DAY).abs() < 60, "the clock was not set: {off} s off");
    old.comes_up();
    for node in &scenario.nodes {
        node.set_wall_clock(0);
    }
}

fn priorities(scenario: &Scenario) {
    let node = &scenario.nodes[(scenario.holder().node + 1) % 3];
    node.end(Signal::SIGTERM);
    let mut settings = scenario.settings.clone();
    settings.priority = 200;
    node.configure(&settings);
    // It must be able to win for `preempt_delay`, and the holder must have seen it alive.
    let bound = settings.preempt_delay + settings.lease + scenario.release_bound();
    let begin = |fault: &str| {
        let (old, begun) = (scenario.steady_holder(), boot_time());
        scenario.say(&format!("{fault}: {}", node.name()));
        node.start();
        scenario.taken_over(fault, bound, begun, old);
    };
    begin("a higher priority appears");
    scenario.fails_over("kill -9 of the higher priority", scenario.crash_bound(), |node| {
        node.end(Signal::SIGKILL);
    });
    begin("the higher priority returns");
}
