//! `rcronctl drain` and `undrain`, with an rcrond of the test's own.

use crate::daemon::{Daemon, Reply, report, tells};
use crate::scene::Scene;
use control::{Request, Response};
use std::process::{Command, Stdio};
use testing::program::program;
use testing::{Done, run};

/// Without --conf, which would name a cluster.
fn rcronctl(scene: &Scene, arguments: &[&str]) -> Done {
    let mut command = Command::new(program("rcronctl"));
    command.args(arguments).arg("--socket").arg(scene.path("socket"));
    run(command.stdin(Stdio::null()))
}

fn done() -> Response {
    let lines = vec!["web: drained, passive".to_owned()];
    Response::Done { lines }
}

fn obeys(request: &Request) -> Reply {
    match request {
        Request::Status { .. } => tells(request),
        _ => done().into(),
    }
}

/// As [`obeys`], of two clusters.
fn has_two(request: &Request) -> Reply {
    let Request::Status { nodes } = request else {
        return obeys(request);
    };
    let mut report = report(*nodes);
    let mut second = report.clusters[0].clone();
    second.name = "billing".into();
    report.clusters.push(second);
    Response::Status(report).into()
}

fn drain(clusters: &[&str], wait_ms: Option<u64>) -> Request {
    Request::Drain {
        clusters: clusters.iter().map(|name| (*name).to_owned()).collect(),
        wait_ms,
    }
}

#[test]
fn the_only_cluster_needs_no_name() {
    let scene = Scene::new(None);
    let daemon = Daemon::start(&scene.path("socket"), obeys);
    let drained = rcronctl(&scene, &["drain"]);
    assert_eq!(
        (drained.code(), drained.stdout().as_str(), drained.stderr().as_str()),
        (Some(0), "web: drained, passive\n", "")
    );
    assert_eq!(rcronctl(&scene, &["undrain"]).code(), Some(0));
    let undrain = Request::Undrain {
        clusters: vec!["web".to_owned()],
    };
    let asked = daemon.requests();
    assert_eq!((&asked[1], &asked[3]), (&drain(&["web"], None), &undrain));
}

#[test]
fn of_several_clusters_one_must_say_which() {
    let scene = Scene::new(None);
    let daemon = Daemon::start(&scene.path("socket"), has_two);
    for command in ["drain", "undrain"] {
        let done = rcronctl(&scene, &[command]);
        let told = "rcronctl: rcrond has several clusters (web, billing): say which with --cluster NAME, or --all\n";
        assert_eq!((done.code(), done.stderr().as_str()), (Some(2), told));
    }
    let asked = daemon.requests();
    assert!(
        asked.iter().all(|request| matches!(request, Request::Status { .. })),
        "{asked:?}"
    );
    let conf = scene.path("conf");
    let conf = conf.to_str().expect("text");
    for (arguments, clusters) in [
        (&["--all"][..], &[][..]),
        (&["--cluster", "billing"], &["billing"]),
        (&["--cluster", "billing", "--cluster", "web"], &["billing", "web"]),
        (&["--conf", conf], &["web"]),
        (&["--conf", conf, "--cluster", "web"], &["web"]),
    ] {
        assert_eq!(rcronctl(&scene, &[&["drain"], arguments].concat()).code(), Some(0));
        assert_eq!(daemon.requests(), [drain(clusters, None)]);
    }
    for wrong in [
        &["--all", "--cluster", "web"][..],
        &["--all", "--conf", conf],
        &["--timeout", "5m"],
    ] {
        assert_eq!(
            rcronctl(&scene, &[&["drain"], wrong].concat()).code(),
            Some(2),
            "{wrong:?}"
        );
    }
    assert_eq!(daemon.requests(), []);
}

