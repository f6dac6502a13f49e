//! Real sockets, real clients, and a loop that the test plays.

use super::*;
use control::client;
use std::future::Future;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream as Stream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(60);
const DRAIN: Request = Request::Drain {
    clusters: Vec::new(),
    wait_ms: None,
};

/// A server in a thread of its own, whose questions are answered by `answer`.
fn serving<A, F>(answer: A) -> (TempDir, PathBuf)
where
    A: Fn(Ask) -> F + Send + 'static,
    F: Future<Output = ()>,
{
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let (ready, is_ready) = std::sync::mpsc::channel();
    let place = path.clone();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = listen(&place).expect("listening");
            ready.send(()).expect("waited for");
            let (asks, mut questions) = mpsc::channel(1);
            tokio::spawn(serve(listener, asks));
            while let Some(ask) = questions.recv().await {
                answer(ask).await;
            }
        });
    });
    is_ready.recv().expect("listening");
    (directory, path)
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

async fn done(ask: Ask) {
    let text = format!("{:?}", ask.request);
    let progress = Response::Progress { text: "soon".into() };
    ask.replies.send(progress).await.expect("taken");
    ask.replies
        .send(Response::Done { lines: vec![text] })
        .await
        .expect("taken");
}

async fn failed(ask: Ask) {
    let message = "no report".to_owned();
    let _ = ask.replies.send(Response::Error { message }).await;
}

/// What comes back for these bytes.
fn told(path: &Path, request: &[u8]) -> String {
    let mut stream = Stream::connect(path).expect("connected");
    let _ = stream.write_all(request); // it may close before it has read all
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // a request that was not read to its end resets the connection after the answer
    String::from_utf8(answer).expect("text")
}

#[test]
fn answers_are_passed_on_to_the_last() {
    let (_directory, path) = serving(done);
    let mut connection = Connection::open(&path, LONG).expect("connected");
    connection.ask(&DRAIN, LONG).expect("sent");
    let deadline = std::time::Instant::now() + LONG;
    let progress = connection.answer(deadline).expect("an answer");
    assert_eq!(progress, Response::Progress { text: "soon".into() });
    let lines = vec![format!("{DRAIN:?}")];
    assert_eq!(connection.answer(deadline).expect("another"), Response::Done { lines });
    assert!(matches!(connection.answer(deadline), Err(NoAnswer::Closed)));
}

#[test]
fn a_request_that_is_none_gets_an_error() {
    let (_directory, path) = serving(failed);
    for (request, error) in [
        (&b"hello\n"[..], "not a request"),
        (b"{\"ask\":\"shutdown\"}\n", "unknown variant `shutdown`"),
        (b"{\"ask\":\"status\",\"nodes\":1}\n", "invalid type"),
        (b"\xff\x00\n", "not a request"),
        (b"{\"ask\":\"status\"", "not a request"),
        (&[b'['; 100_000], "longer than 65536 bytes"),
        (&[b'['; 60_000], "not a request"),
    ] {
        let told = told(&path, request);
        assert!(told.contains("\"answer\":\"error\"") && told.contains(error), "{told}");
    }
    assert_eq!(told(&path, b""), "");
    let asked = told(&path, b"{\"ask\":\"status\",\"nodes\":false}\n");
    assert!(asked.contains("no report"), "{asked}");
}

/// A loop that drops what it is asked, as a defect might.
#[test]
fn a_question_that_is_dropped_gets_an_error() {
    let (_directory, path) = serving(|ask| async { drop(ask) });
    for request in [DRAIN, Request::Status { nodes: true }] {
        let answer = client::ask(&path, &request, LONG).expect("an answer");
        assert_eq!(
            answer,
            Response::Error {
                message: "rcrond has dropped the question".into()
            }
        );
    }
}

#[test]
fn only_root_and_the_daemons_own_user_may_drain() {
    assert!(Owner(1000).may_drain(0) && Owner(1000).may_drain(1000) && Owner(0).may_drain(0));
    assert!(!Owner(1000).may_drain(1001) && !Owner(0).may_drain(1000));
}

/// A survey that hangs keeps neither root's questions nor what needs no survey, only the next user's survey.
#[test]
fn users_surveys_come_one_at_a_time() {
    let runtime = runtime();
    runtime.block_on(async {
        let (asks, mut questions) = mpsc::channel(8);
        let desk = Arc::new(Desk {
            asks,
            owner: Owner(4000),
            turns: Turns::default(),
        });
        let mut clients = Vec::new();
        let mut ask = |uid, nodes| {
            let (mut client, server) = std::os::unix::net::UnixStream::pair().expect("a pair");
            let mut text = serde_json::to_vec(&Request::Status { nodes }).expect("JSON");
            text.push(b'\n');
            client.write_all(&text).expect("sent");
            server.set_nonblocking(true).expect("set");
            let server = UnixStream::from_std(server).expect("a stream");
            let desk = Arc::clone(&desk);
            clients.push(client);
            tokio::spawn(async move { conversation::hold(server, uid, &desk).await });
        };
        let survey = Request::Status { nodes: true };
        ask(4001, true);
        let hangs = questions.recv().await.expect("a question");
        assert_eq!(hangs.request, survey);
        for uid in [4001, 4002] {
            ask(uid, true);
        }
        ask(4001, false);
        let quick = questions.recv().await.expect("a question");
        assert_eq!(quick.request, Request::Status { nodes: false });
        failed(quick).await;
        ask(0, true);
        let of_root = questions.recv().await.expect("a question");
        assert_eq!(of_root.request, survey);
        assert!(questions.try_recv().is_err());
        failed(hangs).await;
        assert_eq!(questions.recv().await.expect("the next").request, survey);
    });
}

