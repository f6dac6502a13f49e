//! `rcronctl ticks`, with a fake rcrond.

use crate::daemon::{Daemon, Reply};
use crate::fixture::Fixture;
use control::{AheadReport, Request, Response, TickReport, TickResult, TicksReport};
use std::process::Command;
use testing::{Done, run};

const OWN: &str = "(these are the ticks of your own jobs; only root sees those of other users)\n";

/// An attempt of `backup` of root in the cluster web, granted so many milliseconds after its time.
fn attempt(tick: &str, attempt: u32, node: &str, late_ms: i64, lasted_s: u64, result: TickResult) -> TickReport {
    let time: jiff::Timestamp = tick.parse().expect("a time");
    let started = time + jiff::SignedDuration::from_millis(late_ms);
    TickReport {
        cluster: "web".to_owned(),
        user: "root".to_owned(),
        job: "backup".to_owned(),
        tick: tick.to_owned(),
        last_tick: tick.to_owned(),
        count: 1,
        attempt,
        node: node.to_owned(),
        started: Some(started.to_string()),
        late_ms: Some(late_ms),
        lasted_ms: (lasted_s > 0).then_some(lasted_s * 1000),
        result,
        code: match result {
            TickResult::Ok => Some(0),
            TickResult::Failed => Some(3),
            _ => None,
        },
        signal: (result == TickResult::Killed).then_some(9),
        reason: None,
        explanation: None,
        run: Some("01a2b3c4-0000-7000-8000-000000000001".to_owned()),
        reruns_left: 0,
    }
}

fn missed(first: &str, last: &str, count: u32) -> TickReport {
    TickReport {
        last_tick: last.to_owned(),
        count,
        started: None,
        late_ms: None,
        reason: Some("not-asked".to_owned()),
        explanation: Some("no active server asked for it in time".to_owned()),
        run: None,
        ..attempt(first, 0, "server2", 0, 0, TickResult::Missed)
    }
}

fn of(mut tick: TickReport, cluster: &str, user: &str, job: &str) -> TickReport {
    cluster.clone_into(&mut tick.cluster);
    user.clone_into(&mut tick.user);
    job.clone_into(&mut tick.job);
    tick
}

fn report(ticks: Vec<TickReport>) -> TicksReport {
    TicksReport {
        ticks,
        ..TicksReport::default()
    }
}

/// The ticks that the manual page shows.
fn usual() -> TicksReport {
    report(vec![
        attempt("2026-12-01T03:00:00Z", 1, "server2", 9_060, 720, TickResult::Ok),
        attempt("2026-11-30T03:00:00Z", 1, "server1", 160, 660, TickResult::Interrupted),
        attempt("2026-11-30T03:00:00Z", 2, "server2", 840_000, 720, TickResult::Ok),
        missed("2026-11-29T03:00:00Z", "2026-11-29T03:00:00Z", 1),
    ])
}

fn ahead(user: Option<&str>, job: Option<&str>) -> AheadReport {
    AheadReport {
        cluster: "web".to_owned(),
        user: user.map(str::to_owned),
        job: job.map(str::to_owned),
        closed: "2036-11-30T03:00:00Z".to_owned(),
        ahead_ms: 315_360_000_000,
    }
}

struct Server {
    /// Before the directory of its socket: it is dropped first.
    daemon: Daemon,
    fixture: Fixture,
}

impl Server {
    fn new(reply: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let fixture = Fixture::new(None);
        let daemon = Daemon::start(&fixture.path("socket"), reply);
        Self { daemon, fixture }
    }

    fn with(report: TicksReport) -> Self {
        Self::new(move |_| Response::Ticks(report.clone()).into())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.fixture.command();
        command.arg("ticks").arg("--socket").arg(self.fixture.path("socket"));
        command.args(arguments);
        command
    }

    /// The output in 80 columns, without the line for ordinary users.
    fn run(&self, arguments: &[&str]) -> Done {
        let mut done = run(self.command(arguments).env("COLUMNS", "80"));
        if !nix::unistd::geteuid().is_root() && done.stdout().ends_with(OWN) {
            done.out.truncate(done.out.len() - OWN.len());
        }
        done
    }

