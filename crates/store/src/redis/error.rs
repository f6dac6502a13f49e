//! What Redis' answers say, and what to do about it.

use crate::{ServerError, dial};
use redis::RedisError;
use std::error::Error as _;
use std::fmt;
use std::io;
use std::sync::Arc;

/// An answer of Redis that is not a result.
#[derive(Debug)]
pub(super) enum Error {
    /// Redis' own error: what the library has kept of it, and the library's description.
    Reply {
        reply: String,
        description: String,
    },
    Sentinel,
    Cluster,
    /// `redis_version` in INFO.
    TooOld(String),
    Replica,
    /// INFO has no `role`.
    UnknownRole,
    /// A key holds a value that is not a string.
    ForeignKey {
        key: String,
        value: String,
    },
    /// A read returned another number of records than it asked for.
    WrongCount {
        asked: usize,
        answered: usize,
    },
    /// The script of a change returned another number than 0 or 1.
    NoVerdict(i64),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply { reply, .. } => out.write_str(reply),
            Self::Sentinel => out.write_str("this server is a Sentinel"),
            Self::Cluster => out.write_str("this server is part of a Redis Cluster"),
            Self::TooOld(version) => write!(out, "this is Redis {version}"),
            Self::Replica => out.write_str("this server is a replica"),
            Self::UnknownRole => out.write_str("INFO does not say whether this server is a master"),
            Self::ForeignKey { key, value } => write!(out, "the key {key:?} is not rcrond's: {value}"),
            Self::WrongCount { asked, answered } => write!(out, "a read of {asked} records returned {answered}"),
            Self::NoVerdict(number) => write!(out, "the answer to a change is {number}, not 0 or 1"),
        }
    }
}

const RIGHTS: &str = "grant the user the rights that rcrond.toml(5) lists";
const MASTER: &str = "configure all servers that may become the master: rcrond uses only the master";

impl ServerError for Error {
    fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Reply { reply, description } => return help(reply).or_else(|| help(description)),
            Self::Sentinel => "configure all Redis servers that it watches: rcrond finds the master itself",
            Self::Cluster => {
                "use a server without cluster-enabled: a cluster cannot change records on several nodes at once"
            }
            Self::TooOld(_) => "use Redis 6.0 or later, or Valkey",
            Self::Replica => MASTER,
            Self::UnknownRole => "let rcrond see what INFO replication shows",
            Self::ForeignKey { .. } => "delete the key, or configure another prefix or another database",
            Self::WrongCount { .. } | Self::NoVerdict(_) => return None,
        })
    }
}

impl From<RedisError> for crate::Error {
    fn from(error: RedisError) -> Self {
        if let Some(io) = io_error(&error) {
            return dial::connection_error(io);
        }
        let description = error.to_string();
        let reply = match (error.code(), error.detail()) {
            (Some(code), Some(detail)) => format!("{code} {detail}"),
            _ => description.clone(),
        };
        Error::Reply { reply, description }.into()
    }
}

fn io_error(error: &RedisError) -> Option<&io::Error> {
    let inner = error
        .source()?
        .downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>()?;
    inner.downcast_ref::<io::Error>()
}

/// Looks for the word that Redis' errors begin with, wherever the library puts it: an error of a script has another word
/// before it.
fn help(text: &str) -> Option<&'static str> {
    const HELPS: [(&str, &str); 11] = [
        // This is all that the library keeps of what the server said.
        (
            "Password authentication failed",
            "check the user and the password in the configuration, and whether the server has a password at all",
        ),
        ("NOAUTH", "configure a password: the server asks for one"),
        ("NOPERM", RIGHTS),
        ("can't run this command", RIGHTS),
        // Redis 7 says this about the keys of a script.
        ("can't access at least one", RIGHTS),
        ("READONLY", MASTER),
        ("LOADING", "wait until the server has read its data"),
        (
            "MISCONF",
            "see the server's log: it cannot save its data, and accepts no writes",
        ),
        ("NOREPLICAS", "connect more replicas, or lower min-replicas-to-write"),
        ("OOM", "raise maxmemory: the server's memory is full"),
        ("BUSY", "end the script that keeps the server busy: it is not rcrond's"),
    ];
    let known = HELPS.iter().find(|(word, _)| text.contains(word));
    known.map(|(_, help)| *help)
}
