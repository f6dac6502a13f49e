//! The answers to statements.

use super::bytes::Bytes;
use super::error::Error;
use super::wire::Wire;
use tokio::io::{AsyncRead, AsyncWrite};

/// The first byte of a packet that says that all is done, that has an error, or that ends a list.
pub(super) const DONE: u8 = 0;
pub(super) const ERROR: u8 = 0xff;
pub(super) const END: u8 = 0xfe;
/// The first byte of a server's request for one of the client's files.
const WANTS_FILE: u8 = 0xfb;

/// No statement of rcrond's has more columns.
const MOST_COLUMNS: u64 = 16;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// The number of its collation; 63 for bytes.
    pub(super) collation: u64,
    /// The number of its type.
    pub(super) kind: u8,
    pub(super) is_key: bool,
}

/// A row, whose values are text or bytes; `None` stands for NULL.
pub(super) type Row = Vec<Option<Vec<u8>>>;

/// The answer to a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The answer to a statement that returns no rows. If it was to change rows, they are changed, and committed.
    Done {
        /// An inserted row counts once, and a changed row twice.
        affected: u64,
        /// What the statement gave to `LAST_INSERT_ID()`.
        number: u64,
    },
    Rows {
        columns: Vec<Column>,
        rows: Vec<Row>,
    },
}

impl Answer {
    pub(super) fn into_rows(self) -> Vec<Row> {
        match self {
            Self::Rows { rows, .. } => rows,
            Self::Done { .. } => Vec::new(),
        }
    }
}

/// Sends a statement, and receives the whole of its answer.
pub(super) async fn execute<S>(wire: &mut Wire<S>, statement: &str) -> Result<Answer, crate::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const COMMAND: &[u8] = b"\x03";
    wire.request(&[COMMAND, statement.as_bytes()].concat()).await?;
    let first = wire.receive().await?;
    match first.first() {
        Some(&DONE) => return Ok(done(&first)?),
        Some(&ERROR) => return Err(reply(&first)),
        Some(&WANTS_FILE) | None => return Err(Error::NotMariaDb.into()),
        Some(_) => {}
    }
    let count = Bytes(&first).length()?;
    if count > MOST_COLUMNS {
        return Err(Error::NotMariaDb.into());
    }
    let mut columns = Vec::new();
    for _ in 0..count {
        columns.push(column(&wire.receive().await?)?);
    }
    if !is_end(&wire.receive().await?) {
        return Err(Error::NotMariaDb.into());
    }
    let mut rows = Vec::new();
    loop {
        let packet = wire.receive().await?;
        if is_end(&packet) {
            return Ok(Answer::Rows { columns, rows });
        }
        // No value is so long that a row begins with this byte.
        if packet.first() == Some(&ERROR) {
            return Err(reply(&packet));
        }
        rows.push(row(&packet, columns.len())?);
    }
}

/// A row may begin with the same byte, but is longer.
fn is_end(packet: &[u8]) -> bool {
    packet.first() == Some(&END) && packet.len() < 9
}

fn done(packet: &[u8]) -> Result<Answer, Error> {
    let mut bytes = Bytes(packet);
    bytes.byte()?;
    Ok(Answer::Done {
        affected: bytes.length()?,
        number: bytes.length()?,
    })
}

/// The server's error. The first packet of a connection may have no SQLSTATE.
pub(super) fn reply(packet: &[u8]) -> crate::Error {
    let mut bytes = Bytes(packet);
    let parsed = bytes.byte().and_then(|_| bytes.number(2));
    let Ok(code) = parsed else {
        return Error::NotMariaDb.into();
    };
    let text = bytes.0;
    let text = if text.first() == Some(&b'#') {
        text.get(6..).unwrap_or_default()
    } else {
        text
    };
    let code = u16::try_from(code).unwrap_or_default();
    Error::reply(code, String::from_utf8_lossy(text).into_owned())
}

/// Its names (of the catalogue, the schema, the table and the column, the last two twice) are skipped.
pub(super) fn column(packet: &[u8]) -> Result<Column, Error> {
    const KEY: u64 = 2;
    let mut bytes = Bytes(packet);
    for _ in 0..6 {
        bytes.string()?;
    }
    bytes.length()?;
    let collation = bytes.number(2)?;
    bytes.number(4)?;
    let kind = bytes.byte()?;
    let flags = bytes.number(2)?;
    Ok(Column {
        collation,
        kind,
        is_key: flags & KEY != 0,
    })
}

pub(super) fn row(packet: &[u8], columns: usize) -> Result<Row, Error> {
    let mut bytes = Bytes(packet);
    let values = (0..columns).map(|_| bytes.string_or_null().map(|value| value.map(<[u8]>::to_vec)));
    values.collect()
}
