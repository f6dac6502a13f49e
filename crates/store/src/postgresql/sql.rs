//! What is said to PostgreSQL.

use super::table::Table;
use crate::{Change, Item};
use std::fmt::Write as _;

/// Of an advisory lock's two numbers the one that says "rcron"; the other is the table's.
const LOCK: i32 = 0x7263_726e;

/// Where a table stands for itself in the file.
const NAME_IN_FILE: &str = "IF NOT EXISTS rcron (";
const FILE: &str = include_str!("../../../../packaging/postgresql/rcrond.sql");

/// What a session is told first, and asked. The limits are a belt: no statement of ours takes as long, and none waits for its client while
/// it holds a lock. Who waits longer for the lock has been given up by its client, and would only use up the site's connections. `remote_apply` is more than `on`; all else is less.
pub(super) const BEGIN: &str = "
    SET standard_conforming_strings = on;
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '10s';
    SET lock_timeout = '1s';
    SET idle_in_transaction_session_timeout = '5s';
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 3;
    SET tcp_keepalives_count = 3;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply';
    SELECT current_setting('server_version_num'), pg_is_in_recovery(), current_setting('transaction_read_only')";

/// The statements about one table.
#[derive(Debug)]
pub(super) struct Sql {
    table: Table,
    /// `$1`: the keys. One row for each record, and one without any if there is none.
    pub(super) read: String,
    /// `$1`: how the keys begin.
    pub(super) list: String,
    /// Whether the table is there.
    pub(super) is_there: String,
    /// Creates it.
    pub(super) create: String,
    /// What may be of concern.
    pub(super) concerns: String,
}

impl Sql {
    pub(super) fn new(table: Table) -> Self {
        let incarnation = incarnation(&table);
        let name = table.quoted();
        let literal = table.literal();
        Self {
            read: format!(
                "SELECT store.incarnation, store.revision, t.key, t.version, t.value
                 FROM (SELECT {incarnation} AS incarnation,
                              (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint AS revision) AS store
                 LEFT JOIN {name} AS t ON t.key = ANY ($1)"
            ),
            list: format!(
                "SELECT key, version, value FROM {name} WHERE starts_with(key, $1) ORDER BY key COLLATE \"C\""
            ),
            is_there: format!("SELECT to_regclass({literal})"),
            // Two that create it at once would meet in the catalogue.
            create: format!(
                "SELECT pg_advisory_xact_lock({LOCK}, 0); {}",
                FILE.replace(NAME_IN_FILE, &format!("IF NOT EXISTS {name} ("))
            ),
            concerns: format!(
                "SELECT current_setting('fsync'), current_setting('full_page_writes'),
                        current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT FROM pg_stat_replication),
                        (SELECT relpersistence = 'u' FROM pg_class WHERE oid = {literal}::regclass)"
            ),
            table,
        }
    }

    /// A change, as one message of two statements, which the server takes for one transaction: nothing is begun before the message is
    /// there in full, so a client that stops, or is cut off, cannot hold the lock.
    ///
    /// The lock first, in a statement of its own, for each statement sees what was committed before it began. It makes
    /// all changes of a table follow one another: only so can "there is no such record" still hold at the commit. The second statement
    /// compares, writes and tells those who listen. All that comes from elsewhere is in hexadecimal digits or a number.
    pub(super) fn change(&self, prefix: &str, change: &Change, tokens: &[u64]) -> String {
        let name = self.table.quoted();
        let key = |key: &str| format!("convert_from({}, 'UTF8')", bytes(format!("{prefix}{key}").as_bytes()));
        let conditions = change.conditions.iter().map(|(wanted, version)| {
            let version = version.map_or_else(|| "NULL".to_owned(), |version| signed(version).to_string());
            format!("({}, {version}::bigint)", key(wanted))
        });
        let writes = change.writes.iter().zip(tokens).map(|((written, value), token)| {
            let channel = channel(prefix, written);
            format!("({}, {token}::bigint, {}, '{channel}')", key(written), bytes(value))
        });
        let same = change.incarnation.as_ref().map_or_else(
            || "true".to_owned(),
            |wanted| format!("convert_to({}, 'UTF8') = {}", incarnation(&self.table), bytes(wanted)),
        );
        format!(
            "SELECT pg_advisory_xact_lock({LOCK}, {literal}::regclass::oid::integer);
             WITH wanted (key, version) AS ({wanted}),
                  news (key, version, value, channel) AS ({news}),
                  verdict AS (
                      SELECT {same} AND NOT EXISTS (
                          SELECT FROM wanted LEFT JOIN {name} AS t ON t.key = wanted.key
                          WHERE t.version IS DISTINCT FROM wanted.version) AS done),
                  written AS (
                      INSERT INTO {name} (key, version, value)
                      SELECT key, version, value FROM news WHERE (SELECT done FROM verdict)
                      ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value
                      RETURNING key)
             SELECT done,
                    (SELECT count(*) FROM written),
                    (SELECT count(pg_notify(channel, '')) FROM news WHERE done)
             FROM verdict",
            literal = self.table.literal(),
            wanted = rows(conditions, "NULL::text, NULL::bigint"),
            news = rows(writes, "NULL::text, NULL::bigint, NULL::bytea, NULL::text"),
        )
    }
}

