//! The calls over one connection.

use super::answer::{Answer, Column, Row};
use super::error::Error;
use super::session::{Session, is_read_only};
use super::sql::{Identity, unsigned};
use super::warnings;
use crate::random_version::random_version;
use crate::{Change, Connection, Item, Snapshot, Verdict};
use std::collections::HashMap;

type Result<T> = std::result::Result<T, crate::Error>;

const ENGINE: &str = "InnoDB/";

impl Session {
    async fn read_all(&mut self, keys: &[String]) -> Result<Snapshot> {
        let statement = self.sql.read(keys);
        for _ in 0..2 {
            let Answer::Rows { columns, rows } = self.execute(&statement).await? else {
                return Err(Error::OddTable("a read returns no rows").into());
            };
            check_columns(&columns)?;
            if let Some(found) = Found::of_rows(&rows)? {
                return Ok(Snapshot {
                    incarnation: Some(self.incarnation(&found.identity)),
                    revision: Some(found.changes),
                    items: keys
                        .iter()
                        .map(|key| found.items.get(key.as_bytes()).cloned())
                        .collect(),
                });
            }
            // The table was emptied, and has another identity from now on.
            self.identify().await?;
        }
        Err(Error::NoIdentity.into())
    }

    async fn change_all(&mut self, change: &Change) -> Result<Verdict> {
        let wanted = match &change.incarnation {
            None => None,
            Some(incarnation) => match self.identity_of(incarnation) {
                None => return Ok(Verdict::Refused),
                wanted => wanted,
            },
        };
        let versions: Result<Vec<_>> = change.writes.iter().map(|_| random_version()).collect();
        let statement = self.sql.change(wanted.as_ref(), change, &versions?);
        // The answer comes after the commit. A change that is done has at least changed the first row.
        match self.execute(&statement).await? {
            Answer::Done { affected: 0, .. } => Ok(Verdict::Refused),
            Answer::Done { .. } => Ok(Verdict::Done),
            Answer::Rows { .. } => Err(Error::NoVerdict.into()),
        }
    }

    /// The table of this incarnation; `None` if it is an incarnation of another server, which this one refuses.
    fn identity_of(&self, incarnation: &[u8]) -> Option<Identity> {
        let text = std::str::from_utf8(incarnation).ok()?;
        let (table, id) = text.strip_prefix(&self.server)?.strip_prefix(' ')?.split_once(' ')?;
        let digits = id.as_bytes().chunks(2);
        let bytes = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        is_plain(table).then_some(Identity {
            table: table.to_owned(),
            id: bytes.collect::<Option<_>>()?,
        })
    }

    async fn find_warnings(&mut self) -> Result<Vec<String>> {
        let variables = self.variables().await?;
        let status = self.status().await?;
        Ok(warnings::of(&variables, &status))
    }
}

/// What a read has found.
struct Found {
    identity: Identity,
    /// How often the table was changed.
    changes: u64,
    items: HashMap<Vec<u8>, Item>,
}

impl Found {
    /// `None` if the first row is missing.
    fn of_rows(rows: &[Row]) -> std::result::Result<Option<Self>, Error> {
        let mut items = HashMap::new();
        let mut first = None;
        for row in rows {
            let [Some(key), Some(version), value, read_only, table] = &row[..] else {
                return Err(Error::OddTable("a row has other columns"));
            };
            if read_only.as_deref().is_none_or(is_read_only) {
                return Err(Error::ReadOnly);
            }
            let version = std::str::from_utf8(version)
                .ok()
                .and_then(|version| version.parse().ok());
            let version = unsigned(version.ok_or(Error::OddTable("a version is not a number"))?);
            let value = value.clone().unwrap_or_default();
            if key.is_empty() {
                first = Some((version, value, table));
            } else {
                items.insert(key.clone(), Item::new(version, value));
            }
        }
        let Some((changes, id, table)) = first else {
            return Ok(None);
        };
        let table = table.as_deref().and_then(|table| std::str::from_utf8(table).ok());
        let table = table
            .filter(|table| is_plain(table))
            .ok_or(Error::OddTable("it is not a table"))?;
        if !table.starts_with(ENGINE) {
            let engine = table.split('/').next().unwrap_or_default();
            return Err(Error::Engine(engine.to_owned()));
        }
        Ok(Some(Self {
            identity: Identity {
                table: table.to_owned(),
                id,
            },
            changes,
            items,
        }))
    }
}

/// Whether this text may stand in a statement.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-');
    text.len() <= 64 && text.bytes().all(is_plain)
}

/// Another table would compare keys without their case, or round versions.
fn check_columns(columns: &[Column]) -> std::result::Result<(), Error> {
    const BYTES: u64 = 63;
    const BIGINT: u8 = 8;
    const VARIABLE: u8 = 253;
    const ANY_LENGTH: [u8; 5] = [249, 250, 251, 252, 253];
    let [key, version, value, ..] = columns else {
        return Err(Error::OddTable("a row has other columns"));
    };
    if (key.kind, key.collation, key.is_key) != (VARIABLE, BYTES, true) {
        return Err(Error::OddTable("`key` is not a primary key of bytes"));
    }
    if version.kind != BIGINT {
        return Err(Error::OddTable("`version` is not a BIGINT"));
    }
    if !ANY_LENGTH.contains(&value.kind) || value.collation != BYTES {
        return Err(Error::OddTable("`value` is not a string of bytes"));
    }
    Ok(())
}

impl Connection for Session {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> crate::Answer<'a, Snapshot> {
        Box::pin(self.read_all(keys))
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> crate::Answer<'a, Verdict> {
        Box::pin(self.change_all(change))
    }

    fn warnings(&mut self) -> crate::Answer<'_, Vec<String>> {
        Box::pin(self.find_warnings())
    }
}
