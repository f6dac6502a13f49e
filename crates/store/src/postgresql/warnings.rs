//! What an administrator must know about a server.

use super::row::column;
use tokio_postgres::Row;

/// From the answer to [`Sql::warnings`](super::sql::Sql::warnings).
pub(super) fn of_row(row: &Row) -> Result<Vec<String>, crate::Error> {
    let checks = [
        (
            column::<&str>(row, 0)? != "on",
            "fsync is off: after a power failure the server may have lost what it has confirmed, without a new incarnation",
        ),
        (
            column::<&str>(row, 1)? != "on",
            "full_page_writes is off: a power failure may corrupt the table",
        ),
        (
            column(row, 2)?,
            "the server has standbys, but none is synchronous. If one is promoted while this server still runs, both accept \
             writes, and two nodes can be active. Set synchronous_standby_names: an isolated server then confirms no write",
        ),
        (
            column::<Option<bool>>(row, 3)? == Some(true),
            "the table is UNLOGGED: a crash of the server empties it, and then no node is active until a whole lease has \
             passed",
        ),
    ];
    let found = checks.into_iter().filter(|(holds, _)| *holds);
    Ok(found.map(|(_, text)| text.to_owned()).collect())
}