/// What tells this table's data from other data: the cluster's number since initdb, the timeline, which a standby's promotion
/// and a recovery to a point in time begin anew, the database, and the table with its file, which TRUNCATE and a dump's
/// restoration replace. (So do VACUUM FULL and CLUSTER: they cost a wait.)
fn incarnation(table: &Table) -> String {
    let literal = table.literal();
    format!(
        "(SELECT system_identifier FROM pg_control_system()) || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
         || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
         || '/' || {literal}::regclass::oid || '/' || pg_relation_filenode({literal}::regclass)"
    )
}

/// The channel on which a key's changes are told: 22 characters of the 63 that there may be. Two keys that share one share
/// their hints, no more. FNV-1a: stable over versions of rcrond and of PostgreSQL, with or without FIPS.
pub(super) fn channel(prefix: &str, key: &str) -> String {
    let hash = prefix
        .bytes()
        .chain(key.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("rcron_{hash:016x}")
}

/// Rows for a WITH, also if there are none.
fn rows(rows: impl Iterator<Item = String>, none: &str) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        format!("SELECT {none} WHERE false")
    } else {
        format!("VALUES {}", rows.join(", "))
    }
}

/// Bytes whatever they are, however the session takes backslashes.
fn bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len() + 16);
    text.push_str("decode('");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str("', 'hex')");
    text
}

/// PostgreSQL's `bigint` has a sign: a version goes there and back unchanged, bit by bit.
pub(super) const fn unsigned(number: i64) -> u64 {
    u64::from_ne_bytes(number.to_ne_bytes())
}

const fn signed(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

/// A record's columns.
pub(super) fn item(version: i64, value: Vec<u8>) -> Item {
    Item {
        version: unsigned(version),
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(table: &str) -> Sql {
        Sql::new(Table::parse(table).expect("a table's name"))
    }

    #[test]
    fn the_file_that_is_shipped_is_what_is_executed() {
        assert_eq!(FILE.matches(NAME_IN_FILE).count(), 1);
        let create = sql("ops.leases").create;
        assert!(
            create.contains(r#"CREATE TABLE IF NOT EXISTS "ops"."leases" ("#),
            "{create}"
        );
    }

    #[test]
    fn nothing_that_comes_from_elsewhere_is_said_as_it_is() {
        let hostile = r"x'; DROP TABLE rcron; --\";
        let change = Change {
            incarnation: Some(hostile.into()),
            conditions: vec![(hostile.to_owned(), None)],
            writes: vec![(hostile.to_owned(), hostile.into())],
        };
        let text = sql("rcron").change(hostile, &change, &[7]);
        assert!(!text.contains("DROP"), "{text}");
        assert!(!text.contains('\\'), "{text}");
    }

    #[test]
    fn channels_are_short_plain_and_as_they_always_were() {
        assert_eq!(channel("", ""), "rcron_cbf29ce484222325");
        assert_eq!(channel("", "a"), "rcron_af63dc4c8601ec8c");
        assert_eq!(channel("rcron/", "cluster/web"), channel("", "rcron/cluster/web"));
    }
}
