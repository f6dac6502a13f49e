//! The store fails.

use crate::node::Node;
use crate::signals::KILL;
use control::{Request, Response, Role};
use testing::servers::TestServer;
use testing::servers::fake::Fake;
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn outage_is_logged_once_and_no_node_is_active_until_its_end() {
    let mut redis = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let node = Node::new("n1", &redis).started();
    node.is_active();
    redis.kill();
    until("the lease to expire", || {
        node.state().starts_with("passive ").then_some(())
    });
    redis.start_again();
    node.is_active();
    let silent = node.has_logged("the store does not answer");
    assert_eq!(silent, 1, "{}", node.log());
    // To the daemon, the server is another one now: it has waited for the lease, and the epoch has grown.
    assert!(!node.state().contains(" epoch=1 "), "{}", node.state());
}

/// An outage that began with one cause and goes on with another.
#[test]
fn outage_is_logged_with_each_of_its_causes() {
    let mut redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    redis.cli(&["CONFIG", "SET", "requirepass", "secret"]);
    redis.cli(&["-a", "secret", "--no-auth-warning", "CLIENT", "KILL", "TYPE", "normal"]);
    until("the first cause", || {
        let log = node.log();
        let mut lines = log.lines().filter(|line| line.contains("the store does not answer"));
        lines.any(|line| line.contains("NOAUTH")).then_some(())
    });
    redis.kill();
    until("the second cause", || {
        let log = node.log();
        let mut lines = log
            .lines()
            .filter(|line| line.contains("the store still does not answer"));
        lines.any(|line| line.contains("onnection refused")).then_some(())
    });
}

/// Its session is ended by the node that takes over, which is not when it was last alive.
#[test]
fn shows_when_a_dead_node_was_last_alive() {
    let redis = Redis::start();
    let mut dead = Node::new("n1", &redis).started();
    dead.is_active();
    let other = Node::new("n2", &redis).started();
    other.has_role(Role::Standby);
    dead.signal(KILL);
    dead.ended();
    let session = redis.cli(&["GET", "rcron:session/n1"]);
    let last_renewal = session.trim().rsplit("at=").next().expect("a time").to_owned();
    other.is_active();
    let session = redis.cli(&["GET", "rcron:session/n1"]);
    assert!(!session.contains(" open"), "{session}");
    let Response::Status(report) = other.ask(&Request::Status { nodes: true }) else {
        panic!("a report")
    };
    let node = report.clusters[0].nodes.iter().find(|node| node.name == "n1");
    let node = node.expect("the dead node");
    assert_eq!((node.role, node.last_seen.as_ref()), (Role::Gone, Some(&last_renewal)));
}

#[test]
fn loss_of_all_data_does_not_make_epochs_smaller() {
    let mut redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    redis.kill();
    redis.lose_data();
    redis.start_again();
    until("the next epoch", || {
        let state = node.state();
        (state.starts_with("active ") && !state.contains(" epoch=1 ")).then_some(())
    });
}

/// Appends a cluster to its configuration.
fn with_another_cluster(node: Node) -> Node {
    let state = node.path("other-state").display().to_string();
    let cluster = format!("[[cluster]]\nname = \"other\"\nstate_file = {state:?}\nlease = \"1s\"\nsettle = \"0s\"\n");
    node.configure(&(node.configuration() + &cluster));
    node
}

/// Replaces a key by a list, at one moment.
fn make_list(redis: &Redis, key: &str) {
    let script = "redis.call('DEL', KEYS[1]) return redis.call('RPUSH', KEYS[1], 'junk')";
    redis.cli(&["EVAL", script, "1", key]);
}

#[test]
fn spoilt_session_heals_by_itself_and_is_logged_once_with_its_key() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    for count in 0..2 {
        node.is_active();
        // By now it has read its own record again: a fault that lasts is logged once.
        node.is_renewed();
        if count == 0 {
            redis.cli(&["SET", "rcron:session/n1", "junk"]);
        } else {
            make_list(&redis, "rcron:session/n1");
        }
        until("the session to be lost", || {
            node.state().starts_with("passive ").then_some(())
        });
        node.is_active();
        assert!(redis.cli(&["GET", "rcron:session/n1"]).contains("session1 id="));
        let fault = "another program or another version of rcron wrote the record rcron:session/n1:";
        until("the fault in the log", || {
            (node.has_logged(fault) > count).then_some(())
        });
        assert_eq!(node.has_logged(fault), count + 1, "{}", node.log());
    }
}

