//! etcd, version 3.4 and later, by its gRPC API (v3).
//!
//! A record is a key under the site's prefix; its version is the key's `mod_revision`. The incarnation is the cluster's id, the
//! revision that of the whole store. What etcd promises, and what is asked of it: docs/design/store.md.

mod connection;
mod dial;
mod link;
mod message;
mod trouble;
mod watch;
mod wire;

use crate::dial::Tls;
use crate::rotation::Rotation;
use crate::{Answer, Connection, Failure, Login, Store, Watch, tls};
use link::Link;
use message::{AuthenticateRequest, AuthenticateResponse, StatusRequest, StatusResponse};
use std::sync::Arc;
use tonic::Code;
use wire::{Pings, Wire};

/// Where it is, and who to be for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `HOST:PORT` of each server, the port being that for clients; an IPv6 address stands in brackets.
    pub servers: Vec<String>,
    /// What all keys begin with, for example `/rcron/`.
    pub prefix: String,
    /// Who to be. With a password it is shown to etcd; without one etcd must know the user by the client certificate.
    pub login: Option<Login>,
    /// TLS, if it is to be used.
    pub tls: Option<tls::Settings>,
}

/// A cluster of etcd servers.
pub struct Etcd {
    settings: Settings,
    tls: Option<Tls>,
    /// Where connections begin.
    rotation: Arc<Rotation>,
    /// Where watches begin: one that hangs must not move the connections.
    watch_rotation: Rotation,
}

/// A server that has let us in.
struct Welcome {
    wire: Wire,
    /// Its place among those configured.
    place: usize,
    cluster: u64,
    /// A user is configured, but anybody may do anything.
    open_to_all: bool,
}

impl Etcd {
    /// Connects to nothing yet. The system's authorities, if they are to be trusted, are read now.
    ///
    /// # Errors
    /// If TLS is configured with certificates or keys that cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        let tls = settings.tls.as_ref().map(Tls::new).transpose()?;
        Ok(Self {
            tls: tls.map(|tls| tls.speaking(b"h2")),
            settings,
            rotation: Arc::default(),
            watch_rotation: Rotation::default(),
        })
    }

    /// The first server that lets us in; if there is none, why not, for each.
    async fn enter(&self, rotation: &Rotation, pings: Pings) -> Result<Welcome, Failure> {
        let count = self.settings.servers.len();
        rotation.first(count, |place| self.enter_at(place, pings)).await
    }

    async fn enter_at(&self, place: usize, pings: Pings) -> Result<Welcome, Failure> {
        let mut wire = Wire::open(&self.settings.servers[place], self.tls.as_ref(), pings).await?;
        let open_to_all = !self.log_in(&mut wire).await?;
        // Fails on a member that has no leader: the next may have one.
        let status: StatusResponse = wire.call(wire::STATUS, StatusRequest {}).await?;
        let header = status.header.ok_or_else(|| trouble::malformed(wire.server()))?;
        Ok(Welcome {
            wire,
            place,
            cluster: header.cluster_id,
            open_to_all,
        })
    }

    /// Shows the password, if there is one. `false`: etcd does not want to know, everybody may do everything.
    async fn log_in(&self, wire: &mut Wire) -> Result<bool, Failure> {
        let Some(login) = &self.settings.login else {
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
            // So that the clients can be given a password before etcd is told to ask for it.
            Err(status) if status.code() == Code::FailedPrecondition && status.message().contains("not enabled") => {
                Ok(false)
            }
            Err(status) => Err(wire.failure(&status)),
        }
    }
}

impl Store for Etcd {
    fn connect(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async {
            let welcome = self.enter(&self.rotation, Pings::None).await?;
            let link = Link::new(welcome, &self.settings.prefix, Arc::clone(&self.rotation));
            Ok(Box::new(link) as Box<dyn Connection>)
        })
    }

    fn pass_over(&self) {
        self.rotation.pass_over();
    }

    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>> {
        Box::pin(async move {
            let welcome = self.enter(&self.watch_rotation, Pings::WhileWaiting).await?;
            let place = welcome.place;
            let keys = keys
                .iter()
                .map(|key| format!("{}{key}", self.settings.prefix).into_bytes());
            let ear = watch::Ear::listen(welcome.wire, keys.collect()).await?;
            self.watch_rotation.praise(place);
            Ok(Box::new(ear) as Box<dyn Watch>)
        })
    }

    /// etcd needs nothing; but who asks for this wants to know that it is there.
    fn init(&self) -> Answer<'_, ()> {
        Box::pin(async { self.connect().await.map(drop) })
    }
}