/// As a user who is neither root nor the daemon's own.
#[test]
fn who_may_not_drain_is_refused_and_may_look() {
    let runtime = runtime();
    for (request, expected) in [
        (DRAIN, "\"answer\":\"refused\""),
        (Request::Status { nodes: true }, "no report"),
    ] {
        let told = runtime.block_on(async {
            let (asks, mut questions) = mpsc::channel(1);
            let desk = Desk {
                asks,
                owner: Owner(4000),
                turns: Turns::default(),
            };
            tokio::spawn(async move {
                while let Some(ask) = questions.recv().await {
                    failed(ask).await;
                }
            });
            let (client, server) = UnixStream::pair().expect("a pair");
            let mut client = client.into_std().expect("a stream");
            client.set_nonblocking(false).expect("set");
            let mut text = serde_json::to_vec(&request).expect("JSON");
            text.push(b'\n');
            client.write_all(&text).expect("sent");
            conversation::hold(server, 4001, &desk).await;
            let mut told = String::new();
            client.read_to_string(&mut told).expect("an answer");
            told
        });
        assert!(told.contains(expected), "{told}");
    }
}

/// The kernel says who it is: a process of another user, where root runs the test, and else one of the daemon's own.
#[test]
fn who_asks_is_known_from_the_kernel() {
    let (directory, path) = serving(done);
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("chmod");
    let is_root = nix::unistd::geteuid().is_root();
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "perl"]);
        command
    } else {
        Command::new("perl")
    };
    let client = r#"
        use Socket;
        socket(my $daemon, AF_UNIX, SOCK_STREAM, 0) or die $!;
        connect($daemon, sockaddr_un($ARGV[0])) or die $!;
        syswrite $daemon, qq({"ask":"drain","clusters":[],"wait_ms":null}\n);
        print while <$daemon>;
    "#;
    let told = testing::run(command.args(["-e", client]).arg(&path).stdin(Stdio::null()));
    let expected = if is_root {
        "{\"answer\":\"refused\",\"message\":\"only root may drain and undrain\"}\n"
    } else {
        "{\"answer\":\"progress\""
    };
    assert!(told.stdout().starts_with(expected), "{told:?}");
}

#[test]
fn beyond_the_last_seat_one_is_told_so() {
    let (_directory, path) = serving(done);
    let held: Vec<Stream> = (0..32).map(|_| Stream::connect(&path).expect("connected")).collect();
    let busy = told(&path, b"");
    assert!(busy.contains("busy"), "{busy}");
    drop(held);
    testing::until("a free seat", || told(&path, b"").is_empty().then_some(()));
}

#[test]
fn a_client_that_says_nothing_or_reads_nothing_is_dropped() {
    let (_directory, path) = serving(|ask: Ask| async move {
        let text = "x".repeat(1 << 20);
        while ask
            .replies
            .send(Response::Progress { text: text.clone() })
            .await
            .is_ok()
        {}
    });
    let mut silent = Stream::connect(&path).expect("connected");
    let mut deaf = Stream::connect(&path).expect("connected");
    let mut line = serde_json::to_vec(&DRAIN).expect("JSON");
    line.push(b'\n');
    deaf.write_all(&line).expect("sent");
    assert_eq!(silent.read(&mut [0; 8]).expect("closed"), 0);
    // Once it is dropped, what was sent before ends in the middle of a line.
    testing::until("the deaf client's end", || {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        let mut polled = [PollFd::new(deaf.as_fd(), PollFlags::empty())];
        let _ = poll(&mut polled, PollTimeout::from(100u8));
        let events = polled[0].revents().unwrap_or(PollFlags::empty());
        events.contains(PollFlags::POLLHUP).then_some(())
    });
}

#[test]
fn the_socket_is_for_everybody_and_an_old_one_is_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let runtime = runtime();
    let _inside = runtime.enter();
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
    let listener = listen(&path).expect("the old one replaced");
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
    let error = listen(&path).expect_err("somebody listens");
    assert!(error.to_string().contains("listens already"), "{error}");
    assert!(path.exists());
    drop(listener);
    fs::remove_file(&path).expect("removed");
    fs::write(&path, "precious").expect("written");
    let error = listen(&path).expect_err("a file");
    assert!(error.to_string().contains("is no socket"), "{error}");
    assert_eq!(fs::read(&path).expect("there"), b"precious");
}
