//! What Redis' answers say, and what to do about it.

use crate::{Explanation, ServerError, dial};
use redis::RedisError;
use std::error::Error as _;
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
    /// A read returned another number of values than it asked for.
    WrongCount {
        asked: usize,
        answered: usize,
    },
    /// A read returned a version that the script does not write.
    NoVersion,
    /// The bytes are those of another protocol.
    NotRedis,
    /// An answer with more elements than this.
    TooManyElements(usize),
    /// The script of a change returned another number than 0 or 1.
    NoVerdict(i64),
}

const RIGHTS: &str = "grant the user the rights that rcrond.toml(5) lists";
const OTHER: &str = "check that this is Redis' port, and whether it expects TLS";
const MASTER: &str = "configure all servers that may become the master: rcrond uses only the master";

impl ServerError for Error {
    fn explain(&self) -> Explanation {
        let (what, help) = match self {
            Self::Reply { reply, description } => {
                return (reply.clone(), help(reply).or_else(|| help(description)));
            }
            Self::WrongCount { asked, answered } => {
                return (format!("the answer to a read has {answered} values, not {asked}"), None);
            }
            Self::NoVersion => return ("the answer to a read has no version".to_owned(), None),
            Self::NoVerdict(number) => return (format!("the answer to a change is {number}, not 0 or 1"), None),
            Self::NotRedis => ("this is not an answer of Redis".to_owned(), OTHER),
            Self::TooManyElements(most) => (format!("an answer has more than {most} elements"), OTHER),
            Self::TooOld(version) => (format!("this is Redis {version}"), "use Redis 6.0 or later, or Valkey"),
            Self::Sentinel => (
                "this server is a Sentinel".to_owned(),
                "configure all Redis servers that it watches: rcrond finds the master itself",
            ),
            Self::Cluster => (
                "this server is part of a Redis Cluster".to_owned(),
                "use a server without cluster-enabled: a cluster cannot change records on several nodes at once",
            ),
            Self::Replica => ("this server is a replica".to_owned(), MASTER),
            Self::UnknownRole => (
                "INFO does not say whether this server is a master".to_owned(),
                "let rcrond see what INFO replication shows",
            ),
        };
        (what, Some(help))
    }

    fn is_standby(&self) -> bool {
        matches!(self, Self::Replica)
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
        ("NOAUTH", "configure a password: the server requires one"),
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
