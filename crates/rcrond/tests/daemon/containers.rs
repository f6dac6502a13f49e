//! rcrond beside containers, which are namespaces here, that share the directories of its state file and its socket.

use crate::node::Node;
use std::fs;
use std::process::{Command, Stdio};
use testing::process::{Running, run};
use testing::program::program;
use testing::servers::redis::Redis;
use testing::until;

/// The node's directory is a read-only volume, at the same path; only the journal's can be written to.
const SCRIPT: &str = "mount --rbind / /; mount --bind \"$1\" \"$1\"; mount --bind \"$1/journal\" \"$1/journal\"
    for path in \"$1\" /; do mount -o remount,bind,ro \"$path\"; done
    ! touch \"$1/run/file\" 2>/dev/null
    shift; exec \"$@\"";

/// rcron in a container. That of an ordinary user has a user namespace, too.
fn in_container(node: &Node, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["--uts", "--ipc", "--net", "sh", "-euc", SCRIPT, "sh"]);
    command.arg(node.path("")).arg(program("rcron"));
    command.arg("--conf").arg(node.path("rcron.conf"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

fn node(redis: &Redis) -> Node {
    let node = Node::new("n1", redis);
    // A busy machine must not cost the lease.
    let configuration = node.configuration().replace("lease = \"1s\"", "lease = \"5s\"");
    node.configure(&format!("max_skew = \"0s\"\n{configuration}"));
    let node = node.started();
    node.is_active();
    node
}

#[test]
fn two_containers_of_a_server_run_their_jobs_with_its_lease() {
    let redis = Redis::start();
    let node = node(&redis);
    for job in ["first", "second"] {
        let echo = ["--job", job, "sh", "-c", "echo $RCRON_EPOCH"];
        let done = run(&mut in_container(&node, &echo));
        assert_eq!((done.code(), done.stdout().as_str()), (Some(0), "1\n"), "{done:?}");
        node.journal_has(&format!("\"job\":\"{job}\""));
    }
}

/// A job that claims this tick.
fn claims(node: &Node, job: &str, tick: &str) -> Command {
    let socket = format!("claim_socket={}", node.path("run/claims").display());
    let options = ["-o", "once_per_tick=yes", "-o", "start_within=10m", "-o", &socket];
    in_container(node, &[&options[..], &["--job", job, "--tick", tick, "true"]].concat())
}

fn now() -> String {
    format!("@{}", inputs::clock::wall_time().0.as_secs())
}

#[test]
fn a_tick_starts_in_one_of_two_containers() {
    let redis = Redis::start();
    let node = node(&redis);
    // In the container, the user is root.
    let journal = node.path("journal").join("0-0.jsonl");
    let started = |job: &str| {
        let text = fs::read_to_string(&journal).unwrap_or_default();
        let record = format!("\"job\":\"{job}\"");
        text.lines()
            .filter(|line| line.contains("\"event\":\"start\"") && line.contains(&record))
            .count()
    };
    // The first claim in a cluster sets the floor, and later ticks are above it.
    until("a tick above the floor", || {
        run(&mut claims(&node, "first", &now()));
        (started("first") > 0).then_some(())
    });
    let tick = now();
    let containers = [(), ()].map(|()| Running::start(&mut claims(&node, "night", &tick)));
    let codes = containers.map(|container| container.finish().code());
    assert_eq!(codes, [Some(0), Some(0)]);
    until("the record", || (started("night") > 0).then_some(()));
    assert_eq!(started("night"), 1);
}
