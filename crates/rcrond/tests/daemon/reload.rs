//! SIGHUP.

use crate::node::Node;
use crate::signals::{HUP, TERM};
use control::{Request, Response};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn changes_what_can_change_and_refuses_the_rest() {
    let redis = Redis::start();
    let node = Node::new("n1", &redis).started();
    node.is_active();
    let good = node.configuration();
    node.configure(&good.replace("lease = \"1s\"", "leese = \"1s\""));
    node.signal(HUP);
    until("the refusal", || {
        node.log().contains("did you mean `lease`?").then_some(())
    });
    node.configure(&good.replace("node = \"n1\"", "node = \"n2\""));
    node.signal(HUP);
    until("the refusal", || {
        node.log()
            .contains("node cannot be changed without a restart")
            .then_some(())
    });
    let more = format!(
        "{}[[cluster]]\nname = \"db\"\nstate_file = \"{}\"\nlease = \"1s\"\n",
        good.replace("priority = 100", "priority = 7"),
        node.path("db-state").display()
    );
    node.configure(&more);
    node.signal(HUP);
    until("the new cluster", || {
        fs::read_to_string(node.path("db-state"))
            .ok()
            .filter(|text| text.starts_with("active "))
    });
    let Response::Status(report) = node.ask(&Request::Status { nodes: false }) else {
        panic!("a report")
    };
    assert_eq!(report.clusters[0].priority, 7);
    node.configure(&good);
    node.signal(HUP);
    until("the removed cluster to be released", || {
        fs::read_to_string(node.path("db-state"))
            .ok()
            .filter(|text| text.starts_with("passive "))
    });
    node.is_renewed();
    assert!(
        node.state().contains(" epoch=1 "),
        "no lease was lost: {}",
        node.state()
    );
}

/// What the unit runs for `systemctl reload`.
fn reload(node: &Node) -> testing::Done {
    testing::run(node.command().stdout(Stdio::piped()).arg("--reload"))
}

#[test]
fn by_the_program_has_a_result() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    let done = reload(&node);
    assert_eq!(done.code(), Some(1));
    assert!(done.stderr().contains("there is no such socket"), "{done:?}");
    node.start();
    node.is_active();
    let done = reload(&node);
    assert_eq!(
        (done.code(), done.stdout().as_str()),
        (Some(0), "the configuration was reloaded\n"),
        "{done:?}"
    );
    let good = node.configuration();
    for (wrong, why) in [
        (
            good.replace("lease = \"1s\"", "leese = \"1s\""),
            "did you mean `lease`?",
        ),
        (
            good.replace("node = \"n1\"", "node = \"n2\""),
            "node cannot be changed without a restart",
        ),
    ] {
        node.configure(&wrong);
        let done = reload(&node);
        assert_eq!(done.code(), Some(1), "{done:?}");
        assert!(done.stderr().contains(why), "{done:?}");
        node.has_logged(why);
    }
    node.is_renewed();
}

/// SIGHUP has no result, so systemd's status line has it.
#[test]
fn that_fails_is_in_the_status_line_until_one_succeeds() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    let socket = UnixDatagram::bind(node.path("notify")).expect("bound");
    socket.set_read_timeout(Some(testing::wait::DEADLINE)).expect("a limit");
    // Until a message has this text.
    let received = |text: &str| {
        let mut buffer = [0; 4096];
        loop {
            let length = match socket.recv(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                received => received.unwrap_or_else(|error| panic!("{text}: {error}")),
            };
            if String::from_utf8_lossy(&buffer[..length]).contains(text) {
                return;
            }
        }
    };
    node.set("NOTIFY_SOCKET", "notify");
    node.start();
    received("READY=1");
    received("STATUS=web: active");
    let good = node.configuration();
    node.configure("junk");
    node.signal(HUP);
    received("RELOADING=1");
    received("; THE LAST RELOAD FAILED: see the log");
    received("READY=1");
    node.configure(&good);
    node.signal(HUP);
    received("RELOADING=1");
    received("STATUS=web: active");
    received("READY=1");
}

#[test]
fn before_the_daemon_is_ready_does_not_kill_it() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    for _ in 0..20 {
        node.start_without_waiting();
        node.begins();
        for _ in 0..20 {
            node.signal(HUP);
        }
        node.is_active();
        node.signal(TERM);
        assert!(node.ended().success());
        fs::remove_file(node.path("state")).expect("removed");
    }
}
