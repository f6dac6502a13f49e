//! The server's variables and status, by name. Every user may read them. A server leaves out those that it does not have, so
//! that one statement suits all kinds and versions.

use super::answer::Row;
use std::collections::HashMap;

/// Names that [`check`](super::session) and [`warnings`](super::warnings) need.
const NAMES: [&str; 18] = [
    "version",
    "read_only",
    "super_read_only",
    "server_id",
    "server_uuid",
    "wsrep_on",
    "wsrep_sync_wait",
    "wsrep_retry_autocommit",
    "max_statement_time",
    "innodb_snapshot_isolation",
    "group_replication_group_name",
    "group_replication_single_primary_mode",
    "group_replication_consistency",
    "innodb_flush_log_at_trx_commit",
    "innodb_doublewrite",
    "log_bin",
    "sync_binlog",
    "innodb_page_size",
];
const STATUS_NAMES: [&str; 7] = [
    "wsrep_ready",
    "wsrep_cluster_status",
    "wsrep_cluster_state_uuid",
    "Slaves_connected",
    "Slaves_running",
    "Rpl_semi_sync_master_status",
    "Rpl_semi_sync_master_clients",
];

pub(super) fn statement() -> String {
    format!(
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('{}')",
        NAMES.join("', '")
    )
}

pub(super) fn status_statement() -> String {
    format!(
        "SHOW GLOBAL STATUS WHERE Variable_name IN ('{}')",
        STATUS_NAMES.join("', '")
    )
}

/// Values by their lower-case names.
#[derive(Debug, Default)]
pub(super) struct Variables(HashMap<String, String>);

impl Variables {
    pub(super) fn of_rows(rows: Vec<Row>) -> Self {
        let pair = |row: Row| {
            let mut values = row.into_iter().map(|value| String::from_utf8(value?).ok());
            Some((values.next()??.to_ascii_lowercase(), values.next()??))
        };
        Self(rows.into_iter().filter_map(pair).collect())
    }

    /// The value, or an empty text if the server does not have this variable.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name), "ON" | "1")
    }

    /// A number; 0 if the server does not have this variable.
    pub(super) fn count(&self, name: &str) -> u64 {
        self.get(name).parse().unwrap_or_default()
    }
}
