//! What an administrator should know of a server.

use tokio_postgres::{Error, Row};

/// From the answer to `Sql::concerns`.
pub(super) fn of(row: &Row) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    if row.try_get::<_, &str>(0)? != "on" {
        all.push("fsync is off: after a power failure the server may have lost what it has confirmed, and show it under the same name".to_owned());
    }
    if row.try_get::<_, &str>(1)? != "on" {
        all.push("full_page_writes is off: after a power failure the table may be torn".to_owned());
    }
    if row.try_get(2)? {
        all.push("it has standbys and none is synchronous: if one is promoted while this server still runs, both take writes, and two nodes may be active; \
             with synchronous_standby_names this server stops confirming when it is cut off".to_owned());
    }
    if row.try_get::<_, Option<bool>>(3)? == Some(true) {
        all.push(
            "the table is UNLOGGED: a crash of the server empties it, and no node is active until all have waited"
                .to_owned(),
        );
    }
    Ok(all)
}
