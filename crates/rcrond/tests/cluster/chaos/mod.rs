//! Random faults that overlap, from a seed, on a real store. The checks know nothing of rcrond: they look at the state files and at
//! what was run.
//!
//! `make chaos STORE=redis SEED=7 SECONDS=600` runs it for long. The plan of the faults depends only on the seed; how the processes
//! and the network mix them does not.

mod inject;
mod plan;
mod random;
mod sabotage;
mod servers;

use crate::node::{Node, Settings};
use crate::scenario::Scenario;
use crate::site::Site;
use crate::stores::Single;
use crate::stores::etcd::Etcd;
use crate::stores::mariadb::MariaDb;
use crate::stores::postgresql::PostgreSql;
use crate::stores::redis::Redis;
use crate::vdso;
use inject::Injector;
use plan::Profile;
use servers::Servers;
use std::env;
use std::time::{Duration, Instant};

const STORE: &str = "RCRON_CHAOS_STORE";
const SEED: &str = "RCRON_CHAOS_SEED";
const SECONDS: &str = "RCRON_CHAOS_SECONDS";

#[test]
#[ignore = "needs root, a store, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn overlapping_faults() {
    let text = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let number = |name: &str, default| text(name, default).parse().expect(name);
    let (seed, seconds) = (number(SEED, "1"), number(SECONDS, "60"));
    let length = Duration::from_secs(seconds);
    println!("store {}, seed {seed}, {seconds} s", text(STORE, "redis"));
    let site = Site::new();
    let (lab, data, logs) = (&site.lab, site.data(), site.directory());
    match &*text(STORE, "redis") {
        "redis" => survives(&site, &mut started(Redis::new(lab, &data, &logs)), |_| (), seed, length),
        "postgresql" => {
            let mut store = started(PostgreSql::new(lab, &data, &logs));
            survives(&site, &mut store, Node::init_store, seed, length);
        }
        "mariadb" => {
            let mut store = started(MariaDb::new(lab, &data, &logs));
            survives(&site, &mut store, Node::init_store, seed, length);
        }
        "etcd" => survives(&site, &mut Etcd::start(lab, &data, &logs), |_| (), seed, length),
        other => panic!("{STORE}={other}: not one of redis, postgresql, mariadb, etcd"),
    }
}

fn started<S: Single>(mut store: S) -> S {
    Single::start(&mut store);
    store
}

fn settings(table: String) -> Settings {
    Settings {
        store: table,
        lease: Duration::from_secs(2),
        settle: Duration::from_secs(1),
        preempt_delay: Duration::from_secs(1),
        priority: 100,
    }
}

/// Bursts of faults for this long. `prepare` is what an administrator does once, on one node.
fn survives<S: Servers>(site: &Site, store: &mut S, prepare: impl FnOnce(&Node), seed: u64, length: Duration) {
    let scenario = begin(site, store, prepare);
    let profile = Profile {
        servers: store.hosts().len(),
        loses_data: store.loses_data(),
        has_clocks: vdso::KNOWN,
    };
    let end = Instant::now() + length;
    let mut injector = Injector::new(&scenario, site, store);
    injector.recover();
    for number in 0.. {
        scenario.say(&format!("burst {number} of seed {seed}"));
        injector.run_burst(&plan::burst(seed, number, profile));
        injector.recover();
        if Instant::now() >= end {
            break;
        }
    }
    println!("{} faults injected", injector.count());
    scenario.end();
}

fn begin(site: &Site, store: &impl Servers, prepare: impl FnOnce(&Node)) -> Scenario {
    let settings = settings(store.table());
    let nodes = site.nodes();
    nodes[0].configure(&settings);
    prepare(&nodes[0]);
    for node in &nodes {
        node.make_disk();
    }
    Scenario::begin("chaos", site, nodes, settings)
}
