//! Redis 6 and later, and Valkey: a string for each record, and a script for each call. docs/design/store.md says what Redis
//! promises, and what it cannot.

mod calls;
mod error;
mod inspector;
mod script;
mod session;
mod warnings;

use crate::client::{Client, Protocol};
use crate::dial::{Server, Tls};
use crate::watch_stream::{Listening, Notifier, keepalive};
use crate::{Answer, Connection, Error, Kind, Login, Settings, Store};
use ::redis::{PushInfo, PushKind, Value};
use script::Scripts;
use session::Session;
use std::convert::Infallible;
use std::sync::Arc;

/// Redis as a kind of store. Its servers are `HOST:PORT`, or the path of a Unix socket. The login has an empty user if the
/// server only has a password (`requirepass`).
#[derive(Debug)]
pub struct Redis {
    /// The number of the database.
    pub database: u32,
}

impl Kind for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn title(&self) -> &'static str {
        "Redis"
    }

    fn location(&self) -> String {
        format!("database {}", self.database)
    }

    fn open(&self, settings: &Settings) -> Result<Box<dyn Store>, Error> {
        let protocol = Master {
            database: self.database,
            login: settings.login.clone(),
            tls: Tls::configured(settings)?,
            scripts: Arc::new(Scripts::new()),
        };
        Client::open(protocol, settings)
    }
}

struct Master {
    database: u32,
    login: Option<Login>,
    tls: Option<Tls>,
    scripts: Arc<Scripts>,
}

impl Protocol for Master {
    fn log_in<'a>(&'a self, server: &'a Server) -> Answer<'a, Box<dyn Connection>> {
        Box::pin(async {
            let session = Session::open(self, server, None::<fn(PushInfo) -> Result<(), ()>>).await?;
            Ok(Box::new(session) as Box<dyn Connection>)
        })
    }

    /// The channel of a key has the key's name.
    fn subscribe<'a>(&'a self, server: &'a Server, keys: &'a [String], notifier: Notifier) -> Answer<'a, Listening> {
        Box::pin(async move {
            let pushed = move |push: PushInfo| {
                if push.kind == PushKind::Message {
                    notifier.notify();
                }
                Ok::<_, Infallible>(())
            };
            let session = Session::open(self, server, Some(pushed)).await?;
            let Session {
                mut connection, driver, ..
            } = session;
            // One command for each channel, because the server answers for each channel separately.
            let mut subscribe = ::redis::pipe();
            for key in keys {
                subscribe.cmd("SUBSCRIBE").arg(key);
            }
            let _: Vec<Value> = subscribe.query_async(&mut connection).await?;
            let listening: Listening = Box::pin(async move {
                let ask = async || {
                    let answer: Value = ::redis::cmd("PING").query_async(&mut connection.clone()).await?;
                    Ok(answer)
                };
                keepalive(driver, ask).await
            });
            Ok(listening)
        })
    }
}
