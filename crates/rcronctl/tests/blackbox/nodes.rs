//! `rcronctl status` with rcrond.

use crate::daemon::{Daemon, Reply, answer_status, report};
use crate::fixture::{Fixture, rows};
use control::{ClusterDrift, DrainOrigin, DriftReport, Request, Response, Role};
use std::os::unix::net::UnixListener;
use testing::run;

const PASSIVE: &str = "passive until=1.0 boot=b epoch=42 by=server1\n";

impl Fixture {
    fn socket(&self) -> String {
        self.path("socket").into_os_string().into_string().expect("text")
    }

    /// The lines of `rcronctl status` below the table of clusters.
    fn nodes(&self) -> Vec<String> {
        let told = self.output(0, ["status", "--socket", &self.socket()]);
        let rows = rows(&told);
        assert!(
            rows[0].starts_with("CLUSTER STATE ") && rows[1].starts_with("web "),
            "{told}"
        );
        rows[2..].to_vec()
    }
}

/// The line with `AGE` in place of the age, which grows.
fn without_age(row: &str) -> String {
    match (row.split_once(" 0.9.0").map(|(head, _)| head), row.find(" d ")) {
        (Some(head), Some(_)) => {
            let words: Vec<&str> = head.split(' ').collect();
            let days = words.iter().position(|word| *word == "d").expect("an age");
            format!("{} AGE 0.9.0", words[..days - 1].join(" "))
        }
        _ => row.to_owned(),
    }
}

#[test]
fn shows_all_nodes_of_a_cluster() {
    let fixture = Fixture::new(Some(PASSIVE));
    let daemon = Daemon::start(&fixture.path("socket"), answer_status);
    let shown: Vec<String> = fixture.nodes().iter().map(|row| without_age(row)).collect();
    assert_eq!(
        shown,
        [
            "",
            "web: server1 holds it, epoch 42, lease 10 s",
            "NODE ROLE PRIORITY EPOCH LEASE LEFT LAST SEEN VERSION",
            "server1 (here) active 100 42 8.3 s AGE 0.9.0",
            "server2 standby 90 AGE 0.9.0",
            "server3 gone 80 AGE 0.9.0",
            "",
            "rcrond 0.9.0 on server1: etcd at https://a:2379, https://b:2379 answers",
        ]
    );
    assert_eq!(daemon.requests(), [Request::Status { nodes: true }]);
}

#[test]
fn says_how_many_differences_the_servers_have() {
    let drift = |count, is_partial| DriftReport {
        clusters: vec![ClusterDrift {
            name: "web".to_owned(),
            nodes: vec!["server1".to_owned(), "server2".to_owned()],
            count,
            of_users: 0,
        }],
        is_partial,
        ..DriftReport::default()
    };
    let error = Response::Error {
        message: "the store cannot be read: \u{1b}".to_owned(),
    };
    for (answer, at, expected) in [
        (Response::Drift(drift(0, false)), 6, "drift: none (2 servers compared)"),
        (
            Response::Drift(drift(1, false)),
            6,
            "drift: 1 difference between servers; run rcronctl check",
        ),
        (
            Response::Drift(drift(2, true)),
            6,
            "drift: 2 differences in your jobs between servers; run rcronctl check",
        ),
        (error, 8, "drift: not known: the store cannot be read: \\x1b"),
    ] {
        let fixture = Fixture::new(Some(PASSIVE));
        let _daemon = Daemon::start_with_drift(&fixture.path("socket"), answer, answer_status);
        assert_eq!(fixture.nodes()[at], expected);
        let json = fixture.json(0, ["status", "--socket", &fixture.socket()]);
        let drift = &json["clusters"][0]["drift"];
        if at == 6 {
            let count = expected
                .chars()
                .find(char::is_ascii_digit)
                .filter(|_| !expected.contains("none"));
            assert_eq!(
                drift["differences"],
                count.and_then(|count| count.to_digit(10)).unwrap_or(0)
            );
            assert_eq!(drift["own_jobs_only"], expected.contains("your jobs"));
            assert_eq!(drift["servers"], serde_json::json!(["server1", "server2"]));
        } else {
            assert_eq!(*drift, serde_json::Value::Null);
        }
    }
}

