//! `rcronctl status` with rcrond.

use crate::daemon::{Daemon, Reply, report, tells};
use crate::scene::{Scene, rows};
use control::{Request, Response};
use std::os::unix::net::UnixListener;
use testing::run;

const PASSIVE: &str = "passive until=1.0 boot=b epoch=42 by=server1\n";

impl Scene {
    fn socket(&self) -> String {
        self.path("socket").into_os_string().into_string().expect("text")
    }

    /// The lines of `rcronctl status` below the table of clusters, without ages.
    fn nodes(&self) -> Vec<String> {
        let told = self.told(0, ["status", "--socket", &self.socket()]);
        let rows = rows(&told);
        assert!(
            rows[0].starts_with("CLUSTER STATE ") && rows[1].starts_with("web "),
            "{told}"
        );
        rows[2..].to_vec()
    }
}

/// As the test of `status` has it: all before the age, which grows, and all after.
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
fn all_nodes_of_a_cluster_are_shown() {
    let scene = Scene::new(Some(PASSIVE));
    let daemon = Daemon::start(&scene.path("socket"), tells);
    let shown: Vec<String> = scene.nodes().iter().map(|row| without_age(row)).collect();
    assert_eq!(
        shown,
        [
            "",
            "web: server1 holds it, epoch 42, lease 10 s",
            "NODE ROLE PRIORITY EPOCH LEASE LEFT LAST SEEN VERSION",
            "server1 (here) active 100 42 8.2 s AGE 0.9.0",
            "server2 standby 90 AGE 0.9.0",
            "server3 gone 80 AGE 0.9.0",
            "",
            "rcrond 0.9.0 on server1: etcd at https://a:2379, https://b:2379 answers",
        ]
    );
    let asked = [false, true].map(|nodes| Request::Status { nodes });
    assert_eq!(daemon.requests(), asked);
}

#[test]
fn programs_are_told_the_same() {
    let scene = Scene::new(Some(PASSIVE));
    let _daemon = Daemon::start(&scene.path("socket"), tells);
    let json = scene.json(0, ["status", "--socket", &scene.socket()]);
    let cluster = &json["clusters"][0]["rcrond"];
    assert_eq!(
        *cluster,
        serde_json::json!({
            "holder": "server1", "role": "active", "priority": 100, "epoch": 42, "lease": 10.0, "lease_left": 8.25, "writable": true,
            "nodes": [
                { "node": "server1", "role": "active", "priority": 100, "epoch": 42, "lease_left": 8.25, "version": "0.9.0",
                  "last_seen": "2026-01-01T00:00:00Z" },
                { "node": "server2", "role": "standby", "priority": 90, "epoch": null, "lease_left": null, "version": "0.9.0",
                  "last_seen": "2026-01-01T00:00:00Z" },
                { "node": "server3", "role": "gone", "priority": 80, "epoch": null, "lease_left": null, "version": "0.9.0",
                  "last_seen": "2020-01-01T00:00:00Z" },
            ],
        })
    );
    assert_eq!(
        json["rcrond"],
        serde_json::json!({
            "socket": scene.socket(), "error": null, "node": "server1", "version": "0.9.0",
            "store": { "kind": "etcd", "servers": ["https://a:2379", "https://b:2379"], "answers": true, "failure": null,
                       "session": true, "watching": true },
        })
    );
}

#[test]
fn the_table_fits_the_terminal() {
    let scene = Scene::new(Some(PASSIVE));
    let _daemon = Daemon::start(&scene.path("socket"), |request| {
        let Request::Status { nodes } = request else {
            panic!("asked {request:?}")
        };
        let mut report = report(*nodes);
        for node in &mut report.clusters[0].nodes {
            node.name = format!("{}.of.a.very.long.domain.example.org", node.name);
        }
        Response::Status(report).into()
    });
    let mut command = scene.command();
    let done = run(command
        .env("COLUMNS", "80")
        .args(["status", "--socket", &scene.socket()]));
    let shown = done.stdout();
    let row = shown.lines().find(|line| line.starts_with("server2")).expect("a row");
    assert!(row.chars().count() <= 80 && row.contains('…'), "{shown}");
}

#[test]
fn a_store_that_does_not_answer_is_told_at_once() {
    let scene = Scene::new(Some(PASSIVE));
    let daemon = Daemon::start(&scene.path("socket"), |request| {
        let Request::Status { nodes } = request else {
            panic!("asked {request:?}")
        };
        let mut report = report(*nodes);
        report.store.answers = false;
        report.store.failure = Some("https://a:2379: connection refused\u{1b}[2J".to_owned());
        report.clusters[0].writable = false;
        Response::Status(report).into()
    });
    assert_eq!(
        scene.nodes(),
        [
            "",
            "web: server1 holds it, epoch 42, lease 10 s",
            "NODE ROLE PRIORITY EPOCH LEASE LEFT VERSION",
            "server1 (here) active 100 42 8.2 s 0.9.0",
            "/run/rcron/web cannot be written: this server cannot become active",
            "",
            "rcrond 0.9.0 on server1: THE STORE DOES NOT ANSWER, etcd at https://a:2379, https://b:2379: https://a:2379: connection \
             refused\\x1b[2J. Nobody is active once the leases are over.",
        ]
    );
    assert_eq!(daemon.requests(), [Request::Status { nodes: false }]);
}

