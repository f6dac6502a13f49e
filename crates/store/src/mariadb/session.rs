//! One connection to one server, opened and checked.

use super::Primary;
use super::answer::{Answer, execute};
use super::error::Error;
use super::handshake::{self, Connected};
use super::sql::{self, Identity, Sql};
use super::variables::{self, Variables};
use crate::dial::Server;
use crate::random_version::random_version;
use std::sync::Arc;

type Result<T> = std::result::Result<T, crate::Error>;

const OLDEST_MARIADB: (u32, u32) = (10, 5);
const OLDEST_MYSQL: (u32, u32) = (8, 0);

/// A connection. Dropping it closes it, whatever it waits for.
pub(super) struct Session {
    wire: Connected,
    pub(super) sql: Arc<Sql>,
    /// Identifies the server, or its Galera cluster, as the first part of the incarnation. It stays the same while the connection
    /// does, which leads to one process.
    pub(super) server: String,
}

impl Session {
    /// Connects to this server, and checks that it accepts writes.
    pub(super) async fn open(primary: &Primary, server: &Server) -> Result<Self> {
        let mut session = Self {
            wire: handshake::log_in(primary, server).await?,
            sql: Arc::clone(&primary.sql),
            server: String::new(),
        };
        let variables = session.variables().await?;
        check_server(&variables)?;
        session.execute(&sql::begin(&variables)).await?;
        session.execute(sql::ISOLATION).await?;
        let mut cluster = String::new();
        if variables.is_on("wsrep_on") {
            let status = session.status().await?;
            check_node(&status)?;
            status.get("wsrep_cluster_state_uuid").clone_into(&mut cluster);
        }
        let names = [variables.get("server_id"), variables.get("server_uuid"), &cluster];
        session.server = names.map(plain).join("/");
        Ok(session)
    }

    /// Checks that reads and changes reach the same server, and gives the table an identity if it has none. A table that does
    /// not exist, or that the user may not use, is reported by the first call.
    pub(super) async fn identified(mut self) -> Result<Self> {
        let reader = self.execute(self.sql.reader).await?.into_rows();
        let writer = match self.execute(&self.sql.writer.clone()).await {
            Ok(Answer::Done { number: 0, .. }) => {
                self.identify().await?;
                self.execute(&self.sql.writer.clone()).await?
            }
            Ok(answer) => answer,
            Err(error) if is_later_reported(&error) => return Ok(self),
            Err(error) => return Err(error),
        };
        let reader = reader.first().and_then(|row| row.first()?.as_deref());
        match (reader, writer) {
            (Some(reader), Answer::Done { number, .. }) if reader == number.to_string().as_bytes() => Ok(self),
            _ => Err(Error::SplitProxy.into()),
        }
    }

    /// Gives the table an identity. If another client does so first, that one is kept.
    pub(super) async fn identify(&mut self) -> Result<()> {
        let id = [random_version()?, random_version()?];
        self.execute(&self.sql.identify(id)).await.map(drop)
    }

    /// Creates the table if it does not exist.
    pub(super) async fn create_table(&mut self) -> Result<()> {
        // A user who may not create a table may still use one that exists.
        let found = self.execute(&self.sql.is_there.clone()).await?;
        if found.into_rows().is_empty() {
            self.execute(&self.sql.create.clone()).await?;
        }
        self.identify().await
    }

    pub(super) async fn execute(&mut self, statement: &str) -> Result<Answer> {
        execute(&mut self.wire, statement).await
    }

    pub(super) async fn variables(&mut self) -> Result<Variables> {
        let rows = self.execute(&variables::statement()).await?.into_rows();
        Ok(Variables::of_rows(rows))
    }

    pub(super) async fn status(&mut self) -> Result<Variables> {
        let rows = self.execute(&variables::status_statement()).await?.into_rows();
        Ok(Variables::of_rows(rows))
    }

    /// The incarnation of this table at this server.
    pub(super) fn incarnation(&self, identity: &Identity) -> Vec<u8> {
        let mut text = format!("{} {} ", self.server, identity.table).into_bytes();
        text.extend(identity.id.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
        text
    }
}

/// Only characters that an identity of a server has, and not too many.
fn plain(text: &str) -> String {
    let plain = text
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-');
    plain.take(64).collect()
}

/// Checks that this server can keep the lease's records.
fn check_server(variables: &Variables) -> std::result::Result<(), Error> {
    let version = variables.get("version");
    let oldest = if version.contains("MariaDB") {
        OLDEST_MARIADB
    } else {
        OLDEST_MYSQL
    };
    let mut numbers = version
        .split(['.', '-'])
        .map(|number| number.parse().unwrap_or_default());
    let number = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if number < oldest {
        return Err(Error::TooOld(version.to_owned()));
    }
    if is_read_only(variables.get("read_only").as_bytes()) || variables.is_on("super_read_only") {
        return Err(Error::ReadOnly);
    }
    let is_group = !variables.get("group_replication_group_name").is_empty();
    if is_group && !variables.is_on("group_replication_single_primary_mode") {
        return Err(Error::MultiPrimary);
    }
    Ok(())
}

/// Later versions of MariaDB have more values than ON and OFF.
pub(super) fn is_read_only(value: &[u8]) -> bool {
    !matches!(value, b"OFF" | b"0")
}

/// Checks that this node of a Galera cluster belongs to the part that has a majority.
fn check_node(status: &Variables) -> std::result::Result<(), Error> {
    if status.is_on("wsrep_ready") && status.get("wsrep_cluster_status") == "Primary" {
        return Ok(());
    }
    Err(Error::NotReady(status.get("wsrep_cluster_status").to_owned()))
}

/// The table does not exist, or the user may not change it.
fn is_later_reported(error: &crate::Error) -> bool {
    let crate::Error::Server(error) = error else {
        return false;
    };
    error
        .explain()
        .1
        .is_some_and(|help| help == super::error::PREPARE || help == super::error::RIGHTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let row = |(name, value): &(&str, &str)| vec![Some(name.as_bytes().to_vec()), Some(value.as_bytes().to_vec())];
        Variables::of_rows(pairs.iter().map(row).collect())
    }

    fn check(pairs: &[(&str, &str)]) -> bool {
        check_server(&variables(pairs)).is_ok()
    }

    #[test]
    fn servers_that_are_new_enough_and_accept_writes_are_used() {
        for version in [
            "10.5.0-MariaDB",
            "10.11.6-MariaDB-0+deb12u1",
            "11.8.2-MariaDB",
            "8.0.11",
            "8.4.0",
            "9.7.4-2",
        ] {
            assert!(check(&[("version", version), ("read_only", "OFF")]), "{version}");
        }
        for version in ["10.4.34-MariaDB", "5.5.68-MariaDB", "5.7.44-log", "", "x"] {
            assert!(!check(&[("version", version), ("read_only", "OFF")]), "{version}");
        }
        let good = ("version", "8.4.0");
        assert!(!check(&[good, ("read_only", "ON")]));
        assert!(!check(&[good, ("read_only", "NO_LOCK")]));
        assert!(!check(&[good, ("read_only", "OFF"), ("super_read_only", "ON")]));
        let group = |mode| {
            let name = ("group_replication_group_name", "aaaa");
            check(&[
                good,
                ("read_only", "OFF"),
                name,
                ("group_replication_single_primary_mode", mode),
            ])
        };
        assert!(group("ON") && !group("OFF"));
    }
}
