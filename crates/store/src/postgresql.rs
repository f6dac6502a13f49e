//! PostgreSQL 13 and later: one table on the primary. What it promises, and why it is asked like this: docs/design/store.md.

mod concerns;
mod session;
mod sql;
mod table;
mod trouble;
mod watch;

use crate::dial::{self, Address, Tls};
use crate::rotation::Rotation;
use crate::{Answer, Change, Connection, Failure, Item, Login, Snapshot, Store, Verdict, Watch, tls, token};
use session::Session;
use sql::Sql;
use std::path::PathBuf;
use std::sync::Arc;
use table::Table;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

/// Where it is, and who to be for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `HOST:PORT` of each server that may be the primary, or the folder of its Unix socket (`/run/postgresql`, or with its port
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
        let mut failures = Vec::new();
        for number in self.0.rotation.order(self.0.addresses.len()) {
            match session::open(&self.0, number, || ()).await {
                Ok(session) => {
                    return Ok(Open {
                        inner: Arc::clone(&self.0),
                        number,
                        session: Some(session),
                    });
                }
                Err(failure) => failures.push(failure),
            }
        }
        Err(dial::none_of(failures))
    }
}

/// A server's address; of a Unix socket PostgreSQL's users name the folder.
fn address(server: &str) -> Result<Address, Failure> {
    if !server.starts_with('/') {
        return Address::parse(server);
    }
    let (folder, port) = match server.rsplit_once(':') {
        Some((folder, port)) if port.parse::<u16>().is_ok() => (folder, port),
        _ => (server, "5432"),
    };
    Ok(Address::Unix(PathBuf::from(folder).join(format!(".s.PGSQL.{port}"))))
}

impl Store for PostgreSql {
    fn connect(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async { Ok(Box::new(self.open().await?) as Box<dyn Connection>) })
    }

    fn watch(&self, keys: Vec<String>) -> Answer<'_, Box<dyn Watch>> {
        Box::pin(async move {
            let mut failures = Vec::new();
            for number in self.0.rotation.order(self.0.addresses.len()) {
                match watch::watch(&self.0, number, &keys).await {
                    Ok(watch) => return Ok(watch),
                    Err(failure) => failures.push(failure),
                }
            }
            Err(dial::none_of(failures))
        })
    }

    fn init(&self) -> Answer<'_, ()> {
        Box::pin(async { self.open().await?.init().await })
    }
}

/// A connection, until it fails or is given up: then its session is gone, and with it the server's.
struct Open {
    inner: Arc<Inner>,
    number: usize,
    session: Option<Session>,
}

impl Open {
    fn server(&self) -> &str {
        &self.inner.settings.servers[self.number]
    }

    /// Takes the session for one call, which puts it back when all is well. So one that fails stays failed, and one whose
    /// future was dropped is not used again.
    fn take(&mut self) -> Result<Session, Failure> {
        let taken = self.session.take();
        taken.ok_or_else(|| Failure::new(self.server(), "this connection has failed before"))
    }

    fn put_back(&mut self, session: Session) {
        self.inner.rotation.praise(self.number);
        self.session = Some(session);
    }

    fn broken(&self, error: &tokio_postgres::Error) -> Failure {
        trouble::failure(self.server(), error)
    }

    async fn rows(&mut self, statement: &str, parameters: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>, Failure> {
        let session = self.take()?;
        // One round trip: parsed, planned and executed at once, so that nothing prepared can be of a table that was replaced.
        let rows = session.client.query_typed(statement, parameters).await;
        let rows = rows.map_err(|error| self.broken(&error))?;
        self.put_back(session);
        Ok(rows)
    }

    /// Keys as they are in the store.
    fn full(&self, keys: &[String]) -> Vec<String> {
        let prefix = &self.inner.settings.prefix;
        keys.iter().map(|key| format!("{prefix}{key}")).collect()
    }

    async fn init(&mut self) -> Result<(), Failure> {
        let inner = Arc::clone(&self.inner);
        let session = self.take()?;
        let there = session.client.simple_query(&inner.sql.is_there).await;
        let there = there.map_err(|error| self.broken(&error))?;
        // Who may not create a table may still use one that is there.
        if session::row(&there).is_none_or(|row| row.get(0).is_none()) {
            let created = session.client.simple_query(&inner.sql.create).await;
            created.map_err(|error| self.uncreated(&error))?;
        }
        self.put_back(session);
        Ok(())
    }

    fn uncreated(&self, error: &tokio_postgres::Error) -> Failure {
        let failure = self.broken(error);
        let help = "let the database's owner execute rcrond.sql, or GRANT CREATE ON SCHEMA ... TO this user";
        if error.code() == Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE) {
            failure.with_help(help)
        } else {
            failure
        }
    }

