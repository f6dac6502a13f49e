//! What PostgreSQL's answers say, and what to do about it.

use crate::{Explanation, ServerError, dial};
use std::error::Error as _;
use std::io;
use tokio_postgres::error::SqlState;

/// An answer of PostgreSQL that is not a result.
#[derive(Debug)]
pub(super) enum Error {
    /// PostgreSQL's own error.
    Reply {
        message: String,
        code: SqlState,
    },
    /// The client library stopped; its own words.
    Library(String),
    /// The server asks for the password in this form, and others could see it.
    ExposedPassword(&'static str),
    /// SCRAM with so many iterations that the log-in would keep rcrond busy for long.
    TooManyIterations {
        count: u32,
        most: u32,
    },
    /// The bytes are those of another protocol.
    NotPostgreSql,
    /// An answer with more messages than this.
    TooManyMessages(usize),
    /// As `server_version_num` has it.
    TooOld(u32),
    Standby,
    ReadOnly,
    /// A row whose columns are not those of the statement; the words of the client library.
    OddRow(String),
    /// A statement that always returns a row returned none.
    NoRow,
    NoVerdict,
    /// A notification did not reach a connection that listens.
    NoNotification,
}

const OTHER: &str = "check that this is PostgreSQL's port";
const EXPOSED: &str = "set `tls` in rcrond.toml; or set password_encryption to scram-sha-256 in postgresql.conf, set the user's \
     password again, and use scram-sha-256 in pg_hba.conf (with PgBouncer: for auth_type, too)";
const OTHER_TABLE: &str = "drop the table, which is not as rcrond.sql creates it, or configure another";

impl ServerError for Error {
    fn explain(&self) -> Explanation {
        let (what, help) = match self {
            Self::Reply { message, code } => return (format!("{message} ({})", code.code()), help(code)),
            Self::Library(text) => return (text.clone(), library_help(text)),
            Self::TooOld(version) => {
                return (
                    format!("this is PostgreSQL {version}"),
                    Some("use PostgreSQL 13 or later"),
                );
            }
            Self::ExposedPassword(form) => {
                return (
                    format!("the server asks for the password {form}, and the connection is not encrypted"),
                    Some(EXPOSED),
                );
            }
            Self::TooManyIterations { count, most } => {
                return (
                    format!("the server asks for {count} iterations of SCRAM, and rcrond does at most {most}"),
                    Some("lower scram_iterations in postgresql.conf, and set the user's password again"),
                );
            }
            Self::TooManyMessages(most) => return (format!("an answer has more than {most} messages"), Some(OTHER)),
            Self::NotPostgreSql => ("this is not a message of PostgreSQL", Some(OTHER)),
            Self::OddRow(problem) => return (format!("a row is not as expected: {problem}"), Some(OTHER_TABLE)),
            Self::Standby => (
                "this server is a standby",
                Some("configure all servers that may become the primary: rcrond uses only the primary"),
            ),
            Self::ReadOnly => (
                "this server accepts no writes, because default_transaction_read_only is on",
                Some("use a primary that accepts writes"),
            ),
            Self::NoRow => ("the answer to a read has no row", None),
            Self::NoNotification => (
                "a notification (NOTIFY) does not reach a connection that listens (LISTEN)",
                Some(
                    "if PgBouncer or another pooler is in between, set its pool_mode to session, or connect to PostgreSQL itself",
                ),
            ),
            Self::NoVerdict => ("the answer to a change does not say whether it was executed", None),
        };
        (what.to_owned(), help)
    }

    fn is_standby(&self) -> bool {
        matches!(self, Self::Standby)
    }
}

fn library_help(text: &str) -> Option<&'static str> {
    if text.contains("password missing") {
        return Some("configure a password: the server requires one");
    }
    let help = "set `ssl` to on in postgresql.conf, or `tls` to false in rcrond.toml";
    text.contains("does not support TLS").then_some(help)
}

impl From<tokio_postgres::Error> for crate::Error {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(reply) = error.as_db_error() {
            let (message, code) = (reply.message().to_owned(), reply.code().clone());
            if matches!(code, SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN) {
                return Self::lost(message);
            }
            return Error::Reply { message, code }.into();
        }
        if error.is_closed() {
            return Self::lost(error.to_string());
        }
        let Some(cause) = error.source() else {
            return Error::Library(error.to_string()).into();
        };
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return dial::connection_error(io);
        }
        Error::Library(format!("{error}: {cause}")).into()
    }
}

fn help(code: &SqlState) -> Option<&'static str> {
    Some(match *code {
        SqlState::UNDEFINED_TABLE => {
            "run `rcrond --init-store`, or let the owner of the database run rcrond.sql; or correct `table` in rcrond.toml"
        }
        SqlState::INVALID_PASSWORD => "check the user and the password in the configuration",
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check the user, and the server's pg_hba.conf: it must admit this user to this database from this address, \
             with or without TLS as configured"
        }
        SqlState::INVALID_CATALOG_NAME => "create the database, or correct `database` in rcrond.toml",
        SqlState::INVALID_SCHEMA_NAME => "create the schema, or correct `table` in rcrond.toml",
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "grant the user the rights that rcrond.sql names; the owner of the database may run that file"
        }
        SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => {
            "check whether this server has become a standby: it accepts no writes"
        }
        SqlState::TOO_MANY_CONNECTIONS => {
            "raise max_connections, or the user's limit: each rcrond needs two connections"
        }
        SqlState::CANNOT_CONNECT_NOW => "wait until the server has started, stopped or recovered",
        SqlState::LOCK_NOT_AVAILABLE => {
            "check the server's disk and its synchronous standby: an earlier change is still waiting for one of them"
        }
        SqlState::UNDEFINED_COLUMN
        | SqlState::UNDEFINED_FUNCTION
        | SqlState::DATATYPE_MISMATCH
        | SqlState::INVALID_COLUMN_REFERENCE => OTHER_TABLE,
        _ => return None,
    })
}