    #[track_caller]
    fn prints(&self, status: i32, arguments: &[&str], expected: &str) {
        let done = self.run(arguments);
        let shown = (done.code(), done.stdout(), done.stderr());
        assert_eq!(shown, (Some(status), expected.to_owned(), String::new()));
    }
}

#[test]
fn shows_attempts_and_missed_ticks() {
    let server = Server::with(usual());
    server.prints(
        0,
        &["--job", "backup"],
        "\
TICK              JOB     SERVER   STARTED  LASTED  RESULT
2026-12-01 03:00  backup  server2  +9.1 s   12 min  ok
2026-11-30 03:00  backup  server1  +0.2 s   11 min  interrupted
                          server2  +14 min  12 min  ok (attempt 2)
2026-11-29 03:00  backup  -                         missed: no active server
                                                    asked for it in time
",
    );
    assert_eq!(
        server.daemon.requests(),
        [Request::Ticks {
            cluster: Some("web".to_owned()),
            user: None,
            job: Some("backup".to_owned()),
            since_ms: None,
            missed_only: false,
        }]
    );
}

#[test]
fn shows_how_each_tick_ended() {
    use TickResult::{Failed, Killed, Lost, Ok, Open, Running, Skipped};
    let day = |day: u32| format!("2026-11-{day}T03:00:00Z");
    let server = Server::with(report(vec![
        // In the future, so that the time until now is zero.
        attempt("2999-01-01T03:00:00Z", 1, "server1", 200, 0, Running),
        attempt(&day(29), 2, "server2", 14_000, 0, Open),
        attempt(&day(29), 1, "server1", -1_500, 10, Killed),
        attempt(&day(28), 1, "server1", 40, 5, Failed),
        attempt(&day(27), 1, "server1", 59_960, 0, Lost),
        TickReport {
            node: "server3".to_owned(),
            started: None,
            late_ms: None,
            ..attempt(&day(26), 0, "server3", 0, 0, Skipped)
        },
        attempt("2026-11-25T03:00:07Z", 1, "server1", 0, 5, Ok),
        missed("2026-11-24T22:01:00Z", "2026-11-25T03:00:00Z", 300),
        missed("2026-11-24T20:00:00Z", "2026-11-24T20:59:00Z", 60),
        missed("2000-01-01T00:00:00Z", "2026-11-24T19:59:00Z", u32::MAX),
    ]));
    server.prints(
        0,
        &[],
        "\
TICK                 JOB     SERVER   STARTED  LASTED  RESULT
2999-01-01 03:00     backup  server1  +0.2 s   0 s …   running
2026-11-29 03:00     backup  server1  -1.5 s   10 s    SIGKILL
                             server2  +14 s            given back, waits for a
                                                       server (attempt 2)
2026-11-28 03:00     backup  server1  +0 s     5 s     exit 3
2026-11-27 03:00     backup  server1  +1 min           lost: its end is not
                                                       known
2026-11-26 03:00     backup  -                         skipped: an earlier tick
                                                       was still running
2026-11-25 03:00:07  backup  server1  +0 s     5 s     ok
2026-11-24 22:01     backup  -                         missed (300 ticks until
                                                       2026-11-25 03:00): no
                                                       active server asked for
                                                       it in time
2026-11-24 20:00     backup  -                         missed (60 ticks until
                                                       20:59): no active server
                                                       asked for it in time
2000-01-01 00:00     backup  -                         missed (more than
                                                       4294967295 ticks until
                                                       2026-11-24 19:59): no
                                                       active server asked for
                                                       it in time
",
    );
}

