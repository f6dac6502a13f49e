//! The log socket, rcron itself, and rcrond.

use crate::daemon::{Daemon, Reply, answer_status, report};
use crate::tree::{CONF, JOBS, Tree};
use control::{DEFAULT_SOCKET, Request, Response, Role};
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

#[test]
fn cron_that_does_not_run_is_wrong() {
    let tree = Tree::clean();
    tree.process(4711, "sleep");
    tree.finds_only("wrong", "cron-stopped", "/usr/sbin/cron");
    tree.process(4713, "crond");
    tree.finds_only("wrong", "cron-stopped", "/usr/sbin/cron");
    tree.remove(JOBS);
    tree.finds_nothing(); // no job needs it
    tree.job("rcron backup");
    tree.process(4711, "cron");
    if tree.give_away("/proc/4711") {
        tree.finds_only("wrong", "cron-stopped", "/usr/sbin/cron");
    }
    tree.remove("/usr/sbin/cron");
    tree.finds_only("wrong", "cron-missing", "/usr/sbin/cron");
}

/// An image has no processes.
#[test]
fn processes_of_an_image_are_not_missed() {
    let tree = Tree::clean();
    for process in ["/proc/1/comm", "/proc/4711"] {
        tree.remove(process);
    }
    tree.finds_nothing();
}

#[test]
fn rcrond_that_is_configured_must_run_and_start_at_boot() {
    let tree = Tree::clean();
    let toml = "/etc/rcron/rcrond.toml";
    tree.write(toml, "[control]\nsocket = \"/run/elsewhere\"\n");
    tree.finds_only("wrong", "rcrond-stopped", toml);
    tree.process(4712, "rcrond");
    tree.finds_nothing();
    assert!(
        tree.text(&[])
            .contains("  not seen  what rcrond says: it runs, but does not answer on /run/elsewhere\n")
    );
    tree.remove("/proc/4712");
    let daemon = Daemon::start(&tree.path("/run/elsewhere"), |_| {
        Response::Status(control::Report {
            clusters: Vec::new(),
            ..report(false)
        })
        .into()
    });
    tree.finds_nothing();
    assert_eq!(daemon.requests().len(), 1);
    tree.directory("/run/systemd/system");
    tree.finds_only("wrong", "rcrond-disabled", toml);
    tree.write("/etc/systemd/system/multi-user.target.wants/rcrond.service", "");
    tree.finds_nothing();
}

/// What rcrond knows about itself is otherwise seen only in its log.
#[test]
fn report_of_rcrond_is_examined() {
    type Change = fn(&mut control::Report);
    for (change, severity, kind) in [
        ((|_| {}) as Change, "", ""),
        (|report| report.store.answers = false, "wrong", "rcrond-store"),
        (|report| report.store.session = false, "wrong", "rcrond-no-session"),
        (
            |report| {
                report.store.session = false;
                report.store.session_failure = Some("another machine has this node's name\u{1b}".to_owned());
            },
            "wrong",
            "rcrond-no-session",
        ),
        (
            |report| {
                report.store.watching = false;
                report.store.watch_failure = Some("a pooler\u{1b}".to_owned());
            },
            "hint",
            "rcrond-polling",
        ),
        (|report| report.store.watching = false, "", ""),
        (
            |report| report.clusters[0].role = Role::Drained,
            "hint",
            "rcrond-drained",
        ),
        (
            |report| report.clusters[0].role = Role::Draining,
            "hint",
            "rcrond-drained",
        ),
        (
            |report| report.clusters[0].writable = false,
            "wrong",
            "rcrond-unwritable",
        ),
    ] {
        let tree = Tree::clean();
        tree.configure("require_lease = yes\n");
        tree.directory("/run/rcrond");
        let _daemon = Daemon::start(&tree.path(DEFAULT_SOCKET), move |_| {
            let mut report = report(false);
            report.store.failure = Some("no route\u{1b}[2J to 10.0.0.1".to_owned());
            change(&mut report);
            Response::Status(report).into()
        });
        if kind.is_empty() {
            tree.finds_nothing();
        } else {
            tree.finds_only(severity, kind, DEFAULT_SOCKET);
            assert!(!tree.text(&[]).contains('\u{1b}'));
        }
    }
}
