//! Rows of an answer.

use super::error::Error;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

/// The value in the column of this number, counted from 0.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, number: usize) -> Result<T, crate::Error> {
    let value = row.try_get(number);
    Ok(value.map_err(|error| Error::OddRow(error.to_string()))?)
}
