//! `rcronctl drain` and `undrain`, with a fake rcrond.

use crate::daemon::{Daemon, Reply, answer_status, report};
use crate::fixture::Fixture;
use control::{Request, Response};
use std::process::{Command, Stdio};
use testing::program::program;
use testing::{Done, run};

/// Without `--conf`, which would name a cluster.
fn rcronctl(fixture: &Fixture, arguments: &[&str]) -> Done {
    let mut command = Command::new(program("rcronctl"));
    command.args(arguments).arg("--socket").arg(fixture.path("socket"));
    run(command.stdin(Stdio::null()))
}

fn done() -> Response {
    let lines = vec!["web: drained, passive".to_owned()];
    Response::Done { lines }
}

fn obey(request: &Request) -> Reply {
    match request {
        Request::Status { .. } => answer_status(request),
        _ => done().into(),
    }
}

/// As [`obey`], with two clusters.
fn has_two(request: &Request) -> Reply {
    let Request::Status { nodes } = request else {
        return obey(request);
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
fn needs_no_name_for_the_only_cluster() {
    let fixture = Fixture::new(None);
    let daemon = Daemon::start(&fixture.path("socket"), obey);
    let drained = rcronctl(&fixture, &["drain"]);
    assert_eq!(
        (drained.code(), drained.stdout().as_str(), drained.stderr().as_str()),
        (Some(0), "web: drained, passive\n", "")
    );
    assert_eq!(rcronctl(&fixture, &["undrain"]).code(), Some(0));
    let undrain = Request::Undrain {
        clusters: vec!["web".to_owned()],
    };
    let asked = daemon.requests();
    assert_eq!((&asked[1], &asked[3]), (&drain(&["web"], None), &undrain));
}

#[test]
fn needs_a_name_if_there_are_several_clusters() {
    let fixture = Fixture::new(None);
    let daemon = Daemon::start(&fixture.path("socket"), has_two);
    for command in ["drain", "undrain"] {
        let done = rcronctl(&fixture, &[command]);
        let told = "rcronctl: rcrond has several clusters (web, billing): say which with --cluster NAME, or --all\n";
        assert_eq!((done.code(), done.stderr().as_str()), (Some(2), told));
    }
    let asked = daemon.requests();
    assert!(
        asked.iter().all(|request| matches!(request, Request::Status { .. })),
        "{asked:?}"
    );
    let conf = fixture.path("conf");
    let conf = conf.to_str().expect("text");
    for (arguments, clusters) in [
        (&["--all"][..], &[][..]),
        (&["--cluster", "billing"], &["billing"]),
        (&["--cluster", "billing", "--cluster", "web"], &["billing", "web"]),
        (&["--conf", conf], &["web"]),
        (&["--conf", conf, "--cluster", "web"], &["web"]),
    ] {
        assert_eq!(rcronctl(&fixture, &[&["drain"], arguments].concat()).code(), Some(0));
        assert_eq!(daemon.requests(), [drain(clusters, None)]);
    }
    for wrong in [
        &["--all", "--cluster", "web"][..],
        &["--all", "--conf", conf],
        &["--timeout", "5m"],
    ] {
        assert_eq!(
            rcronctl(&fixture, &[&["drain"], wrong].concat()).code(),
            Some(2),
            "{wrong:?}"
        );
    }
    assert_eq!(daemon.requests(), []);
}

#[test]
fn wait_shows_the_progress() {
    let fixture = Fixture::new(None);
    let progress = |text: &str| Response::Progress {
        text: text.to_owned(),
        answer_within_ms: None,
    };
    let waits = move |request: &Request| match request {
        Request::Drain { .. } => Reply::Say(vec![
            progress("web: 2 jobs run"),
            progress("web: 1 job\u{7} runs"),
            done(),
        ]),
        _ => answer_status(request),
    };
    let daemon = Daemon::start(&fixture.path("socket"), waits);
    let drained = rcronctl(&fixture, &["drain", "--wait"]);
    assert_eq!(
        (drained.code(), drained.stdout().as_str(), drained.stderr().as_str()),
        (
            Some(0),
            "web: drained, passive\n",
            "web: 2 jobs run\nweb: 1 job\\x07 runs\n"
        )
    );
    assert_eq!(daemon.requests()[1], drain(&["web"], Some(600_000)));
    let drained = rcronctl(&fixture, &["drain", "--wait", "--timeout", "90s", "--json"]);
    assert_eq!(daemon.requests()[1], drain(&["web"], Some(90_000)));
    let json: serde_json::Value = serde_json::from_slice(&drained.out).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({ "done": true, "lines": ["web: drained, passive"], "error": null })
    );
    let wrong = rcronctl(&fixture, &["drain", "--wait", "--timeout", "soon"]);
    assert_eq!(wrong.code(), Some(2));
    assert!(
        wrong
            .stderr()
            .contains("'soon' for '--timeout <DURATION>': not a duration: write 90s, 10m or 1h"),
        "{wrong:?}"
    );
}

#[test]
fn exits_with_1_on_an_error_and_2_on_a_refusal() {
    let message = || "it was so".to_owned();
    for (response, status) in [
        (Response::Error { message: message() }, 1),
        (Response::Refused { message: message() }, 2),
    ] {
        let fixture = Fixture::new(None);
        let _daemon = Daemon::start(&fixture.path("socket"), move |request| match request {
            Request::Drain { .. } => response.clone().into(),
            _ => answer_status(request),
        });
        let done = rcronctl(&fixture, &["drain"]);
        assert_eq!(
            (done.code(), done.stdout().as_str(), done.stderr().as_str()),
            (Some(status), "", "rcronctl: it was so\n")
        );
        let done = rcronctl(&fixture, &["drain", "--json"]);
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

/// The first daemon accepts the request and does not answer until the time limit, which this test waits for.
#[test]
fn says_that_a_silent_daemon_may_still_do_it() {
    for (reply, told) in [
        (|| Reply::Nothing, "rcrond did not answer on "),
        (|| Reply::Say(Vec::new()), "rcrond closed "),
    ] as [(fn() -> Reply, &str); 2]
    {
        let fixture = Fixture::new(None);
        let _daemon = Daemon::start(&fixture.path("socket"), move |_| reply());
        let done = rcronctl(&fixture, &["undrain", "--all"]);
        assert_eq!(done.code(), Some(1));
        assert!(done.stderr().starts_with(&format!("rcronctl: {told}")), "{done:?}");
        assert!(
            done.stderr()
                .contains("; rcrond may still carry out the request: check with rcronctl status"),
            "{done:?}"
        );
    }
}

#[test]
fn says_what_to_do_without_rcrond() {
    let fixture = Fixture::new(None);
    for arguments in [&["drain"][..], &["drain", "--all"], &["undrain", "--cluster", "web"]] {
        let done = rcronctl(&fixture, arguments);
        assert_eq!(done.code(), Some(2));
        assert!(
            done.stderr()
                .contains(": start rcrond (systemctl start rcrond), or name its socket"),
            "{done:?}"
        );
    }
    drop(std::os::unix::net::UnixListener::bind(fixture.path("socket")).expect("bound"));
    let done = rcronctl(&fixture, &["drain"]);
    assert_eq!(done.code(), Some(2));
    assert!(done.stderr().contains("rcrond has stopped; start it"), "{done:?}");
}