#[test]
fn shows_user_and_cluster_where_they_differ() {
    let tick = |job| {
        of(
            attempt("2026-12-01T03:00:00Z", 1, "server1", 200, 5, TickResult::Ok),
            "web",
            "app",
            job,
        )
    };
    let again = |job| {
        let second = attempt("2026-12-01T03:00:00Z", 2, "server1", 9_000, 5, TickResult::Ok);
        of(second, "web", "app", job)
    };
    let backup = attempt("2026-12-01T03:00:00Z", 1, "server2", 200, 5, TickResult::Ok);
    let server = Server::with(report(vec![again("clean"), backup.clone(), tick("clean")]));
    server.prints(
        0,
        &[],
        "\
TICK              JOB     USER  SERVER   STARTED  LASTED  RESULT
2026-12-01 03:00  clean   app   server1  +0.2 s   5 s     ok
                                server1  +9 s     5 s     ok (attempt 2)
2026-12-01 03:00  backup  root  server2  +0.2 s   5 s     ok
",
    );
    // The fixture's --conf selects the cluster web, too.
    let server = Server::with(report(vec![backup.clone(), of(backup, "shop", "root", "backup")]));
    server.prints(
        0,
        &["--cluster", "shop"],
        "\
TICK              JOB     CLUSTER  SERVER   STARTED  LASTED  RESULT
2026-12-01 03:00  backup  shop     server2  +0.2 s   5 s     ok
2026-12-01 03:00  backup  web      server2  +0.2 s   5 s     ok
",
    );
}

#[test]
fn long_names_fit_the_terminal_and_are_whole_in_a_pipe() {
    let job = "a-very-long-name-of-a-job-that-copies-everything";
    let node = "server1.of.a.very.long.domain.example.org";
    let tick = of(
        attempt("2026-12-01T03:00:00Z", 1, node, 200, 754, TickResult::Ok),
        "web",
        "root",
        job,
    );
    let server = Server::with(report(vec![
        tick,
        missed("2026-11-29T03:00:00Z", "2026-11-29T03:00:00Z", 1),
    ]));
    for columns in ["60", "80", "100"] {
        let shown = run(server.command(&[]).env("COLUMNS", columns)).stdout();
        let width: usize = columns.parse().expect("a number");
        let table = shown.lines().filter(|line| !line.starts_with('('));
        for line in table {
            assert!(line.chars().count() <= width, "{columns}: {line}\n{shown}");
        }
        assert!(width < 80 || shown.contains("2026-12-01 03:00  a-very-"), "{shown}");
    }
    let whole = run(&mut server.command(&[])).stdout();
    assert!(whole.contains(job) && whole.contains(node), "{whole}");
    assert!(
        whole.contains("missed: no active server asked for it in time\n"),
        "{whole}"
    );
}

#[test]
fn names_cannot_move_the_cursor() {
    let tick = of(
        attempt("2026-12-01T03:00:00Z", 1, "a\u{1b}[2J", 200, 5, TickResult::Ok),
        "web",
        "root",
        "b\nc",
    );
    let mut hostile = report(vec![tick]);
    hostile.unreadable = vec!["the record of \u{1b}[2Jx".to_owned()];
    hostile.ahead = vec![ahead(Some("\u{1b}]0;"), Some("x"))];
    let server = Server::with(hostile);
    let done = server.run(&[]);
    assert!(
        !done.stdout().contains('\u{1b}') && !done.stderr().contains('\u{1b}'),
        "{done:?}"
    );
    assert!(done.stdout().contains("b\\x0ac"), "{done:?}");
}

#[test]
fn limit_counts_ticks_and_keeps_their_attempts() {
    let server = Server::with(usual());
    let two = "\
TICK              JOB     SERVER   STARTED  LASTED  RESULT
2026-12-01 03:00  backup  server2  +9.1 s   12 min  ok
2026-11-30 03:00  backup  server1  +0.2 s   11 min  interrupted
                          server2  +14 min  12 min  ok (attempt 2)
(older ticks are not shown; -n 0 shows all that are kept)
";
    server.prints(0, &["-n", "2"], two);
    assert_eq!(server.run(&["-n", "0"]).stdout().lines().count(), 6);
    let since = server.run(&["--since", "2026-11-01T00:00:00Z"]);
    assert_eq!(since.code(), Some(0), "{since:?}");
    let requests = server.daemon.requests();
    let Some(Request::Ticks { since_ms, .. }) = requests.last() else {
        panic!("{requests:?}")
    };
    assert_eq!(*since_ms, Some(1_793_491_200_000));
}

#[test]
fn more_than_fifty_ticks_need_a_limit_or_a_time() {
    let ticks = (0..60).map(|minute| {
        let tick = format!("2026-12-01T03:{minute:02}:00Z");
        attempt(&tick, 1, "server1", 200, 5, TickResult::Ok)
    });
    let server = Server::with(report(ticks.collect()));
    let lines = |arguments: &[&str]| server.run(arguments).stdout().lines().count();
    assert_eq!(
        lines(&[]),
        1 + 50 + 1,
        "heading, ticks, and a line that says that there are more"
    );
    assert_eq!(lines(&["-n", "0"]), 61);
    assert_eq!(lines(&["--since", "2026-11-01"]), 61);
}

