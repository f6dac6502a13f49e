//! The calls over one connection.

use super::error::Error;
use super::row::column;
use super::session::{Session, last_row};
use super::{sql, warnings};
use crate::random_version::random_version;
use crate::{Answer, Change, Connection, Item, Snapshot, Verdict};
use std::collections::HashMap;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

type Result<T> = std::result::Result<T, crate::Error>;

impl Session {
    /// Creates the table if it does not exist.
    pub(super) async fn create_table(&self) -> Result<()> {
        let found = self.execute(&self.sql.is_there).await?;
        // A user who may not create a table may still use one that exists.
        if last_row(&found).is_some_and(|row| row.get(0).is_some()) {
            return Ok(());
        }
        self.execute(&self.sql.create).await?;
        Ok(())
    }

    /// Parses, plans and executes one statement in one round trip. A prepared statement could be for a table that was
    /// replaced since.
    async fn query(&self, statement: &str, parameters: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>> {
        self.explained(self.client.query_typed(statement, parameters).await)
    }

    async fn read_all(&self, keys: &[String]) -> Result<Snapshot> {
        let rows = self.query(&self.sql.read, &[(&keys, Type::TEXT_ARRAY)]).await?;
        // The incarnation and the revision are the same in each row.
        let first = rows.first().ok_or(Error::NoRow)?;
        let incarnation: String = column(first, 0)?;
        let mut found = HashMap::new();
        for row in &rows {
            if let Some(key) = column::<Option<&str>>(row, 2)? {
                found.insert(key, item(row, 3)?);
            }
        }
        Ok(Snapshot {
            incarnation: Some(incarnation.into_bytes()),
            revision: Some(sql::unsigned(column(first, 1)?)),
            items: keys.iter().map(|key| found.get(key.as_str()).cloned()).collect(),
        })
    }

    async fn change_all(&self, change: &Change) -> Result<Verdict> {
        let versions: Result<Vec<_>> = change.writes.iter().map(|_| random_version()).collect();
        let statements = self.sql.change(change, &versions?);
        // The answer is complete: the rows come before the commit, and the end of the answer after it.
        let answers = self.execute(&statements).await?;
        match last_row(&answers).and_then(|row| row.get(0)) {
            Some("t") => Ok(Verdict::Done),
            Some("f") => Ok(Verdict::Refused),
            _ => Err(Error::NoVerdict.into()),
        }
    }

    async fn find_warnings(&self) -> Result<Vec<String>> {
        let rows = self.query(&self.sql.warnings, &[]).await?;
        rows.first().map_or_else(|| Ok(Vec::new()), warnings::of_row)
    }
}

/// A record, whose version is in the column of this number and whose value in the next.
fn item(row: &Row, number: usize) -> Result<Item> {
    let value: Option<Vec<u8>> = column(row, number + 1)?;
    Ok(Item::new(
        sql::unsigned(column(row, number)?),
        value.unwrap_or_default(),
    ))
}

impl Connection for Session {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(self.read_all(keys))
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(self.change_all(change))
    }

    fn warnings(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(self.find_warnings())
    }
}
