//! MariaDB 10.5 and later, and MySQL 8.0 and later: one table on the primary, or on the nodes of a Galera cluster.
//! docs/design/store.md says what they promise, and why these statements are used.
//!
//! The client of the protocol is here, too: docs/design/dependencies.md says why.

mod answer;
mod auth;
mod bytes;
mod calls;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod handshake;
mod session;
mod sql;
mod table;
mod variables;
mod warnings;
mod wire;

use crate::client::{Client, Protocol};
use crate::dial::{Server, Tls};
use crate::watch_stream::{Listening, Notifier};
use crate::{Answer, Connection, Error, Kind, Login, Settings, Store};
use session::Session;
use sql::Sql;
use std::sync::Arc;
use table::Table;

/// MariaDB or MySQL as a kind of store. Its servers are `HOST:PORT`, or the path of a Unix socket. Without a login, the user has
/// no name.
#[derive(Debug)]
pub struct MariaDb {
    /// The database's name.
    pub database: String,
    /// The table's name, without the database's.
    pub table: String,
}

impl Kind for MariaDb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn title(&self) -> &'static str {
        "MariaDB"
    }

    fn location(&self) -> String {
        format!("database {}, table {}", self.database, self.table)
    }

    /// The log-in proves that the client knows the password. The password itself is sent only over TLS or a Unix socket.
    fn sends_password(&self) -> bool {
        false
    }

    fn prepared(&self) -> String {
        format!("database {}: table {} exists", self.database, self.table)
    }

    fn open(&self, settings: &Settings) -> Result<Box<dyn Store>, Error> {
        let primary = Primary {
            database: self.database.clone(),
            login: settings.login.clone(),
            tls: Tls::configured(settings)?,
            sql: Arc::new(Sql::new(&Table::parse(&self.table)?)),
        };
        Client::open(primary, settings)
    }
}

struct Primary {
    database: String,
    login: Option<Login>,
    tls: Option<Tls>,
    sql: Arc<Sql>,
}

impl Protocol for Primary {
    fn log_in<'a>(&'a self, server: &'a Server) -> Answer<'a, Box<dyn Connection>> {
        Box::pin(async {
            let session = Session::open(self, server).await?.identified().await?;
            Ok(Box::new(session) as Box<dyn Connection>)
        })
    }

    fn reports_changes(&self) -> bool {
        false
    }

    /// No statement waits for a change.
    fn subscribe<'a>(&'a self, _: &'a Server, _: &'a [String], _: Notifier) -> Answer<'a, Listening> {
        Box::pin(async { Err(error::Error::NoNotifications.into()) })
    }

    fn init<'a>(&'a self, server: &'a Server) -> Answer<'a, ()> {
        Box::pin(async { Session::open(self, server).await?.create_table().await })
    }
}