#[test]
fn missed_says_by_its_status_whether_there_are_any() {
    let gap = missed("2026-11-29T03:00:00Z", "2026-11-29T03:00:00Z", 1);
    let server = Server::with(report(vec![gap]));
    server.prints(
        1,
        &["--missed"],
        "\
TICK              JOB     SERVER  RESULT
2026-11-29 03:00  backup  -       missed: no active server asked for it in time
",
    );
    let requests = server.daemon.requests();
    assert!(
        matches!(requests[..], [Request::Ticks { missed_only: true, .. }]),
        "{requests:?}"
    );
    let server = Server::with(TicksReport::default());
    server.prints(0, &["--missed"], "no tick was missed\n");
}

#[test]
fn nothing_found_is_an_answer_only_if_all_was_read() {
    let unreadable = TicksReport {
        unreadable: vec!["web: the record of the job root/backup cannot be read".to_owned()],
        ..TicksReport::default()
    };
    let cut = TicksReport {
        is_cut: true,
        ..TicksReport::default()
    };
    let warning = "rcronctl: warning: web: the record of the job root/backup cannot be read\n";
    let more = "(there are too many ticks: choose with --cluster, --user or --job)\n";
    for (report, out, err) in [(unreadable, "", warning), (cut, more, "")] {
        let server = Server::with(report);
        for arguments in [&["--missed"][..], &[]] {
            let done = server.run(arguments);
            let shown = (done.code(), done.stdout(), done.stderr());
            assert_eq!(shown, (Some(2), out.to_owned(), err.to_owned()));
        }
    }
}

#[test]
fn says_that_there_are_no_ticks() {
    let server = Server::with(TicksReport::default());
    let all = "no ticks are recorded: no job with once_per_tick has been due yet\n";
    let is_root = nix::unistd::geteuid().is_root();
    server.prints(0, &[], if is_root { all } else { "no such ticks\n" });
    server.prints(0, &["--job", "bakcup"], "no such ticks\n");
    server.prints(0, &["--since", "1h"], "no such ticks\n");
}

#[test]
fn warns_of_what_is_closed_ahead_of_time() {
    let server = Server::with(TicksReport {
        ahead: vec![ahead(Some("root"), Some("backup")), ahead(None, None)],
        ..usual()
    });
    let done = server.run(&[]);
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert_eq!(
        done.stderr(),
        "rcronctl: warning: no tick of the job backup of root in cluster web up to 2036-11-30 03:00:00 is started, which is 3650 d ahead \
         of this server's clock; set the clocks of all servers, then run: rcronctl ticks --reopen backup --user root --cluster web\n\
         rcronctl: warning: no tick of any job of cluster web up to 2036-11-30 03:00:00 is started, which is 3650 d ahead of this \
         server's clock; set the clocks of all servers, then run: rcronctl ticks --reopen JOB --cluster web\n"
    );
}

#[test]
fn json_has_the_documented_fields() {
    let mut failed = attempt("2026-12-01T03:00:00Z", 1, "server1", -1_500, 5, TickResult::Killed);
    failed.reruns_left = 1;
    let gap = missed("2026-11-29T03:00:00Z", "2026-11-29T03:59:00Z", 60);
    let server = Server::with(TicksReport {
        ticks: vec![failed, gap],
        ahead: vec![ahead(Some("root"), Some("backup"))],
        is_cut: true,
        unreadable: vec!["a record".to_owned()],
    });
    let done = run(&mut server.command(&["--json"]));
    assert_eq!((done.code(), done.stderr().as_str()), (Some(0), ""), "{done:?}");
    let json: serde_json::Value = serde_json::from_slice(&done.out).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({
            "ticks": [
                { "cluster": "web", "user": "root", "job": "backup", "tick": "2026-12-01T03:00:00Z",
                  "last_tick": "2026-12-01T03:00:00Z", "count": 1, "attempt": 1, "node": "server1", "recorded_by": null,
                  "started": "2026-12-01T02:59:58.5Z", "late": -1.5, "duration": 5.0, "result": "killed", "exit": null,
                  "signal": "SIGKILL", "reason": null, "run": "01a2b3c4-0000-7000-8000-000000000001", "reruns_left": 1 },
                { "cluster": "web", "user": "root", "job": "backup", "tick": "2026-11-29T03:00:00Z",
                  "last_tick": "2026-11-29T03:59:00Z", "count": 60, "attempt": 0, "node": null, "recorded_by": "server2",
                  "started": null, "late": null, "duration": null, "result": "missed", "exit": null, "signal": null,
                  "reason": "not-asked", "run": null, "reruns_left": 0 },
            ],
            "more": true,
            "ahead": [
                { "cluster": "web", "user": "root", "job": "backup", "closed": "2036-11-30T03:00:00Z", "ahead": 315_360_000.0 },
            ],
            "unseen": ["a record"],
        })
    );
}

