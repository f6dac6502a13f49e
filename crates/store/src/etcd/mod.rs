//! etcd 3.4 and later, through its gRPC API (v3).
//!
//! A record is a key under the site's prefix, and its version is the key's `mod_revision`. The incarnation is the cluster's
//! id, the revision that of the whole store. docs/design/store.md says what etcd promises, and what follows from it.

mod calls;
mod error;
mod message;
mod session;
mod watch;
mod wire;

use crate::client::{Client, Protocol};
use crate::dial::{Server, Tls};
use crate::watch_stream::{Listening, Notifier};
use crate::{Answer, Connection, Error, Kind, Login, Settings, Store};
use message::{AuthenticateRequest, AuthenticateResponse, StatusRequest, StatusResponse};
use session::Session;
use tonic::Code;
use wire::{Pings, Wire};

/// etcd as a kind of store. Its servers are `HOST:PORT`, with the port for clients. With a login but without a password,
/// etcd must know the user by the client certificate.
#[derive(Debug)]
pub struct Etcd;

impl Kind for Etcd {
    fn name(&self) -> &'static str {
        "etcd"
    }

    fn title(&self) -> &'static str {
        "etcd"
    }

    fn location(&self) -> String {
        String::new()
    }

    fn open(&self, settings: &Settings) -> Result<Box<dyn Store>, Error> {
        let protocol = Grpc {
            login: settings.login.clone(),
            tls: Tls::configured(settings)?.map(|tls| tls.with_protocol(b"h2")),
        };
        Client::open(protocol, settings)
    }
}

struct Grpc {
    login: Option<Login>,
    tls: Option<Tls>,
}

impl Grpc {
    async fn open(&self, server: &Server, pings: Pings) -> Result<Session, Error> {
        let mut wire = Wire::open(server, self.tls.as_ref(), pings).await?;
        let open_to_all = !self.authenticate(&mut wire).await?;
        // This fails on a member that has no leader; the next member may have one.
        let status: StatusResponse = wire.call(wire::STATUS, StatusRequest {}).await?;
        let header = status.header.ok_or(error::Error::Malformed)?;
        Ok(Session {
            wire,
            cluster: header.cluster_id,
            open_to_all,
        })
    }

    /// Sends the password, if there is one. Returns `false` if etcd has no authentication enabled, so that everybody may do
    /// everything.
    async fn authenticate(&self, wire: &mut Wire) -> Result<bool, Error> {
        let Some(login) = &self.login else {
            return Ok(true);
        };
        let Some(password) = &login.password else {
            return Ok(true);
        };
        let request = AuthenticateRequest {
            name: login.user.clone(),
            password: password.reveal().to_owned(),
        };
        let answer: Result<AuthenticateResponse, _> = wire.try_call(wire::AUTHENTICATE, request).await;
        match answer {
            Ok(answer) => wire.set_token(&answer.token).map(|()| true),
            // Not an error, so that the clients can be given a password before authentication is enabled in etcd.
            Err(status) if status.code() == Code::FailedPrecondition && status.message().contains("not enabled") => {
                Ok(false)
            }
            Err(status) => Err(wire.error(&status)),
        }
    }
}

impl Protocol for Grpc {
    fn log_in<'a>(&'a self, server: &'a Server) -> Answer<'a, Box<dyn Connection>> {
        Box::pin(async { Ok(Box::new(self.open(server, Pings::None).await?) as Box<dyn Connection>) })
    }

    fn subscribe<'a>(&'a self, server: &'a Server, keys: &'a [String], notifier: Notifier) -> Answer<'a, Listening> {
        Box::pin(async {
            let session = self.open(server, Pings::WhileWaiting).await?;
            watch::subscribe(session.wire, keys, notifier).await
        })
    }
}
