//! The calls over one connection.

use super::session::{self, Session};
use super::{Inner, concerns, sql, trouble};
use crate::held::Held;
use crate::{Answer, Change, Connection, Failure, Item, Snapshot, Verdict, token};
use std::collections::HashMap;
use std::sync::Arc;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, SimpleQueryMessage};

/// A connection to the server of this number.
pub(super) struct Open {
    inner: Arc<Inner>,
    number: usize,
    session: Held<Session>,
}

impl Open {
    pub(super) fn new(inner: &Arc<Inner>, number: usize, session: Session) -> Self {
        Self {
            inner: Arc::clone(inner),
            number,
            session: Held::new(session),
        }
    }

    /// The table, if it is not there.
    pub(super) async fn init(&mut self) -> Result<(), Failure> {
        let inner = Arc::clone(&self.inner);
        let there = self.say(&inner.sql.is_there).await?;
        // Who may not create a table may still use one that is there.
        if session::row(&there).is_some_and(|row| row.get(0).is_some()) {
            return Ok(());
        }
        self.say(&inner.sql.create).await.map(|_| ())
    }

    fn server(&self) -> &str {
        &self.inner.settings.servers[self.number]
    }

    fn take(&mut self) -> Result<Session, Failure> {
        self.session.take(&self.inner.settings.servers[self.number])
    }

    /// One message of one or several statements, answered in full: of the last one the rows come before its commit, the end after it.
    async fn say(&mut self, statements: &str) -> Result<Vec<SimpleQueryMessage>, Failure> {
        let session = self.take()?;
        let answer = session.client.simple_query(statements).await;
        self.end(session, answer)
    }

    /// One statement with parameters, parsed, planned and executed in one round trip: nothing that was prepared can be of a table
    /// that was replaced.
    async fn rows(&mut self, statement: &str, parameters: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>, Failure> {
        let session = self.take()?;
        let answer = session.client.query_typed(statement, parameters).await;
        self.end(session, answer)
    }

    fn end<T>(&mut self, session: Session, answer: Result<T, Error>) -> Result<T, Failure> {
        let answer = answer.map_err(|error| trouble::failure(self.server(), &error));
        if answer.is_ok() {
            self.inner.rotation.praise(self.number);
        }
        self.session.bring_back(session, answer)
    }

    /// A key as it is in the store.
    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.inner.settings.prefix)
    }

    async fn verdict(&mut self, change: &Change) -> Result<Verdict, Failure> {
        let tokens: Result<Vec<_>, _> = change.writes.iter().map(|_| token::draw()).collect();
        let text = self.inner.sql.change(&self.inner.settings.prefix, change, &tokens?);
        let answers = self.say(&text).await?;
        match session::row(&answers).and_then(|row| row.get(0)) {
            Some("t") => Ok(Verdict::Done),
            Some("f") => Ok(Verdict::Refused),
            _ => Err(Failure::new(self.server(), "a change was answered without a verdict")),
        }
    }

    fn odd(&self, error: &Error) -> Failure {
        Failure::new(self.server(), format_args!("a row that is not as expected: {error}"))
            .with_help(trouble::ANOTHER_TABLE)
    }

    fn snapshot(&self, keys: &[String], rows: &[Row]) -> Result<Snapshot, Failure> {
        let nothing = || Failure::new(self.server(), "a read was answered without a row");
        let (incarnation, revision, found) = records(rows).map_err(|error| self.odd(&error))?.ok_or_else(nothing)?;
        Ok(Snapshot {
            incarnation: Some(incarnation),
            revision: Some(revision),
            items: keys.iter().map(|key| found.get(key.as_str()).cloned()).collect(),
        })
    }
}

type Records<'a> = (Vec<u8>, u64, HashMap<&'a str, Item>);

/// The incarnation and the revision, the same in each row, and what was found.
fn records(rows: &[Row]) -> Result<Option<Records<'_>>, Error> {
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut found = HashMap::new();
    for row in rows {
        if let Some(key) = row.try_get(2)? {
            found.insert(key, sql::item(row.try_get(3)?, row.try_get(4)?));
        }
    }
    let incarnation: String = first.try_get(0)?;
    Ok(Some((
        incarnation.into_bytes(),
        sql::unsigned(first.try_get(1)?),
        found,
    )))
}

impl Connection for Open {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(async move {
            let inner = Arc::clone(&self.inner);
            let keys: Vec<_> = keys.iter().map(|key| self.full(key)).collect();
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
            let rows = self.rows(&inner.sql.list, &[(&self.full(prefix), Type::TEXT)]).await?;
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
            let all = rows.first().map_or_else(|| Ok(Vec::new()), concerns::of);
            all.map_err(|error| self.odd(&error))
        })
    }
}