#[test]
fn an_answer_that_is_none_is_an_error() {
    let error = |message: &str| Response::Error {
        message: message.to_owned(),
    };
    let old = "not a request, or one of a later version of rcronctl: unknown variant `ticks`, expected one of `status`";
    let mut odd = usual();
    odd.ticks[0].tick = "yesterday".to_owned();
    for (reply, expected) in [
        (
            Reply::from(error(old)),
            "rcrond on SOCKET is older than this rcronctl, and does not know the request: upgrade the package rcrond",
        ),
        (error("the store does not answer").into(), "the store does not answer"),
        (
            Response::Done { lines: Vec::new() }.into(),
            "the answer on SOCKET is not from rcrond, or from another version of it: it does not match the request",
        ),
        (
            Reply::Say(Vec::new()),
            "rcrond closed SOCKET without an answer: see journalctl -u rcrond",
        ),
        (
            Response::Ticks(odd).into(),
            "the answer of rcrond has a time that cannot be read",
        ),
    ] {
        let mut reply = Some(reply);
        let server = Server::new(move |_| reply.take().expect("one question"));
        let done = server.run(&["--missed"]);
        let socket = server.fixture.path("socket");
        let expected = expected.replace("SOCKET", socket.to_str().expect("UTF-8"));
        let shown = (done.code(), done.stdout(), done.stderr());
        assert_eq!(shown, (Some(2), String::new(), format!("rcronctl: {expected}\n")));
    }
}

#[test]
fn without_rcrond_the_message_says_how_to_start_it() {
    let fixture = Fixture::new(None);
    let socket = fixture.path("socket").into_os_string().into_string().expect("UTF-8");
    let done = fixture.rcronctl(["ticks", "--missed", "--socket", &socket]);
    let expected = format!(
        "rcronctl: there is no {socket}: start rcrond (systemctl start rcrond), or name its socket with --socket\n"
    );
    let shown = (done.code(), done.stdout(), done.stderr());
    assert_eq!(shown, (Some(2), String::new(), expected));
}

mod reopen {
    use super::*;

    fn reopen(user: &str) -> Request {
        Request::Reopen {
            cluster: "web".to_owned(),
            user: user.to_owned(),
            job: "backup".to_owned(),
        }
    }

