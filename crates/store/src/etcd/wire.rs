//! One HTTP/2 connection, and gRPC calls over it.
//!
//! hyper's connection is used directly, because tonic's `Channel` reconnects silently.

use super::error;
use crate::Error;
use crate::dial::{Server, Tls};
use crate::watch_stream::Task;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use prost::Message;
use std::time::Duration;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::http::{Request as HttpRequest, Response as HttpResponse, Uri};
use tonic::codegen::tokio_stream::Stream;
use tonic::codegen::{BoxFuture, Context, Poll, Service};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

pub(super) const AUTHENTICATE: &str = "/etcdserverpb.Auth/Authenticate";
pub(super) const STATUS: &str = "/etcdserverpb.Maintenance/Status";
pub(super) const TXN: &str = "/etcdserverpb.KV/Txn";
pub(super) const WATCH: &str = "/etcdserverpb.Watch/Watch";

/// The longest message that is accepted, in bytes. A hundred of rcrond's records are far shorter. A hostile message takes up to
/// thirty times its length when it is decoded.
pub(super) const LONGEST_ANSWER: usize = 512 << 10;
/// How many bytes the server may send before they are read.
const WINDOW: u32 = 256 << 10;

/// etcd closes the connection of a client that pings more often than every 5 s (`--grpc-keepalive-min-time`).
const PING_INTERVAL: Duration = Duration::from_secs(6);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the connection detects by itself that the server has stopped answering.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pings {
    /// It does not: each call has its caller's time limit.
    None,
    /// It does while a call or a stream waits for the server.
    WhileWaiting,
}

/// A connection to one server. Dropping it closes it, also during a call.
pub(super) struct Wire {
    grpc: Grpc<Http2>,
    token: Option<MetadataValue<Ascii>>,
    /// The help for a connection that breaks before its first answer.
    first_help: Option<&'static str>,
    /// Moves the bytes; the task ends with this value.
    _driver: Task<()>,
}

impl Wire {
    pub(super) async fn open(server: &Server, tls: Option<&Tls>, pings: Pings) -> Result<Self, Error> {
        let origin = Uri::builder()
            .scheme(if tls.is_some() { "https" } else { "http" })
            .authority(server.name.as_str())
            .path_and_query("/")
            .build()
            .map_err(|error| Error::lost(error.to_string()))?;
        let stream = server.connect(tls).await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval((pings == Pings::WhileWaiting).then_some(PING_INTERVAL))
            .keep_alive_timeout(PING_TIMEOUT)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Error::lost(error.to_string()))?;
        let driver = Task::new(async {
            // The call that the error breaks reports it.
            let _ = connection.await;
        });
        Ok(Self {
            grpc: Grpc::with_origin(Http2(sender), origin).max_decoding_message_size(LONGEST_ANSWER),
            token: None,
            first_help: Some(if tls.is_some() {
                "check that this is etcd, and that it accepts the client certificate"
            } else {
                "check that this is etcd's port for clients, and whether it expects TLS"
            }),
            _driver: driver,
        })
    }

    /// Sends this token with each call from now on.
    pub(super) fn set_token(&mut self, token: &str) -> Result<(), Error> {
        let token = token.parse().map_err(|_| error::Error::Malformed)?;
        self.token = Some(token);
        Ok(())
    }

    /// The error of a call that failed.
    pub(super) fn error(&self, status: &Status) -> Error {
        error::call_error(status, self.first_help)
    }

    /// Makes one call with one answer.
    pub(super) async fn call<Q, A>(&mut self, method: &'static str, request: Q) -> Result<A, Error>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let answer = self.try_call(method, request).await;
        answer.map_err(|status| self.error(&status))
    }

    /// Makes one call, and leaves the error to the caller.
    pub(super) async fn try_call<Q, A>(&mut self, method: &'static str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.ready().await?;
        let request = self.with_metadata(request);
        let method = PathAndQuery::from_static(method);
        let answer = self.grpc.unary(request, method, ProstCodec::<Q, A>::default()).await?;
        self.first_help = None;
        Ok(answer.into_inner())
    }

    /// Sends a stream of requests, and receives a stream of answers.
    pub(super) async fn stream<Q, A>(
        &mut self,
        method: &'static str,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> Result<Streaming<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.ready().await?;
        let request = self.with_metadata(requests);
        let method = PathAndQuery::from_static(method);
        let answer = self
            .grpc
            .streaming(request, method, ProstCodec::<Q, A>::default())
            .await?;
        Ok(answer.into_inner())
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.grpc
            .ready()
            .await
            .map_err(|error| Status::from_error(error.into()))
    }

    fn with_metadata<T>(&self, content: T) -> Request<T> {
        let mut request = Request::new(content);
        // With this, a member without a leader answers at once with an error.
        request
            .metadata_mut()
            .insert("hasleader", MetadataValue::from_static("true"));
        if let Some(token) = &self.token {
            request.metadata_mut().insert("token", token.clone());
        }
        request
    }
}

/// hyper's connection, with the interface that tonic expects.
struct Http2(SendRequest<Body>);

impl Service<HttpRequest<Body>> for Http2 {
    type Response = HttpResponse<Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