#[test]
fn a_survey_that_fails_leaves_what_is_known_here() {
    let scene = Scene::new(Some(PASSIVE));
    let _daemon = Daemon::start(&scene.path("socket"), |request| match request {
        Request::Status { nodes: true } => Response::Error {
            message: "the store is slow".to_owned(),
        }
        .into(),
        other => tells(other),
    });
    let shown = scene.nodes();
    assert!(
        shown.contains(&"server1 (here) active 100 42 8.2 s 0.9.0".to_owned()),
        "{shown:?}"
    );
    assert_eq!(
        shown[shown.len() - 1],
        "the other nodes are not known: the store is slow"
    );
    let json = scene.json(0, ["status", "--socket", &scene.socket()]);
    assert_eq!(json["rcrond"]["error"], "the store is slow");
    assert_eq!(json["clusters"][0]["rcrond"]["holder"], "server1");
}

/// By its state file, through whatever link.
#[test]
fn a_cluster_of_another_name_is_known_by_its_file_and_one_of_neither_is_not_shown() {
    let scene = Scene::new(Some(PASSIVE));
    let link = scene.path("link");
    std::os::unix::fs::symlink(scene.path("state"), &link).expect("linked");
    let file = link.into_os_string().into_string().expect("text");
    let mut files = ["/nowhere".to_owned(), file.clone(), file].into_iter();
    let _daemon = Daemon::start(&scene.path("socket"), move |request| {
        let Request::Status { nodes } = request else {
            panic!("asked {request:?}")
        };
        let mut report = report(*nodes);
        report.clusters[0].name = "shop".to_owned();
        report.clusters[0].state_file = files.next().expect("three questions");
        Response::Status(report).into()
    });
    assert_eq!(
        scene.nodes(),
        [
            "",
            "rcrond 0.9.0 on server1: etcd at https://a:2379, https://b:2379 answers"
        ]
    );
    assert_eq!(scene.nodes()[1], "shop: server1 holds it, epoch 42, lease 10 s");
}

#[test]
fn without_a_socket_nothing_is_said_unless_rcrond_has_written_the_state() {
    let scene = Scene::new(Some("passive\n"));
    assert_eq!(scene.nodes(), Vec::<String>::new());
    let json = scene.json(0, ["status", "--socket", &scene.socket()]);
    assert_eq!(
        (&json["rcrond"], &json["clusters"][0]["rcrond"]),
        (&().into(), &().into())
    );
    scene.write("state", PASSIVE);
    let expected = format!("rcrond does not answer: there is no {}: start rcrond", scene.socket());
    let shown = scene.nodes();
    assert!(shown[1].starts_with(&expected), "{shown:?}");
}

#[test]
fn a_daemon_that_does_not_answer_leaves_the_state_file() {
    for (reply, told) in [
        (Reply::Nothing, "rcrond has not answered on "),
        (Reply::Say(Vec::new()), "rcrond has closed "),
        (Reply::Bytes(b"hello\n".to_vec()), "what answers on "),
        (Reply::Bytes(vec![b'x'; 17 << 20]), "what answers on "),
        (
            Response::Error {
                message: "not today".to_owned(),
            }
            .into(),
            "not today",
        ),
    ] {
        let scene = Scene::new(Some("passive\n"));
        let mut reply = Some(reply);
        let _daemon = Daemon::start(&scene.path("socket"), move |_| reply.take().expect("one question"));
        let shown = scene.nodes();
        assert!(
            shown[1].starts_with(&format!("rcrond does not answer: {told}")),
            "{shown:?}"
        );
    }
}

#[test]
fn a_socket_that_was_left_behind_is_told() {
    let scene = Scene::new(Some("passive\n"));
    drop(UnixListener::bind(scene.path("socket")).expect("bound"));
    let expected = format!("rcrond does not answer: nobody listens on {}", scene.socket());
    let shown = scene.nodes();
    assert!(shown[1].starts_with(&expected), "{shown:?}");
    let json = scene.json(0, ["status", "--socket", &scene.socket()]);
    assert!(
        json["rcrond"]["error"]
            .as_str()
            .is_some_and(|why| why.contains("nobody listens"))
    );
}
