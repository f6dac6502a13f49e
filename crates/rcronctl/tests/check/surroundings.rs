//! The log socket, rcron itself, and rcrond.

use crate::daemon::{Daemon, Reply, answer_status};
use crate::tree::{CONF, Tree};
use control::{DEFAULT_SOCKET, Request, Response};
use std::os::unix::net::{UnixDatagram, UnixListener};

#[test]
fn unserved_log_socket_is_reported() {
    let tree = Tree::clean();
    tree.remove("/dev/log");
    tree.finds_only("hint", "syslog-missing", "/dev/log");
    drop(UnixDatagram::bind(tree.path("/dev/log")).expect("bound"));
    tree.finds_only("wrong", "syslog-deaf", "/dev/log");
    tree.remove("/dev/log");
    tree.write("/dev/log", "");
    tree.finds_only("wrong", "syslog-unreachable", "/dev/log");
    tree.configure("syslog_socket = /run/log\n");
    tree.finds_only("wrong", "syslog-missing", "/run/log");
    assert!(tree.path(CONF).exists());
}

#[test]
fn rcron_itself_is_examined() {
    let tree = Tree::clean();
    let rcron = "/usr/bin/rcron";
    tree.mode(rcron, 0o4755);
    tree.finds_only("wrong", "rcron-setuid", rcron);
    tree.mode(rcron, 0o777);
    tree.finds_only("wrong", "rcron-writable", rcron);
    tree.mode(rcron, 0o755);
    tree.program("/usr/local/bin/rcron");
    tree.finds_only("hint", "rcron-several", rcron);
    tree.remove("/usr/local/bin/rcron");
    tree.remove(rcron);
    tree.finds("wrong", "rcron-missing", rcron);
}

#[test]
fn silent_rcrond_is_wrong() {
    let tree = Tree::clean();
    tree.directory("/run/rcrond");
    drop(UnixListener::bind(tree.path(DEFAULT_SOCKET)).expect("bound"));
    tree.finds_only("wrong", "rcrond-silent", DEFAULT_SOCKET);
    assert!(
        tree.text(&[])
            .contains("rcrond does not answer: no process listens on the socket\n")
    );
    for (reply, told) in [
        (|| Reply::Nothing, "no answer in time"),
        (|| Reply::Bytes(b"?\n".to_vec()), "not an answer of rcrond: "),
        (
            || {
                Reply::from(Response::Error {
                    message: "not today".to_owned(),
                })
            },
            "not today",
        ),
    ] as [(fn() -> Reply, &str); 3]
    {
        tree.remove(DEFAULT_SOCKET);
        let _daemon = Daemon::start(&tree.path(DEFAULT_SOCKET), move |_| reply());
        let text = tree.text(&[]);
        assert!(text.contains(&format!("rcrond does not answer: {told}")), "{text}");
    }
}

/// Without require_lease, default_state applies to a missing state file, whatever the lease is.
#[test]
fn unrequired_lease_of_rcrond_is_wrong() {
    let tree = Tree::clean();
    tree.directory("/run/rcrond");
    let daemon = Daemon::start(&tree.path(DEFAULT_SOCKET), answer_status);
    tree.finds_only("wrong", "lease-not-required", CONF);
    assert!(
        tree.text(&[])
            .contains("does not set require_lease, but rcrond manages it on this server")
    );
    tree.configure("require_lease = yes\n");
    tree.finds_nothing();
    assert!(
        tree.text(&[])
            .contains("looked at /run/rcrond/socket: rcrond 0.9.0 answers, on node server1\n")
    );
    let asked = daemon.requests();
    assert!(
        asked.iter().all(|request| *request == Request::Status { nodes: false }),
        "{asked:?}"
    );
}
