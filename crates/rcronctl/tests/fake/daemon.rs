//! A fake rcrond: a thread that listens on a real socket and answers as the test wants.

use control::{ClusterReport, NodeReport, Report, Request, Response, Role, StoreReport};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

/// What the daemon does with a request.
pub(crate) enum Reply {
    /// Sends these answers and closes.
    Say(Vec<Response>),
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends nothing and waits until the client has gone.
    Nothing,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Say(vec![response])
    }
}

/// Ends when dropped.
pub(crate) struct Daemon {
    socket: PathBuf,
    requests: Receiver<Request>,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Listens on this socket.
    pub(crate) fn start(socket: &Path, mut reply: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = UnixListener::bind(socket).expect("bound");
        let (asked, requests) = channel();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(request) = request(stream.as_ref().expect("a client")) else {
                    return; // a connection without a request ends the daemon
                };
                let reply = reply(&request);
                asked.send(request).expect("kept");
                answer(stream.expect("a client"), reply);
            }
        });
        Self {
            socket: socket.to_owned(),
            requests,
            thread: Some(thread),
        }
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(UnixStream::connect(&self.socket));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

fn request(stream: &UnixStream) -> Option<Request> {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("a request");
    (!line.is_empty()).then(|| serde_json::from_str(&line).expect("a request"))
}

fn answer(mut stream: UnixStream, reply: Reply) {
    let bytes = match reply {
        Reply::Nothing => {
            let _ = stream.read(&mut [0]);
            return;
        }
        Reply::Bytes(bytes) => bytes,
        Reply::Say(responses) => responses.iter().flat_map(line).collect(),
    };
    let _ = stream.write_all(&bytes); // the client may have read enough
}

fn line(response: &Response) -> Vec<u8> {
    let mut line = serde_json::to_vec(response).expect("JSON");
    line.push(b'\n');
    line
}

/// Three nodes of the cluster web: server1 is this one and holds it; server3 is gone.
pub(crate) fn report(nodes: bool) -> Report {
    let node = |name: &str, role, priority, last_seen: &str| NodeReport {
        name: name.to_owned(),
        role,
        priority,
        epoch: None,
        lease_left_ms: None,
        version: "0.9.0".to_owned(),
        last_seen: Some(last_seen.to_owned()),
        drain: None,
    };
    let holder = NodeReport {
        epoch: Some(42),
        lease_left_ms: Some(8_250),
        ..node("server1", Role::Active, 100, "2026-01-01T00:00:00Z")
    };
    let others = [
        node("server2", Role::Standby, 90, "2026-01-01T00:00:00Z"),
        node("server3", Role::Gone, 80, "2020-01-01T00:00:00Z"),
    ];
    Report {
        node: "server1".to_owned(),
        version: "0.9.0".to_owned(),
        store: StoreReport {
            kind: "etcd".to_owned(),
            servers: vec!["https://a:2379".to_owned(), "https://b:2379".to_owned()],
            answers: true,
            failure: None,
            session: true,
            session_failure: None,
            watching: true,
            watch_failure: None,
        },
        clusters: vec![ClusterReport {
            name: "web".to_owned(),
            state_file: "/run/rcron/web".to_owned(),
            role: Role::Active,
            priority: 100,
            lease_ms: 10_000,
            settle_ms: Some(1_000),
            grace_ms: Some(0),
            shared: false,
            lease_left_ms: Some(8_250),
            epoch: 42,
            holder: Some("server1".to_owned()),
            writable: true,
            drain: None,
            nodes: if nodes {
                std::iter::once(holder).chain(others).collect()
            } else {
                Vec::new()
            },
        }],
    }
}

/// Answers a status request.
pub(crate) fn answer_status(request: &Request) -> Reply {
    match request {
        Request::Status { nodes } => Response::Status(report(*nodes)).into(),
        other => panic!("asked {other:?}"),
    }
}
