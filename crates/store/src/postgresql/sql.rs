//! The statements for PostgreSQL.

use super::table::Table;
use crate::dial::KEEPALIVE;
use crate::{Change, LONGEST_VALUE};
use std::fmt::Write as _;

/// The first of the two numbers of an advisory lock: it says "rcrn". The second is the table's.
const LOCK: i32 = 0x7263_726e;

/// The place in the file where the table's name is.
const NAME_IN_FILE: &str = "IF NOT EXISTS rcron (";
const FILE: &str = include_str!("../../../../packaging/postgresql/rcrond.sql");

/// The longest time for a statement, and for a wait for the lock. They are a second protection: no statement takes that long, and a
/// session that waits longer for the lock was abandoned by its client, and would only use up the site's connections.
const STATEMENT_LIMIT: &str = "10s";
const LOCK_LIMIT: &str = "1s";

/// The first statements of a session. The last one returns what [`check_server`](super::session) needs.
///
/// No change depends on these settings, because a pooler may execute it on another connection to the server: see
/// [`begin_change`].
pub(super) fn begin() -> String {
    format!(
        "SET standard_conforming_strings = on;
         SET statement_timeout = '{STATEMENT_LIMIT}';
         SET lock_timeout = '{LOCK_LIMIT}';
         SET idle_in_transaction_session_timeout = '5s';
         SET tcp_keepalives_idle = {};
         SET tcp_keepalives_interval = {};
         SET tcp_keepalives_count = {};
         SELECT current_setting('server_version_num'), pg_is_in_recovery(), current_setting('transaction_read_only')",
        KEEPALIVE.idle.as_secs(),
        KEEPALIVE.interval.as_secs(),
        KEEPALIVE.probes
    )
}

/// The first statements of a change: what is set for the user or the database must not weaken it. They hold until the commit. Of the
/// values of `synchronous_commit` only `remote_apply` is stronger than `on`.
fn begin_change() -> String {
    format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
         SET LOCAL statement_timeout = '{STATEMENT_LIMIT}';
         SET LOCAL lock_timeout = '{LOCK_LIMIT}';
         SELECT set_config('synchronous_commit', 'on', true)
             WHERE current_setting('synchronous_commit') <> 'remote_apply'"
    )
}

/// The statements about one table.
#[derive(Debug)]
pub(super) struct Sql {
    table: Table,
    /// `$1` is the keys. It returns one row for each record, or a row without a record if there is none. The value is NULL if it is
    /// too long. A row without a version counts as no record, as it does in the conditions of a change.
    pub(super) read: String,
    /// Returns the table, or NULL if it does not exist.
    pub(super) is_there: String,
    /// Creates the table.
    pub(super) create: String,
    /// Returns the settings that [`warnings`](super::warnings) checks.
    pub(super) warnings: String,
}

impl Sql {
    pub(super) fn new(table: Table) -> Self {
        let incarnation = incarnation(&table);
        let name = table.quoted();
        let literal = table.literal();
        Self {
            read: format!(
                "SELECT store.incarnation, store.revision, t.key, t.version,
                        CASE WHEN octet_length(t.value) <= {LONGEST_VALUE} THEN t.value END
                 FROM (SELECT {incarnation} AS incarnation,
                              (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint AS revision) AS store
                 LEFT JOIN {name} AS t ON t.key = ANY ($1) AND t.version IS NOT NULL"
            ),
            is_there: format!("SELECT to_regclass({literal})"),
            // Without the lock, two sessions that create the table at once would collide in the catalogue.
            create: format!(
                "SELECT pg_advisory_xact_lock({LOCK}, 0); {}",
                FILE.replace(NAME_IN_FILE, &format!("IF NOT EXISTS {name} ("))
            ),
            warnings: format!(
                "SELECT current_setting('fsync'), current_setting('full_page_writes'),
                        current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT FROM pg_stat_replication),
                        (SELECT relpersistence = 'u' FROM pg_class WHERE oid = {literal}::regclass)"
            ),
            table,
        }
    }

