//! docs/moving.md, while jobs are due all the time.

use super::journal::{self, Jobs};
use super::server::Servers;
use super::text::Guide;
use super::{SHORT_LEASE, postgresql};
use testing::until;

const ETCD: &str = "\
ETCD_LISTEN_CLIENT_URLS=http://10.0.0.11:2379
ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.11:2379
";
/// Less than the default, so that the test takes less time. All servers have one clock.
const SKEW: &str = "max_skew = \"1s\"\n";

const KEEPS_KEEPALIVED: &str = "server3";

/// An rcrond.toml with etcd.
fn etcd() -> String {
    format!("{SKEW}[etcd]\nservers = [\"db1:2379\"]\n[[cluster]]\nconf = \"/etc/rcron/rcron.conf\"\n{SHORT_LEASE}")
}

fn start_etcd(servers: &Servers) {
    let db1 = &servers.db1;
    db1.run("systemctl stop etcd; rm -rf /var/lib/etcd/default");
    db1.write("/etc/default/etcd", ETCD);
    db1.run("systemctl start etcd");
    until("etcd to answer", || {
        let health = "ETCDCTL_API=3 etcdctl --endpoints=http://10.0.0.11:2379 endpoint health";
        db1.attempt(health).status.success().then_some(())
    });
}

/// Waits until so many more runs of this job are in the journals.
fn wait_for_runs(servers: &Servers, job: &str, more: usize) {
    let before = journal::count(servers, job);
    until(&format!("{job} to run"), || {
        (journal::count(servers, job) >= before + more).then_some(())
    });
}

#[test]
#[ignore = "needs root, etcd, postgresql, openssl and iproute2: `make test` installs them and runs it"]
fn from_etcd_to_postgresql() {
    let servers = Servers::boot();
    let moving = Guide::read("moving.md");
    start_etcd(&servers);
    servers.configure_rcron();
    for node in &servers.nodes {
        node.write("/etc/rcron/rcrond.toml", &etcd());
        node.run("systemctl start rcrond");
    }
    let postgresql = Guide::read("stores/postgresql.md");
    postgresql::store(&servers.db1, &postgresql);
    servers.on_each(postgresql.block("Configure rcrond", 1));
    let _jobs = Jobs::start_with_ticks(&servers);
    wait_for_runs(&servers, "second", 3);

    let new = format!("{SKEW}{}{SHORT_LEASE}", postgresql.block("Configure rcrond", 0));
    servers.say("from etcd to PostgreSQL");
    change_the_store(&servers, &moving, &new);
    journal::check(&servers);
    moving.is_complete_where(|heading| !heading.contains("keepalived"));
}

fn change_the_store(servers: &Servers, guide: &Guide, new: &str) {
    let heading = "From one store to another";
    let first = &servers.nodes[0];
    for node in &servers.nodes {
        node.write("/etc/rcron/rcrond.toml.new", new);
    }
    first.follow(guide.block(heading, 0));
    servers.on_each(guide.block(heading, 1));
    servers.say("all are prepared");
    let order = servers.active_last();
    for node in &order {
        node.follow(guide.block(heading, 2));
    }
    servers.say("all are drained");
    for node in &servers.nodes {
        node.follow(guide.block(heading, 3));
        assert!(servers.active_now().is_empty());
        until("all nodes to be drained", || {
            node.nodes().iter().all(|(_, role)| role == "drained").then_some(())
        });
    }
    servers.on_each(guide.block(heading, 4));
    servers.say("all are stopped");
    servers.on_each(guide.block(heading, 5));
    servers.say("all are started");
    first.follow(guide.block(heading, 6));
    until("all nodes to be in the new store", || {
        (first.nodes().len() == 3).then_some(())
    });
    for node in order.iter().rev() {
        node.follow(guide.block(heading, 7));
    }
    servers.say("all are undrained");
    let active = servers.active();
    servers.say(&format!("{} is active", active.name));
    wait_for_runs(servers, "tenth", 5);
    wait_for_runs(servers, "second", 3);
}

#[test]
#[ignore = "needs root, etcd, keepalived and iproute2: `make test` installs them and runs it"]
fn from_keepalived_to_rcrond_and_back() {
    let servers = Servers::boot();
    let guide = Guide::read("moving.md");
    start_etcd(&servers);
    for node in &servers.nodes {
        node.run(
            "cd /usr/share/doc/rcron/examples/keepalived
             cp one-cluster/keepalived.conf /etc/keepalived/
             cp one-cluster/rcron.conf /etc/rcron/
             systemctl enable --now rcron-keepalived
             systemctl enable --now keepalived",
        );
    }
    servers.active();
    let _jobs = Jobs::start(&servers);
    wait_for_runs(&servers, "tenth", 10);

    let heading = "From keepalived to rcrond";
    servers.say(heading);
    for node in &servers.nodes {
        node.write("/etc/rcron/rcrond.toml", &etcd());
        node.follow(guide.block(heading, 0));
    }
    for node in servers.active_last() {
        // One of them moves an address with its keepalived, which continues.
        let number = if node.name == KEEPS_KEEPALIVED { 4 } else { 1 };
        node.follow(guide.block(heading, number));
    }
    until("all servers to be passive", || {
        servers.active_now().is_empty().then_some(())
    });
    servers.on_each(guide.block(heading, 2));
    servers.active();
    servers.nodes[0].follow(guide.block(heading, 3));
    wait_for_runs(&servers, "tenth", 10);
    journal::check(&servers);

    let heading = "From rcrond back to keepalived";
    servers.say(heading);
    for node in &servers.nodes {
        node.run("systemctl stop keepalived; cp /usr/share/doc/rcron/examples/keepalived/one-cluster/keepalived.conf /etc/keepalived/");
    }
    for node in servers.active_last() {
        node.follow(guide.block(heading, 0));
    }
    assert!(servers.active_now().is_empty());
    servers.on_each(guide.block(heading, 1));
    servers.active();
    wait_for_runs(&servers, "tenth", 10);
    journal::check(&servers);
    guide.is_complete_where(|heading| heading.contains("keepalived"));
}
