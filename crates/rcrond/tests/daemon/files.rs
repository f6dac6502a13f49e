//! State files, epochs and the other files of the daemon.

use crate::node::Node;
use crate::signals::HUP;
use control::Role;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use testing::program::{output_to_a_full_disk_fails, own_version_lines};
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn a_node_that_cannot_write_its_state_file_releases_the_cluster() {
    let redis = Redis::start();
    let first = Node::new("n1", &redis).started();
    first.is_active();
    // A directory in place of the file: not even root can replace it.
    fs::remove_file(first.path("state")).expect("removed");
    fs::create_dir(first.path("state")).expect("made");
    let second = Node::new("n2", &redis).started();
    second.is_active();
    until("a message", || {
        first.log().contains("the state file cannot be written").then_some(())
    });
    fs::remove_dir(first.path("state")).expect("removed");
    first.has_role(Role::Standby);
    until("the file", || first.path("state").is_file().then_some(()));
    assert!(first.state().starts_with("passive "), "{}", first.state());
}

#[test]
fn epochs_that_cannot_be_read_are_not_taken_as_zero() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis);
    fs::create_dir(node.path("lib")).expect("made");
    // An empty file is what a file system without a sync leaves after a power failure.
    for junk in ["{", ""] {
        fs::write(node.path("lib/clusters.json"), junk).expect("written");
        let done = testing::run(&mut node.command());
        assert_eq!(done.code(), Some(78), "systemd would restart it for ever");
        assert!(done.stderr().contains("move it away"), "{}", done.stderr());
    }
}

#[test]
fn modes_permit_what_is_needed() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let mode = |name: &str| fs::metadata(node.path(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!(mode("state"), 0o644, "the jobs of all users read it");
    assert_eq!(mode("run/identity"), 0o600);
    assert_eq!(mode("socket"), 0o666, "the kernel tells the daemon who the client is");
}

#[test]
fn a_state_file_that_another_program_writes_is_restored_and_logged() {
    let redis = Redis::start();
    let active = Node::new("n1", &redis).started();
    active.is_active();
    let standby = Node::new("n2", &redis).started();
    standby.has_role(Role::Standby);
    for (node, foreign, word) in [
        (&active, "passive by=x", "active "),
        (&standby, "active by=x", "passive "),
    ] {
        fs::write(node.path("state"), format!("{foreign}\n")).expect("written");
        until("the file", || node.state().starts_with(word).then_some(()));
        let line = format!(
            "another program has written the state file {}",
            node.path("state").display()
        );
        until("a message", || {
            let log = node.log();
            (log.contains(&line) && log.contains(&format!("it says `{foreign}`"))).then_some(())
        });
    }
    fs::remove_file(standby.path("state")).expect("removed");
    until("the file", || standby.state().starts_with("passive ").then_some(()));
    until("a message", || standby.log().contains("it is missing").then_some(()));
}

/// The line and the metric of a cluster that became passive while its file could not be written.
#[test]
fn a_state_that_is_written_after_a_failure_is_logged() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    until("the line", || node.log().contains("cluster web: active").then_some(()));
    fs::remove_file(node.path("state")).expect("removed");
    fs::create_dir(node.path("state")).expect("made");
    until("a message", || {
        node.log().contains("the state file cannot be written").then_some(())
    });
    assert!(!node.log().contains("cluster web: passive\n"), "{}", node.log());
    fs::remove_dir(node.path("state")).expect("removed");
    until("the line", || {
        node.log().contains("cluster web: passive\n").then_some(())
    });
}

#[test]
fn an_rcron_conf_without_require_lease_is_refused_at_start_and_at_a_reload() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    let conf = fs::read_to_string(node.path("rcron.conf")).expect("there");
    let without = conf.replace("require_lease = yes\n", "");
    fs::write(node.path("rcron.conf"), &without).expect("written");
    let done = testing::run(&mut node.command());
    assert_eq!(done.code(), Some(78));
    assert!(done.stderr().contains("does not require a lease"), "{}", done.stderr());
    fs::write(node.path("rcron.conf"), &conf).expect("written");
    node.start();
    node.is_active();
    fs::write(node.path("rcron.conf"), &without).expect("written");
    node.signal(HUP);
    until("a message", || {
        let log = node.log();
        (log.contains("the configuration was not reloaded") && log.contains("does not require a lease")).then_some(())
    });
    node.is_renewed();
}

#[test]
fn the_version_names_the_stores_and_the_formats_of_the_records() {
    assert_eq!(
        own_version_lines("rcrond"),
        [
            "stores etcd, postgresql, mariadb, redis",
            "records cluster1, session1, floor1, job1, jobs1, tick1",
            "node-records node1, nodes1, node-jobs2"
        ]
    );
    output_to_a_full_disk_fails("rcrond", 1);
}
