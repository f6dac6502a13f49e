//! The HTTP server, with a single page. Each client uses one of a few connections, for a limited time.

use super::{Metrics, Snapshot};
use crate::api::PendingRequest;
use control::Response as Answer;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use inputs::clock;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use sys::output::error_text;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// OpenMetrics. Prometheus reads it since version 2.5.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// What clients may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    connections: usize,
    /// For reading the head of a request.
    head: Duration,
    /// For the whole connection, which is closed after one answer.
    whole: Duration,
}

pub(crate) const LIMITS: Limits = Limits {
    connections: 16,
    head: Duration::from_secs(5),
    whole: Duration::from_secs(10),
};

/// After an error that was not caused by a client: no free descriptor, an address that is not configured yet.
const PAUSE: Duration = Duration::from_secs(1);

/// Tries to listen until it succeeds, because at boot the address may not be configured yet. The daemon works in the meantime.
pub(crate) async fn listen(address: SocketAddr) -> TcpListener {
    let mut is_logged = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) if !is_logged => {
                log::warn!(
                    "metrics: cannot listen on {address}, trying again: {}",
                    error_text(&error)
                );
            }
            Err(_) => {}
        }
        is_logged = true;
        sleep(PAUSE).await;
    }
}

/// Answers scrapes until it is dropped. `requests` leads to the daemon's loop.
///
/// If all connections are in use, a new client gets that of the one that has waited longest. Prometheus sends its request at once
/// and is answered within milliseconds; only a client that connects without a request can be the oldest.
pub(crate) async fn serve(
    limits: Limits,
    listener: TcpListener,
    metrics: Arc<Metrics>,
    requests: mpsc::Sender<PendingRequest>,
) {
    let mut tasks = JoinSet::new();
    let mut by_age = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        while tasks.try_join_next().is_some() {}
        by_age.retain(|task: &AbortHandle| !task.is_finished());
        while by_age.len() >= limits.connections {
            by_age.pop_front().iter().for_each(AbortHandle::abort);
        }
        let (metrics, requests) = (metrics.clone(), requests.clone());
        by_age.push_back(tasks.spawn(async move {
            // Errors here are the client's: it has gone, is too slow or does not speak HTTP.
            let _ = timeout(limits.whole, serve_client(limits, stream, &metrics, &requests)).await;
        }));
    }
}

async fn serve_client(
    limits: Limits,
    stream: TcpStream,
    metrics: &Metrics,
    requests: &mpsc::Sender<PendingRequest>,
) -> hyper::Result<()> {
    let answer =
        service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(respond(&request, metrics, requests).await));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), answer)
        .await
}

async fn respond(
    request: &Request<Incoming>,
    metrics: &Metrics,
    requests: &mpsc::Sender<PendingRequest>,
) -> Response<String> {
    if request.uri().path() != "/metrics" {
        return response(StatusCode::NOT_FOUND, None, "the only page is /metrics\n");
    }
    if request.method() != Method::GET {
        return response(
            StatusCode::METHOD_NOT_ALLOWED,
            Some((ALLOW, "GET")),
            "the only method is GET\n",
        );
    }
    // This may take a second, in which the snapshot would become old.
    let jobs = metrics.jobs_text().await;
    let Some(snapshot) = take_snapshot(requests).await else {
        let stopping = "rcrond is stopping\n";
        return response(StatusCode::SERVICE_UNAVAILABLE, None, stopping);
    };
    match metrics.page(&snapshot, clock::boot_time(), &jobs) {
        Ok(text) => response(StatusCode::OK, Some((CONTENT_TYPE, OPEN_METRICS)), text),
        Err(error) => response(StatusCode::INTERNAL_SERVER_ERROR, None, format!("{error}\n")),
    }
}

/// Asks the loop, as `rcronctl status` does. `None` if the loop has ended.
async fn take_snapshot(requests: &mpsc::Sender<PendingRequest>) -> Option<Snapshot> {
    let (replies, mut answers) = mpsc::channel(1);
    let request = control::Request::Status { nodes: false };
    let (taken, wall) = (clock::boot_time(), clock::wall_time());
    let pending = PendingRequest {
        request,
        only_user: None,
        asked_by: String::new(),
        replies,
    };
    requests.send(pending).await.ok()?;
    match answers.recv().await? {
        Answer::Status(report) => Some(Snapshot { taken, wall, report }),
        _ => None,
    }
}