    async fn verdict(&mut self, change: &Change) -> Result<Verdict, Failure> {
        let tokens: Result<Vec<_>, _> = change.writes.iter().map(|_| token::draw()).collect();
        let text = self.inner.sql.change(&self.inner.settings.prefix, change, &tokens?);
        let session = self.take()?;
        // All that was said is read, up to "ready": the last statement's rows come before the commit, its end after that.
        let answers = session.client.simple_query(&text).await;
        let answers = answers.map_err(|error| self.broken(&error))?;
        let done = session::row(&answers).and_then(|row| row.get(0).map(|done| done == "t"));
        let done = done.ok_or_else(|| Failure::new(self.server(), "a change was answered without a verdict"))?;
        self.put_back(session);
        Ok(if done { Verdict::Done } else { Verdict::Refused })
    }

    fn odd(&self, error: &tokio_postgres::Error) -> Failure {
        Failure::new(self.server(), format_args!("a row that is not as expected: {error}"))
            .with_help("the table is not as rcrond.sql makes it: drop it, or name another")
    }

    fn snapshot(&self, keys: &[String], rows: &[Row]) -> Result<Snapshot, Failure> {
        let odd = |error| self.odd(&error);
        let first = rows
            .first()
            .ok_or_else(|| Failure::new(self.server(), "a read was answered without a row"))?;
        let incarnation: String = first.try_get(0).map_err(odd)?;
        let revision: i64 = first.try_get(1).map_err(odd)?;
        let mut found = std::collections::HashMap::new();
        for row in rows {
            if let Some(key) = row.try_get::<_, Option<String>>(2).map_err(odd)? {
                found.insert(
                    key,
                    sql::item(row.try_get(3).map_err(odd)?, row.try_get(4).map_err(odd)?),
                );
            }
        }
        Ok(Snapshot {
            incarnation: Some(incarnation.into_bytes()),
            revision: Some(sql::unsigned(revision)),
            items: keys.iter().map(|key| found.get(key).cloned()).collect(),
        })
    }
}

impl Connection for Open {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(async move {
            let inner = Arc::clone(&self.inner);
            let keys = self.full(keys);
            let rows = self.rows(&inner.sql.read, &[(&keys, Type::TEXT_ARRAY)]).await?;
            self.snapshot(&keys, &rows)
        })
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(self.verdict(change))
    }

    fn list<'a>(&'a mut self, prefix: &'a str) -> Answer<'a, Vec<(String, Item)>> {
        Box::pin(async move {
            let inner = Arc::clone(&self.inner);
            let begin = format!("{}{prefix}", inner.settings.prefix);
            let rows = self.rows(&inner.sql.list, &[(&begin, Type::TEXT)]).await?;
            let items = rows.iter().map(|row| {
                let key: &str = row.try_get(0)?;
                let key = key[inner.settings.prefix.len()..].to_owned();
                Ok((key, sql::item(row.try_get(1)?, row.try_get(2)?)))
            });
            items.collect::<Result<_, _>>().map_err(|error| self.odd(&error))
        })
    }

    fn concerns(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(async {
            let inner = Arc::clone(&self.inner);
            let rows = self.rows(&inner.sql.concerns, &[]).await?;
            let row = rows
                .first()
                .ok_or_else(|| Failure::new(self.server(), "a question was answered without a row"))?;
            concerns::of(row).map_err(|error| self.odd(&error))
        })
    }
}