#[test]
fn waiting_shows_how_it_goes() {
    let scene = Scene::new(None);
    let progress = |text: &str| Response::Progress { text: text.to_owned() };
    let waits = move |request: &Request| match request {
        Request::Drain { .. } => Reply::Say(vec![
            progress("web: 2 jobs run"),
            progress("web: 1 job\u{7} runs"),
            done(),
        ]),
        _ => tells(request),
    };
    let daemon = Daemon::start(&scene.path("socket"), waits);
    let drained = rcronctl(&scene, &["drain", "--wait"]);
    assert_eq!(
        (drained.code(), drained.stdout().as_str(), drained.stderr().as_str()),
        (
            Some(0),
            "web: drained, passive\n",
            "web: 2 jobs run\nweb: 1 job\\x07 runs\n"
        )
    );
    assert_eq!(daemon.requests()[1], drain(&["web"], Some(600_000)));
    let drained = rcronctl(&scene, &["drain", "--wait", "--timeout", "90s", "--json"]);
    assert_eq!(daemon.requests()[1], drain(&["web"], Some(90_000)));
    let json: serde_json::Value = serde_json::from_slice(&drained.out).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({ "done": true, "lines": ["web: drained, passive"], "error": null })
    );
    let wrong = rcronctl(&scene, &["drain", "--wait", "--timeout", "soon"]);
    assert_eq!(wrong.code(), Some(2));
    assert!(
        wrong.stderr().contains("`soon` is no span: write 90s, 10m or 1h"),
        "{wrong:?}"
    );
}

/// What rcrond could not do is 1; what was not asked of it is 2.
#[test]
fn what_was_not_done_is_told_apart_from_what_was_refused() {
    let message = || "it was so".to_owned();
    for (response, status) in [
        (Response::Error { message: message() }, 1),
        (Response::Refused { message: message() }, 2),
    ] {
        let scene = Scene::new(None);
        let _daemon = Daemon::start(&scene.path("socket"), move |request| match request {
            Request::Drain { .. } => response.clone().into(),
            _ => tells(request),
        });
        let done = rcronctl(&scene, &["drain"]);
        assert_eq!(
            (done.code(), done.stdout().as_str(), done.stderr().as_str()),
            (Some(status), "", "rcronctl: it was so\n")
        );
        let done = rcronctl(&scene, &["drain", "--json"]);
        assert_eq!(done.code(), Some(status));
        if status == 1 {
            let json: serde_json::Value = serde_json::from_slice(&done.out).expect("JSON");
            assert_eq!(
                json,
                serde_json::json!({ "done": false, "lines": [], "error": "it was so" })
            );
        }
    }
}

/// It takes the request, and then nothing is heard of it: the first until a time limit, which this test waits for.
#[test]
fn a_daemon_that_is_not_heard_of_again_may_have_done_it() {
    for (reply, told) in [
        (|| Reply::Nothing, "rcrond has not answered on "),
        (|| Reply::Say(Vec::new()), "rcrond has closed "),
    ] as [(fn() -> Reply, &str); 2]
    {
        let scene = Scene::new(None);
        let _daemon = Daemon::start(&scene.path("socket"), move |_| reply());
        let done = rcronctl(&scene, &["undrain", "--all"]);
        assert_eq!(done.code(), Some(1));
        assert!(done.stderr().starts_with(&format!("rcronctl: {told}")), "{done:?}");
        assert!(
            done.stderr().contains("; it may still do it: rcronctl status shows"),
            "{done:?}"
        );
    }
}

#[test]
fn without_rcrond_it_says_what_to_do() {
    let scene = Scene::new(None);
    for arguments in [&["drain"][..], &["drain", "--all"], &["undrain", "--cluster", "web"]] {
        let done = rcronctl(&scene, arguments);
        assert_eq!(done.code(), Some(2));
        assert!(
            done.stderr()
                .contains(": start rcrond (systemctl start rcrond), or name its socket"),
            "{done:?}"
        );
    }
    drop(std::os::unix::net::UnixListener::bind(scene.path("socket")).expect("bound"));
    let done = rcronctl(&scene, &["drain"]);
    assert_eq!(done.code(), Some(2));
    assert!(done.stderr().contains("so rcrond has ended: start it"), "{done:?}");
}
