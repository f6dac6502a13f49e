//! Real sockets and real clients; the test takes the place of the daemon's loop.

use super::*;
use control::{Request, client};
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

/// A server in a thread of its own. `answer` answers its requests.
fn start_server<A, F>(answer: A) -> (TempDir, PathBuf)
where
    A: Fn(PendingRequest) -> F + Send + 'static,
    F: Future<Output = ()>,
{
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let (ready, is_ready) = std::sync::mpsc::channel();
    let socket = path.clone();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = listen(&socket).expect("listening");
            ready.send(()).expect("waited for");
            let (requests, mut received) = mpsc::channel(1);
            tokio::spawn(serve(listener, requests));
            while let Some(pending) = received.recv().await {
                answer(pending).await;
            }
        });
    });
    is_ready.recv().expect("listening");
    (directory, path)
}

fn progress(text: &str) -> Response {
    Response::Progress {
        text: text.to_owned(),
        answer_within_ms: None,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

async fn succeed(pending: PendingRequest) {
    let text = format!("{:?}", pending.request);
    pending.replies.send(progress("soon")).await.expect("received");
    pending
        .replies
        .send(Response::Done { lines: vec![text] })
        .await
        .expect("received");
}

async fn fail(pending: PendingRequest) {
    let message = "no report".to_owned();
    let _ = pending.replies.send(Response::Error { message }).await;
}

/// The answer to these bytes.
fn answer_to(path: &Path, request: &[u8]) -> String {
    let mut stream = Stream::connect(path).expect("connected");
    let _ = stream.write_all(request); // the server may close the connection before it has read everything
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // without reading to the end, the server resets the connection
    String::from_utf8(answer).expect("text")
}

#[test]
fn all_answers_are_passed_on() {
    let (_directory, path) = start_server(succeed);
    let mut connection = Connection::open(&path, LONG).expect("connected");
    connection.ask(&DRAIN, LONG).expect("sent");
    let deadline = std::time::Instant::now() + LONG;
    let first = connection.answer(deadline).expect("an answer");
    assert_eq!(first, progress("soon"));
    let lines = vec![format!("{DRAIN:?}")];
    assert_eq!(connection.answer(deadline).expect("another"), Response::Done { lines });
    assert!(matches!(connection.answer(deadline), Err(NoAnswer::Closed)));
}

#[test]
fn an_invalid_request_gets_an_error() {
    let (_directory, path) = start_server(fail);
    for (request, error) in [
        (&b"hello\n"[..], "not a request"),
        (b"{\"ask\":\"shutdown\"}\n", "unknown variant `shutdown`"),
        (b"{\"ask\":\"status\",\"nodes\":1}\n", "invalid type"),
        (b"\xff\x00\n", "not a request"),
        (b"{\"ask\":\"status\"", "not a request"),
        (&[b'['; 100_000], "longer than 65536 bytes"),
        (&[b'['; 60_000], "not a request"),
    ] {
        let answer = answer_to(&path, request);
        assert!(
            answer.contains("\"answer\":\"error\"") && answer.contains(error),
            "{answer}"
        );
    }
    assert_eq!(answer_to(&path, b""), "");
    let answer = answer_to(&path, b"{\"ask\":\"status\",\"nodes\":false}\n");
    assert!(answer.contains("no report"), "{answer}");
}

#[test]
fn a_request_with_a_field_of_a_later_version_is_refused() {
    let (_directory, path) = start_server(fail);
    let answer = answer_to(
        &path,
        b"{\"ask\":\"drain\",\"clusters\":[],\"wait_ms\":null,\"more\":1}\n",
    );
    assert!(answer.contains("one of a later version"), "{answer}");
}

/// A loop that drops requests, as a defect could.
#[test]
fn a_request_that_the_loop_drops_gets_an_error() {
    let (_directory, path) = start_server(|pending| async { drop(pending) });
    for request in [DRAIN, Request::Status { nodes: true }] {
        let answer = client::ask(&path, &request, LONG).expect("an answer");
        assert_eq!(
            answer,
            Response::Error {
                message: "rcrond ended the request without an answer".into()
            }
        );
    }
}

#[test]
fn only_root_and_the_daemons_own_user_may_drain() {
    assert!(Owner(1000).may_drain(0) && Owner(1000).may_drain(1000) && Owner(0).may_drain(0));
    assert!(!Owner(1000).may_drain(1001) && !Owner(0).may_drain(1000));
}

/// A slow request for the nodes delays only such requests of users: not those of root, and not those without the nodes.
#[test]
fn users_get_the_nodes_one_at_a_time() {
    let runtime = runtime();
    runtime.block_on(async {
        let (requests, mut received) = mpsc::channel(8);
        let context = Arc::new(Context {
            requests,
            owner: Owner(4000),
            query_locks: QueryLocks::default(),
            users: crate::claims::Users::new(),
        });
        let mut clients = Vec::new();
        let mut ask = |uid, nodes| {
            let (mut client, server) = std::os::unix::net::UnixStream::pair().expect("a pair");
            let mut text = serde_json::to_vec(&Request::Status { nodes }).expect("JSON");
            text.push(b'\n');
            client.write_all(&text).expect("sent");
            server.set_nonblocking(true).expect("set");
            let server = UnixStream::from_std(server).expect("a stream");
            let context = Arc::clone(&context);
            clients.push(client);
            tokio::spawn(async move { connection::serve(server, Peer { uid, pid: None }, &context).await });
        };
        let for_nodes = Request::Status { nodes: true };
        ask(4001, true);
        let hangs = received.recv().await.expect("a request");
        assert_eq!(hangs.request, for_nodes);
        for uid in [4001, 4002] {
            ask(uid, true);
        }
        ask(4001, false);
        let quick = received.recv().await.expect("a request");
        assert_eq!(quick.request, Request::Status { nodes: false });
        fail(quick).await;
        ask(0, true);
        let of_root = received.recv().await.expect("a request");
        assert_eq!(of_root.request, for_nodes);
        assert!(received.try_recv().is_err());
        fail(hangs).await;
        assert_eq!(received.recv().await.expect("the next").request, for_nodes);
    });
}

/// A user who is neither root nor the daemon's own.
#[test]
fn other_users_may_ask_for_the_status_and_for_their_own_jobs_but_not_drain() {
    let runtime = runtime();
    for (request, uid, expected) in [
        (DRAIN, 4001, "\"answer\":\"refused\""),
        (Request::Status { nodes: true }, 4001, "no report for None"),
        (Request::Drift {}, 65534, "no report for Some(\\\"nobody\\\")"),
        (Request::Drift {}, 4001, "has no user with the number 4001"),
        (Request::Drift {}, 4000, "no report for None"),
        (Request::Drift {}, 0, "no report for None"),
    ] {
        let answer = runtime.block_on(async {
            let (requests, mut received) = mpsc::channel(1);
            let context = Context {
                requests,
                owner: Owner(4000),
                query_locks: QueryLocks::default(),
                users: crate::claims::Users::new(),
            };
            tokio::spawn(async move {
                while let Some(PendingRequest { only_user, replies, .. }) = received.recv().await {
                    let message = format!("no report for {only_user:?}");
                    let _ = replies.send(Response::Error { message }).await;
                }
            });
            let (client, server) = UnixStream::pair().expect("a pair");
            let mut client = client.into_std().expect("a stream");
            client.set_nonblocking(false).expect("set");
            let mut text = serde_json::to_vec(&request).expect("JSON");
            text.push(b'\n');
            client.write_all(&text).expect("sent");
            connection::serve(server, Peer { uid, pid: None }, &context).await;
            let mut answer = String::new();
            client.read_to_string(&mut answer).expect("an answer");
            answer
        });
        assert!(answer.contains(expected), "{answer}");
    }
}

/// If root runs the test, the client is a process of another user; otherwise one of the daemon's own user.
#[test]
fn the_clients_user_is_known_from_the_kernel() {
    let (directory, path) = start_server(succeed);
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
    let done = testing::run(command.args(["-e", client]).arg(&path).stdin(Stdio::null()));
    let expected = if is_root {
        "{\"answer\":\"refused\",\"message\":\"only root and rcrond's own user may drain, undrain, reopen and reload\"}\n"
    } else {
        "{\"answer\":\"progress\""
    };
    assert!(done.stdout().starts_with(expected), "{done:?}");
}

#[test]
fn with_too_many_connections_a_client_gets_an_error() {
    let (_directory, path) = start_server(succeed);
    let held: Vec<Stream> = (0..32).map(|_| Stream::connect(&path).expect("connected")).collect();
    let busy = answer_to(&path, b"");
    assert!(busy.contains("busy"), "{busy}");
    drop(held);
    testing::until("a free connection", || answer_to(&path, b"").is_empty().then_some(()));
}

#[test]
fn a_client_that_neither_writes_nor_reads_is_dropped() {
    let (_directory, path) = start_server(|pending: PendingRequest| async move {
        let text = "x".repeat(1 << 20);
        while pending.replies.send(progress(&text)).await.is_ok() {}
    });
    let mut silent = Stream::connect(&path).expect("connected");
    let mut deaf = Stream::connect(&path).expect("connected");
    let mut line = serde_json::to_vec(&DRAIN).expect("JSON");
    line.push(b'\n');
    deaf.write_all(&line).expect("sent");
    assert_eq!(silent.read(&mut [0; 8]).expect("closed"), 0);
    // The last answer before that is cut in the middle, so that only the state of the connection can be tested.
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
fn the_socket_is_open_to_all_users_and_replaces_an_old_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let runtime = runtime();
    let _inside = runtime.enter();
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
    let listener = listen(&path).expect("the old one replaced");
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
    let error = listen(&path).expect_err("a listener");
    assert!(error.to_string().contains("listens already"), "{error}");
    assert!(path.exists());
    drop(listener);
    fs::remove_file(&path).expect("removed");
    fs::write(&path, "precious").expect("written");
    let error = listen(&path).expect_err("a file");
    assert!(error.to_string().contains("is not a socket"), "{error}");
    assert_eq!(fs::read(&path).expect("there"), b"precious");
}