#[test]
fn says_how_many_servers_were_not_compared() {
    let drift = DriftReport {
        clusters: vec![ClusterDrift {
            name: "web".to_owned(),
            nodes: vec!["server1".to_owned()],
            count: 0,
            of_users: 0,
        }],
        nodes: 121,
        unread: 20,
        ..DriftReport::default()
    };
    let fixture = Fixture::new(Some(PASSIVE));
    let _daemon = Daemon::start_with_drift(&fixture.path("socket"), Response::Drift(drift), answer_status);
    let expected = "drift: not known for 20 of 121 servers; run rcronctl check";
    assert_eq!(fixture.nodes()[6], expected, "also if no other server was compared");
    let json = fixture.json(0, ["status", "--socket", &fixture.socket()]);
    assert_eq!(json["clusters"][0]["drift"]["servers_not_read"], 20);
}

#[test]
fn json_has_the_nodes_and_the_store() {
    let fixture = Fixture::new(Some(PASSIVE));
    let _daemon = Daemon::start(&fixture.path("socket"), answer_status);
    let json = fixture.json(0, ["status", "--socket", &fixture.socket()]);
    let cluster = &json["clusters"][0]["rcrond"];
    assert_eq!(
        *cluster,
        serde_json::json!({
            "holder": "server1", "role": "active", "priority": 100, "epoch": 42, "lease": 10.0, "lease_left": 8.25, "writable": true,
            "drained": null,
            "nodes": [
                { "node": "server1", "role": "active", "priority": 100, "epoch": 42, "lease_left": 8.25, "version": "0.9.0",
                  "last_seen": "2026-01-01T00:00:00Z", "drained": null },
                { "node": "server2", "role": "standby", "priority": 90, "epoch": null, "lease_left": null, "version": "0.9.0",
                  "last_seen": "2026-01-01T00:00:00Z", "drained": null },
                { "node": "server3", "role": "gone", "priority": 80, "epoch": null, "lease_left": null, "version": "0.9.0",
                  "last_seen": "2020-01-01T00:00:00Z", "drained": null },
            ],
        })
    );
    assert_eq!(
        json["rcrond"],
        serde_json::json!({
            "socket": fixture.socket(), "error": null, "node": "server1", "version": "0.9.0",
            "store": { "kind": "etcd", "servers": ["https://a:2379", "https://b:2379"], "answers": true, "failure": null,
                       "session": true, "watching": true, "session_failure": null, "watch_failure": null },
        })
    );
}

/// server1 is being drained, server2 has been since yesterday, server3 by an rcrond that does not say more.
fn answer_with_drains(_: &Request) -> Reply {
    let origin = |since: &str, by: &str| {
        Some(DrainOrigin {
            since: since.to_owned(),
            by: by.to_owned(),
        })
    };
    let mut report = report(true);
    let cluster = &mut report.clusters[0];
    cluster.role = Role::Draining;
    cluster.drain = origin("2026-12-01T03:12:59Z", "root (login anna)");
    cluster.nodes[0].role = Role::Draining;
    cluster.nodes[0].drain.clone_from(&cluster.drain);
    cluster.nodes[1].role = Role::Drained;
    cluster.nodes[1].drain = origin("yester\u{1b}[2Jday", "\u{1b}[2J");
    cluster.nodes[2].role = Role::Drained;
    Response::Status(report).into()
}

#[test]
fn says_since_when_and_by_whom_a_node_is_drained() {
    let fixture = Fixture::new(Some(PASSIVE));
    let _daemon = Daemon::start(&fixture.path("socket"), answer_with_drains);
    let done = run(fixture
        .command()
        .env("TZ", "UTC-1")
        .args(["status", "--socket", &fixture.socket()]));
    let shown = done.stdout();
    let lines: Vec<_> = shown.lines().filter(|line| line.contains(": dr")).collect();
    assert_eq!(
        lines,
        [
            "server1: draining since 2026-12-01 04:12 by root (login anna)",
            "server2: drained since yester\\x1b[2Jday by \\x1b[2J",
        ]
    );
    let json = fixture.json(0, ["status", "--socket", &fixture.socket()]);
    let cluster = &json["clusters"][0]["rcrond"];
    let expected = serde_json::json!({ "since": "2026-12-01T03:12:59Z", "by": "root (login anna)" });
    assert_eq!(
        (&cluster["drained"], &cluster["nodes"][0]["drained"]),
        (&expected, &expected)
    );
    assert_eq!(cluster["nodes"][2]["drained"], serde_json::Value::Null);
}

