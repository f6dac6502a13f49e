//! Once per tick on three hosts: the real rcrond, the real rcron, and on each host a real Debian cron, whose minutes pass in a second and
//! whose clock is off by up to some seconds. The jobs write what they do to a file that no network fault reaches.
//!
//! The tests assert that no tick is started twice, and that attempts of one tick follow each other and never overlap. They print
//! which ticks were started and how late. When a tick must be started, `start_within` is three times the longest failover.

mod any;
mod book;
mod cron;
mod stage;
mod stories;
mod table;

use crate::node::{Node, Settings};
use crate::site::Site;
use crate::stores::Single;
use crate::stores::etcd::Etcd;
use crate::stores::mariadb::MariaDb;
use crate::stores::postgresql::PostgreSql;
use crate::stores::redis::Redis;
use stage::Stage;
use std::time::Duration;
use stories::Store;

fn settings(store: String) -> Settings {
    Settings {
        store,
        lease: Duration::from_secs(2),
        settle: Duration::from_secs(1),
        preempt_delay: Duration::from_secs(2),
        priority: 100,
    }
}

#[test]
#[ignore = "needs root, cron, etcd, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn every_tick_is_started_once_with_etcd() {
    let site = Site::new();
    let mut etcd = Etcd::start(&site.lab, &site.data(), &site.directory());
    let stage = Stage::begin(
        "once per tick, etcd with three members",
        &site,
        &settings(etcd.table()),
        |_| (),
    );
    stories::kills(&stage, &[-500, 0, 500]);
    stories::cut_off_run(&stage);
    stories::frozen_daemon(&stage);
    stories::frozen_rcrons(&stage);
    stories::partitions(&stage, &site, &etcd.hosts());
    stories::ends_of_a_daemon(&stage);
    stories::wrong_clock(&stage);
    stories::restarts(&stage, &mut etcd);
    stage.end();
}

#[test]
#[ignore = "needs root, cron, postgresql, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn every_tick_is_started_once_with_postgresql() {
    let site = Site::new();
    let mut store = PostgreSql::new(&site.lab, &site.data(), &site.directory());
    store.start();
    short("once per tick, PostgreSQL", &site, &mut store, Node::init_store);
}

#[test]
#[ignore = "needs root, cron, redis-server, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn every_tick_is_started_once_with_redis() {
    let site = Site::new();
    let mut store = Redis::new(&site.lab, &site.data(), &site.directory());
    store.start();
    short("once per tick, Redis", &site, &mut store, |_| ());
}

#[test]
#[ignore = "needs root, cron, mariadb-server, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn every_tick_is_started_once_with_mariadb() {
    let site = Site::new();
    let mut store = MariaDb::new(&site.lab, &site.data(), &site.directory());
    store.start();
    short("once per tick, MariaDB", &site, &mut store, Node::init_store);
}

/// `prepare` is what an administrator does once, on one node, before the store can be used.
fn short(title: &'static str, site: &Site, server: &mut impl Single, prepare: impl FnOnce(&Node)) {
    let stage = Stage::begin(title, site, &settings(server.table()), prepare);
    stories::kills(&stage, &[-500]);
    stories::frozen_rcrons(&stage);
    stories::partition(&stage, site, &[server.host()]);
    stories::restarts(&stage, &mut Server(server));
    stage.end();
}

/// A store with one server.
struct Server<'a, S>(&'a mut S);

impl<S: Single> Store for Server<'_, S> {
    fn kill(&mut self) {
        self.0.kill();
    }

    fn start(&mut self) {
        self.0.start();
    }

    fn lose_data(&mut self) {
        self.0.lose_data();
    }

    fn prepare(&self) {
        self.0.prepare();
    }
}

impl Store for Etcd {
    fn kill(&mut self) {
        for member in &mut self.members {
            member.kill();
        }
    }

    fn start(&mut self) {
        for member in &mut self.members {
            member.start();
        }
        self.wait_until_back();
    }

    fn lose_data(&mut self) {
        for member in &self.members {
            member.lose_data();
        }
    }

    fn prepare(&self) {}
}
