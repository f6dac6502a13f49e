//! The statements for MariaDB and MySQL.

use super::table::Table;
use super::variables::Variables;
use crate::{Change, LONGEST_VALUE};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The place in the file where the table's name is.
const NAME_IN_FILE: &str = "IF NOT EXISTS rcron (";
const FILE: &str = include_str!("../../../../packaging/mariadb/rcrond-mariadb.sql");

/// The first statement of a session, which makes it independent of the server's settings.
///
/// The limits are a second protection: no statement takes that long, and none waits for its client while it holds a lock.
/// `wait_timeout` is longer than the pause between any two rounds.
pub(super) fn begin(variables: &Variables) -> String {
    let mut begin = "SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
         time_zone = '+00:00', sql_select_limit = 18446744073709551615, innodb_lock_wait_timeout = 1, \
         wait_timeout = 300, net_read_timeout = 10, net_write_timeout = 10"
        .to_owned();
    for (name, value) in [
        ("max_statement_time", "10"),
        // Reads, changes and inserts first wait for what other nodes of a Galera cluster have committed.
        ("wsrep_sync_wait", "7"),
        // If another node's change is ordered first, the server executes the statement again, with its conditions.
        ("wsrep_retry_autocommit", "20"),
        ("group_replication_consistency", "'BEFORE'"),
    ] {
        if variables.has(name) {
            let _ = write!(begin, ", {name} = {value}");
        }
    }
    begin
}

/// Conditions are read with locks, which READ COMMITTED does not take.
pub(super) const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE";

/// What identifies a table on one server, beside the server itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Its engine and the time of its creation: `InnoDB/1700000000`.
    pub(super) table: String,
    /// The random value of its first row.
    pub(super) id: Vec<u8>,
}

/// The statements about one table. Its first row has the empty key: its value is the table's identity, and its version
/// counts the changes.
#[derive(Debug)]
pub(super) struct Sql {
    table: String,
    /// An expression for [`Identity::table`]; NULL if there is no such table.
    incarnation: String,
    /// Returns a row if the table exists, or if the user cannot see it.
    pub(super) is_there: String,
    /// Creates the table.
    pub(super) create: String,
    /// Returns the connection's number, at the server that executes reads.
    pub(super) reader: &'static str,
    /// Changes nothing, and returns the connection's number, at the server that executes changes.
    pub(super) writer: String,
}

impl Sql {
    pub(super) fn new(table: &Table) -> Self {
        let name = table.quoted();
        let literal = table.literal();
        let from_catalogue =
            format!("FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {literal}");
        Self {
            incarnation: format!("(SELECT CONCAT(ENGINE, '/', UNIX_TIMESTAMP(CREATE_TIME)) {from_catalogue})"),
            is_there: format!("SELECT 1 {from_catalogue}"),
            create: FILE.replace(NAME_IN_FILE, &format!("IF NOT EXISTS {name} (")),
            reader: "SELECT CONNECTION_ID()",
            writer: format!(
                "UPDATE {name} SET version = version WHERE `key` = x'' AND LAST_INSERT_ID(CONNECTION_ID()) IS NOT NULL"
            ),
            table: name,
        }
    }

    /// Gives the table an identity, unless it has one.
    pub(super) fn identify(&self, id: [u64; 2]) -> String {
        format!(
            "INSERT INTO {} (`key`, version, value) VALUES (x'', 0, x'{:016x}{:016x}') ON DUPLICATE KEY UPDATE version = version",
            self.table, id[0], id[1]
        )
    }

    /// Returns the rows with these keys, and the first row, from one moment. The value is NULL if it is too long. A row without
    /// a version counts as no record, as it does in the conditions of a change. The last two columns are the same in each row.
    pub(super) fn read(&self, keys: &[String]) -> String {
        let keys = keys.iter().map(String::as_bytes).chain([&b""[..]]);
        format!(
            "SELECT t.`key`, t.version, IF(LENGTH(t.value) <= {LONGEST_VALUE}, t.value, NULL), @@global.read_only, {}
             FROM {} AS t FORCE INDEX (PRIMARY) WHERE t.`key` IN ({}) AND t.version IS NOT NULL",
            self.incarnation,
            self.table,
            list(keys.map(hexadecimal)),
        )
    }

