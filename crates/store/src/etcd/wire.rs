//! One HTTP/2 connection, and gRPC calls over it.
//!
//! hyper's connection is used directly: tonic's `Channel` would connect anew in silence.

use super::dial::dial;
use super::trouble;
use crate::Failure;
use crate::dial::Tls;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use prost::Message;
use std::time::Duration;
use tokio::task::JoinSet;
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
pub(super) const RANGE: &str = "/etcdserverpb.KV/Range";
pub(super) const STATUS: &str = "/etcdserverpb.Maintenance/Status";
pub(super) const TXN: &str = "/etcdserverpb.KV/Txn";
pub(super) const WATCH: &str = "/etcdserverpb.Watch/Watch";

/// Servers hang up on who pings more often than every 5 s (`--grpc-keepalive-min-time`).
const PING_EVERY: Duration = Duration::from_secs(6);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether to notice by itself that the server is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pings {
    /// No: each call has its caller's time limit.
    None,
    /// Yes, while an answer is awaited.
    WhileWaiting,
}

/// A connection to one server. Dropped, it is closed, also in the middle of a call.
pub(super) struct Wire {
    server: String,
    grpc: Grpc<Http2>,
    token: Option<MetadataValue<Ascii>>,
    tls: bool,
    /// Some call was answered.
    met: bool,
    /// What moves its bytes; ends with this value.
    _driver: JoinSet<()>,
}

impl Wire {
    pub(super) async fn open(server: &str, tls: Option<&Tls>, pings: Pings) -> Result<Self, Failure> {
        let origin = Uri::builder()
            .scheme(if tls.is_some() { "https" } else { "http" })
            .authority(server)
            .path_and_query("/")
            .build()
            .map_err(|error| Failure::new(server, error))?;
        let stream = dial(server, tls).await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval((pings == Pings::WhileWaiting).then_some(PING_EVERY))
            .keep_alive_timeout(PING_TIMEOUT)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Failure::new(server, error))?;
        let mut driver = JoinSet::new();
        driver.spawn(async {
            // The call that it breaks tells why.
            let _ = connection.await;
        });
        Ok(Self {
            server: server.to_owned(),
            grpc: Grpc::with_origin(Http2(sender), origin),
            token: None,
            tls: tls.is_some(),
            met: false,
            _driver: driver,
        })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Each call will bear it.
    pub(super) fn set_token(&mut self, token: &str) -> Result<(), Failure> {
        let token = token.parse().map_err(|_| trouble::malformed(&self.server))?;
        self.token = Some(token);
        Ok(())
    }

    /// Why a call has failed.
    pub(super) fn failure(&self, status: &Status) -> Failure {
        if self.met {
            trouble::of_call(&self.server, status)
        } else {
            trouble::of_first_call(&self.server, status, self.tls)
        }
    }

    /// One call, one answer.
    pub(super) async fn call<Q, A>(&mut self, method: &'static str, request: Q) -> Result<A, Failure>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let answer = self.try_call(method, request).await;
        answer.map_err(|status| self.failure(&status))
    }

    /// The same, for who can do something about a failure.
    pub(super) async fn try_call<Q, A>(&mut self, method: &'static str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.ready().await?;
        let request = self.dress(request);
        let method = PathAndQuery::from_static(method);
        let answer = self.grpc.unary(request, method, ProstCodec::<Q, A>::default()).await?;
        self.met = true;
        Ok(answer.into_inner())
    }

    /// Sends these, and what follows is a stream too.
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
        let request = self.dress(requests);
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

    fn dress<T>(&self, content: T) -> Request<T> {
        let mut request = Request::new(content);
        // A member that has lost its leader is to say so at once.
        request
            .metadata_mut()
            .insert("hasleader", MetadataValue::from_static("true"));
        if let Some(token) = &self.token {
            request.metadata_mut().insert("token", token.clone());
        }
        request
    }
}

/// hyper's connection as tonic wants it.
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
