//! Tests of the lab and of the checks, without rcrond: faults are injected as intended, and violations are found.

use crate::check::{self, Run};
use crate::node::Node;
use crate::sampler::Sampler;
use crate::site::{Site, seconds_since_1970};
use crate::stores::Single;
use crate::stores::etcd::{self, Etcd};
use crate::stores::mariadb::MariaDb;
use crate::stores::postgresql::PostgreSql;
use crate::stores::redis::Redis;
use crate::ticker::Ticker;
use crate::vdso;
use inputs::clock::{boot_id, boot_time};
use std::fs;
use std::time::Duration;
use testing::until;

#[test]
#[ignore = "needs root, etcd, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn the_network_is_cut_only_where_it_should_be() {
    let site = Site::new();
    let etcd = Etcd::start(&site.lab, &site.data(), &site.directory());
    let nodes = site.nodes();
    let reaches = |node: usize, store: usize| {
        let address = &etcd.members[store].host.address;
        nodes[node].host.within(|| etcd::get(address, "/version")).is_some()
    };
    assert!(reaches(0, 0) && reaches(1, 0) && reaches(0, 1));
    let (node, store) = (&*nodes[0].host, &etcd.members[0].host);
    site.lab.lose(&[node], &[store]);
    assert!(!reaches(0, 0) && reaches(1, 0) && reaches(0, 1));
    site.lab.heal();
    assert!(reaches(0, 0));
    site.lab.lose(&[store], &[node]);
    assert!(!reaches(0, 0) && reaches(1, 0) && reaches(0, 1));
    site.lab.part(&[node], &etcd.hosts());
    assert!(!reaches(0, 0) && reaches(1, 0) && !reaches(0, 1));
    site.lab.heal();
    assert!(reaches(0, 0));
}

#[test]
#[ignore = "needs root, etcd, nftables and iproute2: `make test` installs them and runs it"]
fn a_member_of_etcd_fails_and_returns_and_has_its_own_wall_clock() {
    let site = Site::new();
    let mut etcd = Etcd::start(&site.lab, &site.data(), &site.directory());
    let first = etcd.leader();
    etcd.members[first].kill();
    let second = etcd.leader();
    assert_ne!(first, second);
    etcd.members[first].start();
    etcd.wait_until_whole();
    if vdso::KNOWN {
        for offset in [86_400, -86_400, 0] {
            etcd.members[first].set_wall_clock(offset);
            assert_off(etcd.members[first].wall_clock(), offset);
            assert_off(etcd.members[second].wall_clock(), 0);
        }
    }
}

#[test]
#[ignore = "needs root, postgresql, mariadb-server, redis-server, iproute2 and libfaketime: `make test` installs them and runs it"]
fn a_server_is_killed_loses_its_data_and_has_its_own_wall_clock() {
    let site = Site::new();
    let mut postgresql = PostgreSql::new(&site.lab, &site.data(), &site.directory());
    loses_its_data(&mut postgresql);
    drop(postgresql);
    let site = Site::new();
    let mut mariadb = MariaDb::new(&site.lab, &site.data(), &site.directory());
    loses_its_data(&mut mariadb);
    drop(mariadb);
    let site = Site::new();
    loses_its_data(&mut Redis::new(&site.lab, &site.data(), &site.directory()));
}

fn loses_its_data(server: &mut impl Single) {
    server.start();
    if server.has_own_wall_clock() {
        for offset in [86_400, -86_400, 0] {
            server.set_wall_clock(offset);
            assert_off(server.wall_clock(), offset);
        }
    }
    server.leave_a_mark();
    server.kill();
    server.start();
    assert!(server.has_the_mark());
    server.kill();
    server.lose_data();
    server.start();
    assert!(!server.has_the_mark());
}

#[test]
#[ignore = "needs root and iproute2: `make test` installs it and runs it"]
fn two_active_nodes_and_their_runs_are_found() {
    let site = Site::new();
    let nodes = site.nodes();
    let sampler = Sampler::start(nodes.iter().map(Node::state_file).collect());
    let mut ticker = Ticker::start(&nodes, &site.directory(), 1);
    let ran = |node, runs| {
        until("runs", || {
            ticker.assert_alive();
            let there = ticker.runs().iter().filter(|run| run.node == node).count();
            (there >= runs).then_some(())
        });
    };
    let found = |runs: &[Run]| check::faults(&sampler.seen().versions, runs, &ticker.schedule);

    write(&nodes[0], "passive");
    write(&nodes[0], &active(1));
    ran(0, 10);
    assert_eq!(found(&ticker.runs()), Vec::<String>::new());
    write(&nodes[1], &active(2));
    ran(1, 10);
    write(&nodes[1], "passive");
    until("only node1 to be active", || {
        let active = sampler.active();
        (active.len() == 1 && active[0].node == 0).then_some(())
    });
    ticker.stop();
    let faults = check::faults(&sampler.seen().versions, &ticker.runs(), &ticker.schedule);
    let has = |text: &str| faults.iter().any(|fault| fault.contains(text));
    assert!(
        has("two active for") && has("ran 2 times") && has("with epoch 1 after epoch 2"),
        "{faults:#?}"
    );
}

pub(crate) fn active(epoch: u64) -> String {
    let until = boot_time().after(Duration::from_secs(300)).0.as_secs_f64();
    let boot = String::from_utf8(boot_id().expect("/proc")).expect("text");
    format!("active until={until:.3} boot={boot} epoch={epoch}")
}

/// Replaces the file, as rcrond does.
pub(crate) fn write(node: &Node, line: &str) {
    let new = node.state_file().with_extension("new");
    fs::write(&new, format!("{line}\n")).expect("written");
    fs::rename(new, node.state_file()).expect("renamed");
}

fn assert_off(clock: i64, expected: i64) {
    let off = clock - seconds_since_1970();
    assert!((off - expected).abs() < 60, "{off} s off, not {expected} s");
}