    /// A change, as one message, which the server executes as one transaction. It executes nothing before it has the whole message,
    /// so a client that stops or is cut off cannot hold the lock.
    ///
    /// The lock is a statement of its own, because a statement sees only what was committed before it began. The lock
    /// serializes all changes of a table: only then does "there is no such record" still hold at the commit. The last
    /// statement compares, writes and notifies. All foreign text is in hexadecimal digits, or is a number.
    pub(super) fn change(&self, change: &Change, versions: &[u64]) -> String {
        let name = self.table.quoted();
        let key = |key: &str| format!("convert_from({}, 'UTF8')", hexadecimal(key.as_bytes()));
        let conditions = change.conditions.iter().map(|(wanted, version)| {
            let version = version.map_or_else(|| "NULL".to_owned(), |version| signed(version).to_string());
            format!("({}, {version}::bigint)", key(wanted))
        });
        let writes = change.writes.iter().zip(versions).map(|((written, value), version)| {
            let channel = channel(written);
            format!(
                "({}, {version}::bigint, {}, '{channel}')",
                key(written),
                hexadecimal(value)
            )
        });
        let same = change.incarnation.as_ref().map_or_else(
            || "true".to_owned(),
            |wanted| {
                format!(
                    "convert_to({}, 'UTF8') = {}",
                    incarnation(&self.table),
                    hexadecimal(wanted)
                )
            },
        );
        format!(
            "{begin};
             SELECT pg_advisory_xact_lock({LOCK}, {literal}::regclass::oid::integer);
             WITH wanted (key, version) AS ({wanted}),
                  writes (key, version, value, channel) AS ({writes}),
                  verdict AS (
                      SELECT {same} AND NOT EXISTS (
                          SELECT FROM wanted LEFT JOIN {name} AS t ON t.key = wanted.key
                          WHERE t.version IS DISTINCT FROM wanted.version) AS done),
                  written AS (
                      INSERT INTO {name} (key, version, value)
                      SELECT key, version, value FROM writes WHERE (SELECT done FROM verdict)
                      ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value
                      RETURNING key)
             SELECT done,
                    (SELECT count(*) FROM written),
                    (SELECT count(pg_notify(channel, '')) FROM writes WHERE done)
             FROM verdict",
            begin = begin_change(),
            literal = self.table.literal(),
            wanted = rows(conditions, "NULL::text, NULL::bigint"),
            writes = rows(writes, "NULL::text, NULL::bigint, NULL::bytea, NULL::text"),
        )
    }
}

/// An expression for the incarnation: the cluster's system identifier, which initdb draws; the timeline, which the promotion
/// of a standby and a recovery to a point in time change; the database; and the table with its file, which TRUNCATE and the
/// restoration of a dump replace. (VACUUM FULL and CLUSTER replace it too, which costs a wait.)
fn incarnation(table: &Table) -> String {
    let literal = table.literal();
    format!(
        "(SELECT system_identifier FROM pg_control_system()) || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
         || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
         || '/' || {literal}::regclass::oid || '/' || pg_relation_filenode({literal}::regclass)"
    )
}

/// The channel for the notifications of a key: 22 characters, of at most 63. Two keys with the same channel only
/// share their hints. FNV-1a is the same in all versions of rcrond and of PostgreSQL, with or without FIPS.
pub(super) fn channel(key: &str) -> String {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("rcron_{hash:016x}")
}

/// Rows for a WITH; also an empty set of them.
fn rows(rows: impl Iterator<Item = String>, none: &str) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        format!("SELECT {none} WHERE false")
    } else {
        format!("VALUES {}", rows.join(", "))
    }
}

/// Any bytes, whatever the session does with backslashes.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len() + 16);
    text.push_str("decode('");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str("', 'hex')");
    text
}

/// PostgreSQL's `bigint` is signed. A version keeps its bits in both directions.
pub(super) const fn unsigned(number: i64) -> u64 {
    u64::from_ne_bytes(number.to_ne_bytes())
}

const fn signed(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(table: &str) -> Sql {
        Sql::new(Table::parse(table).expect("a table's name"))
    }

    #[test]
    fn create_executes_the_packaged_file() {
        assert_eq!(FILE.matches(NAME_IN_FILE).count(), 1);
        let create = sql("ops.leases").create;
        assert!(
            create.contains(r#"CREATE TABLE IF NOT EXISTS "ops"."leases" ("#),
            "{create}"
        );
    }

    #[test]
    fn change_contains_no_foreign_text() {
        let hostile = r"x'; DROP TABLE rcron; --\";
        let change = Change {
            incarnation: Some(hostile.into()),
            conditions: vec![(hostile.to_owned(), None)],
            writes: vec![(hostile.to_owned(), hostile.into())],
        };
        let text = sql("rcron").change(&change, &[7]);
        assert!(!text.contains("DROP"), "{text}");
        assert!(!text.contains('\\'), "{text}");
    }

    #[test]
    fn channels_are_short_plain_and_always_the_same() {
        assert_eq!(channel(""), "rcron_cbf29ce484222325");
        assert_eq!(channel("a"), "rcron_af63dc4c8601ec8c");
    }
}