    /// Has these jobs, and reopens.
    fn obey(report: TicksReport) -> impl FnMut(&Request) -> Reply + Send + 'static {
        move |request| match request {
            Request::Ticks { .. } => Response::Ticks(report.clone()).into(),
            Request::Reopen { job, .. } => {
                let lines = vec![format!("{job}: closed up to now")];
                Response::Done { lines }.into()
            }
            other => panic!("asked {other:?}"),
        }
    }

    fn last(server: &Server) -> Request {
        server.daemon.requests().pop().expect("a request")
    }

    #[test]
    fn asks_for_the_only_job_of_the_name_and_warns() {
        let server = Server::new(obey(usual()));
        let done = server.run(&["--reopen", "backup"]);
        assert_eq!(
            (done.code(), done.stdout().as_str()),
            (Some(0), "backup: closed up to now\n")
        );
        let (before, after) = done
            .stderr()
            .split_once(" after ")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .expect("a time");
        assert_eq!(before, "rcronctl: warning: ticks of the job backup of root");
        assert_eq!(
            after.split_at("2026-12-01 03:00:00".len()).1,
            " can be started again, also those that ran while a clock was wrong. Check that the clocks of all servers are right now\n"
        );
        assert_eq!(last(&server), reopen("root"));
    }

    #[test]
    fn prefers_a_job_that_is_closed_ahead() {
        let other = of(usual().ticks.remove(0), "web", "app", "backup");
        let server = Server::new(obey(TicksReport {
            ahead: vec![ahead(Some("app"), Some("backup"))],
            ticks: vec![other, usual().ticks.remove(0)],
            ..TicksReport::default()
        }));
        assert_eq!(server.run(&["--reopen", "backup"]).code(), Some(0));
        assert_eq!(last(&server), reopen("app"));
    }

    #[test]
    fn several_jobs_of_the_name_need_an_option() {
        let other = of(usual().ticks.remove(0), "web", "app", "backup");
        let server = Server::new(obey(report(vec![other, usual().ticks.remove(0)])));
        let done = server.run(&["--reopen", "backup"]);
        assert_eq!(
            (done.code(), done.stderr().as_str()),
            (
                Some(2),
                "rcronctl: several jobs have this name (app in cluster web, root in cluster web): say which with --user NAME and \
                 --cluster NAME\n"
            )
        );
        assert_eq!(server.daemon.requests().len(), 1, "nothing was reopened");
        assert_eq!(server.run(&["--reopen", "backup", "--user", "app"]).code(), Some(0));
        assert_eq!(server.daemon.requests(), [reopen("app")]);
    }

    #[test]
    fn unknown_job_is_an_error() {
        let server = Server::new(obey(TicksReport::default()));
        let done = server.run(&["--reopen", "bakcup"]);
        assert_eq!(
            (done.code(), done.stderr().as_str()),
            (
                Some(2),
                "rcronctl: no ticks of a job bakcup are recorded: check the name, or name its --cluster and --user\n"
            )
        );
    }

    #[test]
    fn json_says_whether_it_was_done() {
        let server = Server::new(obey(usual()));
        let json = |server: &Server, status: i32| -> serde_json::Value {
            let done = run(&mut server.command(&["--json", "--reopen", "backup", "--user", "root"]));
            assert_eq!((done.code(), done.stderr().as_str()), (Some(status), ""), "{done:?}");
            serde_json::from_slice(&done.out).expect("JSON")
        };
        assert_eq!(
            json(&server, 0),
            serde_json::json!({ "done": true, "lines": ["backup: closed up to now"], "error": null })
        );
        let failing = Server::new(|_| {
            let message = "the store does not answer".to_owned();
            Response::Error { message }.into()
        });
        assert_eq!(
            json(&failing, 1),
            serde_json::json!({ "done": false, "lines": [], "error": "the store does not answer" })
        );
    }

    #[test]
    fn refusal_and_old_rcrond_are_errors() {
        let refused = || Response::Refused {
            message: "only root and rcrond's own user may do this".to_owned(),
        };
        let old = || Response::Error {
            message: "not a request, or one of a later version of rcronctl: unknown variant `reopen`".to_owned(),
        };
        for (answer, expected) in [
            (refused(), "rcronctl: only root and rcrond's own user may do this\n"),
            (
                old(),
                "rcronctl: rcrond on SOCKET is older than this rcronctl, and does not know the request: upgrade the package rcrond\n",
            ),
        ] {
            let server = Server::new(move |_| answer.clone().into());
            let done = server.run(&["--reopen", "backup", "--user", "root"]);
            let socket = server.fixture.path("socket");
            let expected = expected.replace("SOCKET", socket.to_str().expect("UTF-8"));
            assert_eq!(
                (done.code(), done.stdout(), done.stderr()),
                (Some(2), String::new(), expected)
            );
        }
    }

    #[test]
    fn cannot_be_combined_with_what_selects_ticks() {
        let fixture = Fixture::new(None);
        for other in [&["--missed"][..], &["--job", "x"], &["--since", "1h"], &["-n", "3"]] {
            let done = fixture.rcronctl([&["ticks", "--reopen", "backup"], other].concat());
            assert_eq!(done.code(), Some(2), "{other:?}");
        }
    }
}
