//! PostgreSQL 13 and later: one table on the primary. What it promises, and why it is asked like this: docs/design/store.md.

mod concerns;
mod connection;
mod session;
mod sql;
mod table;
mod trouble;
mod watch;

use crate::dial::{Address, Tls};
use crate::rotation::Rotation;
use crate::{Answer, Connection, Failure, Login, Store, Watch, tls};
use connection::Open;
use sql::Sql;
use std::path::PathBuf;
use std::sync::Arc;
use table::Table;

/// Where it is, and who to be for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `HOST:PORT` of each server that may be the primary, or the directory of its Unix socket (`/run/postgresql`, or with its port
    /// `/run/postgresql:5433`).
    pub servers: Vec<String>,
    /// What all keys begin with.
    pub prefix: String,
    /// Who to be; `None`: this process's user.
    pub login: Option<Login>,
    /// TLS, if it is to be used.
    pub tls: Option<tls::Settings>,
    /// The database.
    pub database: String,
    /// `TABLE` or `SCHEMA.TABLE`, exactly as it is called.
    pub table: String,
}

/// A table on the primary.
#[derive(Clone, Debug)]
pub struct PostgreSql(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    addresses: Vec<Address>,
    tls: Option<Tls>,
    sql: Sql,
    rotation: Rotation,
}

impl PostgreSql {
    /// Checks the settings. Nothing is connected to; the files of the system's authorities may be read.
    ///
    /// # Errors
    /// Says which of them is wrong, and what to write.
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        let addresses: Result<Vec<_>, _> = settings.servers.iter().map(|server| address(server)).collect();
        Ok(Self(Arc::new(Inner {
            addresses: addresses?,
            tls: settings.tls.as_ref().map(Tls::new).transpose()?,
            sql: Sql::new(Table::parse(&settings.table)?),
            rotation: Rotation::default(),
            settings,
        })))
    }

    /// The first server that will do.
    async fn open(&self) -> Result<Open, Failure> {
        let attempt = async |number| Ok(Open::new(&self.0, number, session::open(&self.0, number, || ()).await?));
        self.0.rotation.first(self.0.addresses.len(), attempt).await
    }
}

/// A server's address; of a Unix socket PostgreSQL's users name the directory.
fn address(server: &str) -> Result<Address, Failure> {
    if !server.starts_with('/') {
        return Address::parse(server);
    }
    let (directory, port) = match server.rsplit_once(':') {
        Some((directory, port)) if port.parse::<u16>().is_ok() => (directory, port),
        _ => (server, "5432"),
    };
    Ok(Address::Unix(PathBuf::from(directory).join(format!(".s.PGSQL.{port}"))))
}

impl Store for PostgreSql {
    fn connect(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async { Ok(Box::new(self.open().await?) as Box<dyn Connection>) })
    }

    fn pass_over(&self) {
        self.0.rotation.pass_over();
    }

    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>> {
        Box::pin(async move {
            let attempt = |number| watch::watch(&self.0, number, &keys);
            self.0.rotation.first(self.0.addresses.len(), attempt).await
        })
    }

    fn init(&self) -> Answer<'_, ()> {
        Box::pin(async { self.open().await?.init().await })
    }
}