#[test]
fn spoilt_cluster_record_stops_only_its_cluster_until_the_key_is_deleted() {
    let redis = Redis::start();
    let node = with_another_cluster(Node::new("n1", &redis)).started();
    node.is_active();
    make_list(&redis, "rcron:cluster/web");
    until("the cluster to be passive", || {
        node.state().starts_with("passive ").then_some(())
    });
    let other = || std::fs::read_to_string(node.path("other-state")).unwrap_or_default();
    for _ in 0..3 {
        let before = other();
        until("the other cluster to be renewed", || {
            let now = other();
            (now.starts_with("active ") && now != before).then_some(())
        });
    }
    assert!(node.state().starts_with("passive "));
    let logged = node.has_logged("its record in the store, rcron:cluster/web, was written by");
    assert_eq!(logged, 1, "{}", node.log());
    redis.cli(&["DEL", "rcron:cluster/web"]);
    node.is_active();
}

#[test]
fn status_shows_all_nodes_among_a_million_foreign_keys() {
    let redis = Redis::start_with(&["--enable-debug-command", "yes"]);
    redis.cli(&["DEBUG", "POPULATE", "1000000", "other", "10"]);
    for foreign in ["r", "rcron", "rcron:", "rcron:node", "rcron:node/", "rcron:node/x y"] {
        redis.cli(&["SET", foreign, "x"]);
    }
    let node = Node::new("n1", &redis).started();
    let _other = Node::new("n2", &redis).started();
    node.is_active();
    until("both nodes to be shown", || {
        let answer = node.ask(&Request::Status { nodes: true });
        let Response::Status(report) = &answer else {
            panic!("{answer:?}");
        };
        assert_eq!(report.store.failure, None);
        let nodes = &report.clusters[0].nodes;
        let shown: Vec<_> = nodes.iter().map(|node| (node.name.as_str(), node.role)).collect();
        (shown == [("n1", Role::Active), ("n2", Role::Standby)]).then_some(())
    });
}

/// What rcrond may use in all, with much room. It needs less than 20 MiB.
const LITTLE_MEMORY: u64 = 64 << 20;

#[test]
fn endless_answer_costs_little_memory_and_is_logged() {
    // A message of 2 GiB, before any log-in.
    let postgresql = Fake::start(|client| {
        client.receive()?;
        client.send(b"E\x7f\xff\xff\xff")?;
        client.send_endlessly(b"x")
    });
    // The same; this server sends first.
    let mariadb = Fake::start(|client| {
        client.send(b"\xff\xff\xff\0")?;
        client.send_endlessly(b"x")
    });
    let login = "user = \"rcrond\"\npassword = \"hunter2\"";
    // The longest answer of the shortest elements.
    let redis = Fake::start(|client| {
        client.receive()?;
        client.send(b"*99999\r\n")?;
        client.send_endlessly(b"*0\r\n")
    });
    for (fake, table, word) in [
        (postgresql, "postgresql", "a message of more than 1048576 bytes"),
        (mariadb, "mariadb", "a packet of more than 1048576 bytes"),
        (redis, "redis", "more than 100000 elements"),
    ] {
        let login = if table == "redis" { "" } else { login };
        let store = format!("[{table}]\nservers = [\"{}\"]\n{login}", fake.address());
        let node = Node::with_store("n1", &store);
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(node.path("rcrond.toml"), private).expect("its own file");
        // A longer lease has a longer time limit for each call.
        node.configure(&node.configuration().replace("lease = \"1s\"", "lease = \"30s\""));
        let node = node.started();
        until("some attempts", || (fake.ended() >= 3).then_some(()));
        until("the message in the log", || node.log().contains(word).then_some(()));
        assert!(node.memory() < LITTLE_MEMORY, "{table}: {} bytes", node.memory());
        println!("{table}: {} KiB", node.memory() >> 10);
        assert!(node.state().starts_with("passive "));
    }
}