#[test]
fn table_fits_the_terminal() {
    let fixture = Fixture::new(Some(PASSIVE));
    let _daemon = Daemon::start(&fixture.path("socket"), |request| {
        let Request::Status { nodes } = request else {
            panic!("asked {request:?}")
        };
        let mut report = report(*nodes);
        for node in &mut report.clusters[0].nodes {
            node.name = format!("{}.of.a.very.long.domain.example.org", node.name);
        }
        Response::Status(report).into()
    });
    let mut command = fixture.command();
    let done = run(command
        .env("COLUMNS", "80")
        .args(["status", "--socket", &fixture.socket()]));
    let shown = done.stdout();
    let row = shown.lines().find(|line| line.starts_with("server2")).expect("a row");
    assert!(row.chars().count() <= 80 && row.contains('…'), "{shown}");
}

#[test]
fn shows_this_node_if_the_store_does_not_answer() {
    let fixture = Fixture::new(Some(PASSIVE));
    let daemon = Daemon::start(&fixture.path("socket"), |_| {
        let mut report = report(false);
        report.store.answers = false;
        report.store.failure = Some("https://a:2379: connection refused\u{1b}[2J".to_owned());
        report.clusters[0].writable = false;
        Response::Status(report).into()
    });
    assert_eq!(
        fixture.nodes(),
        [
            "",
            "web: server1 holds it, epoch 42, lease 10 s",
            "NODE ROLE PRIORITY EPOCH LEASE LEFT VERSION",
            "server1 (here) active 100 42 8.3 s 0.9.0",
            "/run/rcron/web cannot be written: this server cannot become active",
            "",
            "rcrond 0.9.0 on server1: THE STORE DOES NOT ANSWER, etcd at https://a:2379, https://b:2379: https://a:2379: connection \
             refused\\x1b[2J. No server is active once the leases have expired.",
        ]
    );
    assert_eq!(daemon.requests(), [Request::Status { nodes: true }]);
    let mut command = fixture.command();
    let done = run(command
        .env("COLUMNS", "80")
        .args(["status", "--socket", &fixture.socket()]));
    let folded = "
rcrond 0.9.0 on server1: THE STORE DOES NOT ANSWER, etcd at https://a:2379,
  https://b:2379: https://a:2379: connection refused\\x1b[2J. No server is active
  once the leases have expired.
";
    assert!(done.stdout().ends_with(folded), "{done:?}");
}

#[test]
fn shows_this_node_if_the_others_cannot_be_read() {
    let fixture = Fixture::new(Some(PASSIVE));
    let _daemon = Daemon::start(&fixture.path("socket"), |_| {
        let mut report = report(false);
        report.store.failure = Some("the store is slow".to_owned());
        Response::Status(report).into()
    });
    let shown = fixture.nodes();
    assert!(
        shown.contains(&"server1 (here) active 100 42 8.3 s 0.9.0".to_owned()),
        "{shown:?}"
    );
    assert_eq!(
        shown[shown.len() - 1],
        "the other nodes are not known: the store is slow"
    );
    let json = fixture.json(0, ["status", "--socket", &fixture.socket()]);
    assert_eq!(json["rcrond"]["error"], "the store is slow");
    assert_eq!(json["clusters"][0]["rcrond"]["holder"], "server1");
}

