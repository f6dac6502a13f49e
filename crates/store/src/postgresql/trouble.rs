//! PostgreSQL's errors, and what to do about them.

use crate::{Failure, dial};
use std::error::Error as _;
use std::io;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

pub(super) const ANOTHER_TABLE: &str = "the table is not as rcrond.sql makes it: drop it, or name another";

/// What went wrong with a server.
pub(super) fn failure(server: &str, error: &Error) -> Failure {
    let Some(said) = error.as_db_error() else {
        return unsaid(server, error);
    };
    let failure = Failure::new(server, format_args!("{} ({})", said.message(), said.code().code()));
    match help(said.code()) {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

/// The connection broke, or the library gave up.
fn unsaid(server: &str, error: &Error) -> Failure {
    let cause = error.source();
    if let Some(io) = cause.and_then(|cause| cause.downcast_ref::<io::Error>()) {
        return dial::broke(server, io);
    }
    let failure = match cause {
        Some(cause) => Failure::new(server, format_args!("{error}: {cause}")),
        None => Failure::new(server, error),
    };
    let text = failure.what.as_str();
    if text.contains("password missing") {
        failure.with_help("the server asks for a password and none is configured")
    } else if text.contains("does not support TLS") {
        failure.with_help("switch `ssl` on in postgresql.conf, or TLS off in rcrond's configuration")
    } else {
        failure
    }
}

fn help(code: &SqlState) -> Option<&'static str> {
    Some(match *code {
        SqlState::UNDEFINED_TABLE => {
            "run `rcrond --init-store`, or let the database's owner execute rcrond.sql; `table` in the configuration says where it is"
        }
        SqlState::INVALID_PASSWORD => "check the user and the password in the configuration",
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check the user, and the server's pg_hba.conf: it must let this user into this database from this address, with or without TLS as configured"
        }
        SqlState::INVALID_CATALOG_NAME => "create the database, or correct `database` in the configuration",
        SqlState::INVALID_SCHEMA_NAME => "create the schema, or correct `table` in the configuration",
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "rcrond.sql says which rights the user needs; the database's owner may execute it"
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => "this server takes no writes: it may be a standby by now",
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => "this server may be a standby by now",
        SqlState::TOO_MANY_CONNECTIONS => {
            "each rcrond needs two connections: raise max_connections, or the user's limit"
        }
        SqlState::CANNOT_CONNECT_NOW => "the server is starting, stopping or recovering",
        SqlState::LOCK_NOT_AVAILABLE => {
            "another change has been waiting for the server's disk, or for its synchronous standby"
        }
        SqlState::UNDEFINED_COLUMN | SqlState::DATATYPE_MISMATCH | SqlState::INVALID_COLUMN_REFERENCE => ANOTHER_TABLE,
        _ => return None,
    })
}