    /// A change, as one statement, which the server executes as one transaction. It executes nothing before it has the whole
    /// statement, so a client that stops or is cut off cannot hold a lock; and a statement that fails leaves nothing behind.
    ///
    /// The statement first locks the first row. This serializes all changes of a table: only then does "there is no such
    /// record" still hold at the commit, and no two changes wait for each other. The conditions refer to that row, so that they
    /// are evaluated after it is locked; they are read with locks, too, which shows them what was committed last. The part that
    /// selects nothing gives the written values the types of the table: MariaDB 10.11 empties a literal of 65,536 bytes. All
    /// foreign text is in hexadecimal digits, or is a number.
    pub(super) fn change(&self, wanted: Option<&Identity>, change: &Change, versions: &[u64]) -> String {
        let table = &self.table;
        let mut all = format!(
            "INSERT INTO {table} (`key`, version, value)
             SELECT w.k, IF(w.k = x'', guard.version + 1, w.v), IF(w.k = x'', guard.value, w.c)
             FROM {table} AS guard STRAIGHT_JOIN (
                 SELECT `key` AS k, version AS v, value AS c FROM {table} WHERE FALSE UNION ALL SELECT x'', 0, x''"
        );
        for ((key, value), version) in change.writes.iter().zip(versions) {
            let (key, value) = (hexadecimal(key.as_bytes()), hexadecimal(value));
            let _ = write!(all, " UNION ALL SELECT {key}, {version}, {value}");
        }
        all.push_str(") AS w WHERE guard.`key` = x''");
        if let Some(Identity { table, id }) = wanted {
            let (incarnation, id) = (&self.incarnation, hexadecimal(id));
            let _ = write!(all, " AND guard.value = {id} AND {incarnation} = '{table}'");
        }
        let found = |filter: &str| {
            format!(
                "(SELECT COUNT(*) FROM {table} AS t FORCE INDEX (PRIMARY) WHERE t.`key` <> guard.`key` AND {filter})"
            )
        };
        let conditions = change.conditions.iter();
        let conditions = conditions.map(|(key, version)| (hexadecimal(key.as_bytes()), version.map(signed)));
        let (missing, present): (BTreeSet<_>, BTreeSet<_>) = conditions.partition(|(_, version)| version.is_none());
        let keys = |of: &BTreeSet<(String, Option<i64>)>| list(of.iter().map(|(key, _)| key.clone()));
        if !missing.is_empty() {
            let filter = format!("t.`key` IN ({}) AND t.version IS NOT NULL", keys(&missing));
            let _ = write!(all, " AND {} = 0", found(&filter));
        }
        if !present.is_empty() {
            let pairs = present
                .iter()
                .map(|(key, version)| format!("({key}, {})", version.unwrap_or_default()));
            let filter = format!(
                "t.`key` IN ({}) AND (t.`key`, t.version) IN ({})",
                keys(&present),
                list(pairs)
            );
            let _ = write!(all, " AND {} = {}", found(&filter), present.len());
        }
        all.push_str(" FOR UPDATE ON DUPLICATE KEY UPDATE version = VALUES(version), value = VALUES(value)");
        all
    }
}

fn list(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

/// Any bytes, whatever `sql_mode` says of backslashes and quotes.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len() + 3);
    text.push_str("x'");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\'');
    text
}

/// A `BIGINT` is signed. A version keeps its bits in both directions.
pub(super) const fn unsigned(number: i64) -> u64 {
    u64::from_ne_bytes(number.to_ne_bytes())
}

const fn signed(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql() -> Sql {
        Sql::new(&Table::parse("leases").expect("a table's name"))
    }

    #[test]
    fn create_executes_the_packaged_file() {
        assert_eq!(FILE.matches(NAME_IN_FILE).count(), 1);
        let create = sql().create;
        assert!(create.contains("CREATE TABLE IF NOT EXISTS `leases` ("), "{create}");
    }

    #[test]
    fn statements_contain_no_foreign_text() {
        let hostile = r"x'; DROP TABLE rcron; --\`";
        let change = Change {
            incarnation: None,
            conditions: vec![(hostile.to_owned(), None), (hostile.to_owned(), Some(7))],
            writes: vec![(hostile.to_owned(), hostile.into())],
        };
        let text = sql().change(None, &change, &[7]) + &sql().read(&[hostile.to_owned()]);
        assert!(!text.contains("DROP") && !text.contains('\\'), "{text}");
    }

    #[test]
    fn a_session_sets_only_what_the_server_has() {
        let row = |name: &str| vec![Some(name.into()), Some(b"0".to_vec())];
        let galera = Variables::of_rows(vec![row("wsrep_sync_wait"), row("wsrep_retry_autocommit")]);
        assert!(begin(&galera).ends_with("wsrep_sync_wait = 7, wsrep_retry_autocommit = 20"));
        assert!(!begin(&Variables::default()).contains("wsrep"));
    }
}
