//! PostgreSQL 13 and later: one table on the primary. docs/design/store.md says what PostgreSQL promises, and why these
//! statements are used.

mod calls;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod inspector;
mod listening;
mod row;
mod session;
mod sql;
mod table;
mod warnings;

use crate::client::{Client, Protocol};
use crate::dial::{Address, Server, Tls};
use crate::watch_stream::{Listening, Notifier, keepalive};
use crate::{Answer, Connection, Error, Kind, Login, Settings, Store};
use session::Session;
use sql::Sql;
use std::path::PathBuf;
use std::sync::Arc;
use table::Table;

/// PostgreSQL as a kind of store. Its servers are `HOST:PORT`, or the directory of a Unix socket (`/run/postgresql`, or with
/// the port that is in the socket's name, `/run/postgresql:5433`). Without a login, the user is this process's.
#[derive(Debug)]
pub struct PostgreSql {
    /// The database's name.
    pub database: String,
    /// `TABLE` or `SCHEMA.TABLE`, exactly as it is named.
    pub table: String,
}

impl Kind for PostgreSql {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn title(&self) -> &'static str {
        "PostgreSQL"
    }

    fn location(&self) -> String {
        format!("database {}, table {}", self.database, self.table)
    }

    /// The log-in is by SCRAM, which proves that the client knows the password.
    fn sends_password(&self) -> bool {
        false
    }

    fn prepared(&self) -> String {
        format!("database {}: table {} exists", self.database, self.table)
    }

    fn open(&self, settings: &Settings) -> Result<Box<dyn Store>, Error> {
        let protocol = Primary {
            database: self.database.clone(),
            login: settings.login.clone(),
            tls: Tls::configured(settings)?,
            sql: Arc::new(Sql::new(Table::parse(&self.table)?)),
        };
        Client::open(protocol, settings)
    }
}

struct Primary {
    database: String,
    login: Option<Login>,
    tls: Option<Tls>,
    sql: Arc<Sql>,
}

impl Protocol for Primary {
    /// PostgreSQL's users name a socket by its directory.
    fn address(&self, server: &str) -> Result<Address, Error> {
        if !server.starts_with('/') {
            return Address::parse(server);
        }
        let (directory, port) = match server.rsplit_once(':') {
            Some((directory, port)) if port.parse::<u16>().is_ok() => (directory, port),
            _ => (server, "5432"),
        };
        Ok(Address::Unix(PathBuf::from(directory).join(format!(".s.PGSQL.{port}"))))
    }

    fn log_in<'a>(&'a self, server: &'a Server) -> Answer<'a, Box<dyn Connection>> {
        Box::pin(async { Ok(Box::new(Session::open(self, server, |_| ()).await?) as Box<dyn Connection>) })
    }

    fn subscribe<'a>(&'a self, server: &'a Server, keys: &'a [String], notifier: Notifier) -> Answer<'a, Listening> {
        Box::pin(async move {
            let Session { client, driver, .. } = listening::listen(self, server, keys, notifier).await?;
            let listening: Listening =
                Box::pin(async move { keepalive(driver, async || Ok(client.batch_execute("").await?)).await });
            Ok(listening)
        })
    }

    fn init<'a>(&'a self, server: &'a Server) -> Answer<'a, ()> {
        Box::pin(async { Session::open(self, server, |_| ()).await?.create_table().await })
    }
}