fn response(
    status: StatusCode,
    header: Option<(HeaderName, &'static str)>,
    body: impl Into<String>,
) -> Response<String> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(PLAIN));
    headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
    if let Some((name, value)) = header {
        headers.insert(name, hyper::header::HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::metrics::tests::snapshot;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const SHORT: Limits = Limits {
        connections: 2,
        head: Duration::from_millis(100),
        whole: Duration::from_secs(2),
    };

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(test);
    }

    async fn start(limits: Limits) -> SocketAddr {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let address = listener.local_addr().expect("an address");
        let (requests, mut received) = mpsc::channel::<PendingRequest>(1);
        // In place of the loop.
        tokio::spawn(async move {
            while let Some(pending) = received.recv().await {
                let answer = Answer::Status(snapshot().report);
                pending.replies.send(answer).await.expect("received");
            }
        });
        let metrics = Arc::new(Metrics::new());
        tokio::spawn(serve(limits, listener, metrics, requests));
        address
    }

    /// Everything that the server sends until it closes the connection.
    async fn answer(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("sent");
        rest(&mut stream).await
    }

    async fn rest(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        let end = timeout(testing::wait::DEADLINE, stream.read_to_end(&mut bytes)).await;
        // The connection is closed; or reset, if the server has not read everything.
        drop(end.expect("an end"));
        String::from_utf8(bytes).expect("text")
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }

    #[test]
    fn only_the_metrics_are_served() {
        run(async {
            let address = start(LIMITS).await;
            let page = answer(address, &get("/metrics")).await;
            let (head, body) = page.split_once("\r\n\r\n").expect("a body");
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
            assert!(
                head.contains("content-type: application/openmetrics-text; version=1.0.0"),
                "{head}"
            );
            assert!(body.ends_with("\n# EOF\n"), "{body}");
            assert!(body.contains("\nrcrond_session 1\n"), "{body}");
            assert!(
                answer(address, &get("/metrics?name=a"))
                    .await
                    .starts_with("HTTP/1.1 200 ")
            );
            for path in ["/", "/metrics/", "/../metrics", "*"] {
                assert!(answer(address, &get(path)).await.starts_with("HTTP/1.1 404 "), "{path}");
            }
            for method in ["POST", "PUT", "DELETE", "HEAD", "BREW"] {
                let refused = answer(address, &get("/metrics").replace("GET", method)).await;
                assert!(
                    refused.starts_with("HTTP/1.1 405 ") && refused.contains("\r\nallow: GET\r\n"),
                    "{refused}"
                );
            }
            assert!(
                answer(address, "EHLO localhost\r\n\r\n")
                    .await
                    .starts_with("HTTP/1.1 400 ")
            );
            assert!(
                answer(address, &get(&"/x".repeat(20_000)))
                    .await
                    .starts_with("HTTP/1.1 4")
            );
        });
    }

    #[test]
    fn slow_clients_are_dropped_and_the_next_one_is_served() {
        run(async {
            let address = start(SHORT).await;
            let mut slow = Vec::new();
            for beginning in ["", "G", "GET /metrics HTTP/1.1\r\n", "GET /metrics HTTP/1.1\r\nX: "] {
                let mut stream = TcpStream::connect(address).await.expect("a connection");
                stream.write_all(beginning.as_bytes()).await.expect("sent");
                slow.push(stream);
            }
            // There are two connections, and four clients before this one.
            assert!(answer(address, &get("/metrics")).await.starts_with("HTTP/1.1 200 "));
            for mut stream in slow {
                let answer = rest(&mut stream).await;
                assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
            }
        });
    }

    #[test]
    fn idle_clients_do_not_keep_others_out() {
        let limits = Limits {
            connections: 2,
            head: testing::wait::DEADLINE * 2,
            whole: testing::wait::DEADLINE * 2,
        };
        run(async {
            let address = start(limits).await;
            let mut idle = Vec::new();
            for _ in 0..=limits.connections {
                idle.push(TcpStream::connect(address).await.expect("a connection"));
            }
            assert!(answer(address, &get("/metrics")).await.starts_with("HTTP/1.1 200 "));
            // The newest is still connected.
            let newest = idle.last_mut().expect("a client");
            newest.write_all(get("/metrics").as_bytes()).await.expect("sent");
            assert!(rest(newest).await.starts_with("HTTP/1.1 200 "));
        });
    }

    #[test]
    fn a_connection_ends_after_its_answer() {
        run(async {
            let address = start(LIMITS).await;
            let two = get("/metrics").repeat(2);
            assert_eq!(answer(address, &two).await.matches("HTTP/1.1").count(), 1);
        });
    }

    #[test]
    fn an_address_in_use_is_waited_for() {
        run(async {
            let first = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await;
            let address = first.local_addr().expect("an address");
            let waiting = tokio::spawn(listen(address));
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            drop(first);
            let second = timeout(testing::wait::DEADLINE, waiting)
                .await
                .expect("in time")
                .expect("a listener");
            assert_eq!(second.local_addr().expect("an address"), address);
        });
    }
}