/// The file's path may lead through links. A cluster without a common name or file is not shown.
#[test]
fn finds_a_cluster_by_its_state_file() {
    let fixture = Fixture::new(Some(PASSIVE));
    let link = fixture.path("link");
    std::os::unix::fs::symlink(fixture.path("state"), &link).expect("linked");
    let file = link.into_os_string().into_string().expect("text");
    let mut files = ["/nowhere".to_owned(), file].into_iter();
    let _daemon = Daemon::start(&fixture.path("socket"), move |request| {
        let Request::Status { nodes } = request else {
            panic!("asked {request:?}")
        };
        let mut report = report(*nodes);
        report.clusters[0].name = "shop".to_owned();
        report.clusters[0].state_file = files.next().expect("two questions");
        Response::Status(report).into()
    });
    assert_eq!(
        fixture.nodes(),
        [
            "",
            "rcrond 0.9.0 on server1: etcd at https://a:2379, https://b:2379 answers"
        ]
    );
    assert_eq!(fixture.nodes()[1], "shop: server1 holds it, epoch 42, lease 10 s");
}

#[test]
fn says_that_the_named_socket_does_not_exist() {
    for state in ["passive\n", PASSIVE] {
        let fixture = Fixture::new(Some(state));
        let expected = format!("rcrond does not answer: there is no {}: start rcrond", fixture.socket());
        let shown = fixture.nodes();
        assert!(shown[1].starts_with(&expected), "{shown:?}");
        let json = fixture.json(0, ["status", "--socket", &fixture.socket()]);
        let error = json["rcrond"]["error"].as_str();
        assert!(error.is_some_and(|error| error.contains("there is no ")), "{json}");
        assert_eq!(json["clusters"][0]["rcrond"], serde_json::Value::Null);
    }
}

#[test]
fn shows_the_state_file_if_rcrond_does_not_answer() {
    for (reply, told) in [
        (Reply::Nothing, "rcrond did not answer on "),
        (Reply::Say(Vec::new()), "rcrond closed "),
        (Reply::Bytes(b"hello\n".to_vec()), "the answer on "),
        (Reply::Bytes(vec![b'x'; 17 << 20]), "the answer on "),
        (
            Response::Error {
                message: "not today".to_owned(),
            }
            .into(),
            "not today",
        ),
    ] {
        let fixture = Fixture::new(Some("passive\n"));
        let mut reply = Some(reply);
        let _daemon = Daemon::start(&fixture.path("socket"), move |_| reply.take().expect("one question"));
        let shown = fixture.nodes();
        assert!(
            shown[1].starts_with(&format!("rcrond does not answer: {told}")),
            "{shown:?}"
        );
    }
}

#[test]
fn says_that_no_process_listens() {
    let fixture = Fixture::new(Some("passive\n"));
    drop(UnixListener::bind(fixture.path("socket")).expect("bound"));
    let expected = format!("rcrond does not answer: no process listens on {}", fixture.socket());
    let shown = fixture.nodes();
    assert!(shown[1].starts_with(&expected), "{shown:?}");
    let json = fixture.json(0, ["status", "--socket", &fixture.socket()]);
    assert!(
        json["rcrond"]["error"]
            .as_str()
            .is_some_and(|why| why.contains("no process listens"))
    );
}

#[test]
fn says_who_holds_the_cluster_only_if_that_is_known() {
    for (holder, answers, session, expected) in [
        (None, true, true, "web: nobody holds it, lease 10 s"),
        (None, false, true, "web: who holds it is not known, lease 10 s"),
        (None, true, false, "web: who holds it is not known, lease 10 s"),
        (
            Some("server2"),
            false,
            true,
            "web: server2 held it when the store last answered, epoch 42, lease 10 s",
        ),
    ] {
        let fixture = Fixture::new(Some(PASSIVE));
        let _daemon = Daemon::start(&fixture.path("socket"), move |_| {
            let mut report = report(false);
            (report.store.answers, report.store.session) = (answers, session);
            report.clusters[0].holder = holder.map(str::to_owned);
            Response::Status(report).into()
        });
        assert_eq!(fixture.nodes()[1], expected);
    }
}

#[test]
fn says_why_the_store_does_not_report_changes() {
    let fixture = Fixture::new(Some(PASSIVE));
    let _daemon = Daemon::start(&fixture.path("socket"), |_| {
        let mut report = report(false);
        report.store.watching = false;
        report.store.watch_failure = Some("a pooler".to_owned());
        Response::Status(report).into()
    });
    let line = "answers, but does not report changes: a handover takes longer (a pooler)";
    assert!(
        fixture.nodes().iter().any(|row| row.ends_with(line)),
        "{:?}",
        fixture.nodes()
    );
}
