//! The HTTP server: one page. Whatever a client does or leaves undone takes one of a few places, for a while.

use super::Metrics;
use crate::outside::Snapshot;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// OpenMetrics, which Prometheus has read since 2.5.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// How much clients may take. The others wait in the kernel's queue.
#[derive(Clone, Copy, Debug)]
struct Limits {
    connections: usize,
    /// For a request's head.
    head: Duration,
    /// For the whole connection: it is closed after one answer.
    whole: Duration,
}

const LIMITS: Limits = Limits {
    connections: 16,
    head: Duration::from_secs(5),
    whole: Duration::from_secs(10),
};

/// After an error that is the system's, not the client's: no descriptors, an address that is not there yet.
const PAUSE: Duration = Duration::from_secs(1);

/// Listens, as soon as that is possible: at boot the address may not be there yet. The leases do not wait for it.
pub(crate) async fn listen(address: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) if !told => log::warn!("metrics: cannot listen on {address} yet: {error}"),
            Err(_) => {}
        }
        told = true;
        sleep(PAUSE).await;
    }
}

/// Answers scrapes, until it is dropped.
pub(crate) async fn serve(listener: TcpListener, metrics: Arc<Metrics>, report: watch::Receiver<Arc<Snapshot>>) {
    serve_within(LIMITS, listener, metrics, report).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    metrics: Arc<Metrics>,
    report: watch::Receiver<Arc<Snapshot>>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    while let Ok(place) = places.clone().acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let (metrics, report) = (metrics.clone(), report.clone());
        tokio::spawn(async move {
            // A client that goes away or talks nonsense has nobody here to tell it to.
            let _ = timeout(limits.whole, converse(limits, stream, &metrics, &report)).await;
            drop(place);
        });
    }
}

async fn converse(
    limits: Limits,
    stream: TcpStream,
    metrics: &Metrics,
    report: &watch::Receiver<Arc<Snapshot>>,
) -> hyper::Result<()> {
    let answer = service_fn(async |request: Request<Incoming>| {
        let snapshot = report.borrow().clone();
        Ok::<_, Infallible>(respond(&request, metrics, &snapshot))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), answer)
        .await
}

fn respond(request: &Request<Incoming>, metrics: &Metrics, snapshot: &Snapshot) -> Response<String> {
    if request.uri().path() != "/metrics" {
        return response(StatusCode::NOT_FOUND, None, "there is only /metrics\n");
    }
    if request.method() != Method::GET {
        return response(StatusCode::METHOD_NOT_ALLOWED, Some((ALLOW, "GET")), "GET only\n");
    }
    match metrics.text(snapshot, inputs::clock::boot_time()) {
        Ok(text) => response(StatusCode::OK, Some((CONTENT_TYPE, OPEN_METRICS)), text),
        Err(_) => response(
            StatusCode::INTERNAL_SERVER_ERROR,
            None,
            "a number that cannot be written\n",
        ),
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
    use crate::outside::metrics::tests::snapshot;
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

    async fn start(limits: Option<Limits>) -> SocketAddr {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let address = listener.local_addr().expect("an address");
        // The sender is gone; the last snapshot stays.
        let (_, report) = watch::channel(Arc::new(snapshot()));
        let metrics = Arc::new(Metrics::new());
        match limits {
            Some(limits) => tokio::spawn(serve_within(limits, listener, metrics, report)),
            None => tokio::spawn(serve(listener, metrics, report)),
        };
        address
    }

    /// What the server sends to this until it closes the connection.
    async fn answer(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("sent");
        rest(&mut stream).await
    }

    async fn rest(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        let end = timeout(testing::wait::DEADLINE, stream.read_to_end(&mut bytes)).await;
        // Closed, or reset because something was not read.
        drop(end.expect("an end"));
        String::from_utf8(bytes).expect("text")
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }

    #[test]
    fn metrics_are_served_and_nothing_else() {
        run(async {
            let address = start(None).await;
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
    fn slow_clients_are_dropped_and_the_next_one_gets_its_turn() {
        run(async {
            let address = start(Some(SHORT)).await;
            let mut slow = Vec::new();
            for beginning in ["", "G", "GET /metrics HTTP/1.1\r\n", "GET /metrics HTTP/1.1\r\nX: "] {
                let mut stream = TcpStream::connect(address).await.expect("a connection");
                stream.write_all(beginning.as_bytes()).await.expect("sent");
                slow.push(stream);
            }
            // There are two places, and four before this one.
            assert!(answer(address, &get("/metrics")).await.starts_with("HTTP/1.1 200 "));
            for mut stream in slow {
                let answer = rest(&mut stream).await;
                assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
            }
        });
    }

    #[test]
    fn a_connection_ends_after_its_answer() {
        run(async {
            let address = start(None).await;
            let two = get("/metrics").repeat(2);
            assert_eq!(answer(address, &two).await.matches("HTTP/1.1").count(), 1);
        });
    }

    #[test]
    fn an_address_that_is_taken_is_waited_for() {
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
