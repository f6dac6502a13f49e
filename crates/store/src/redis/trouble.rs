//! Redis' errors, and what to do about them.

use crate::{Failure, dial};
use redis::RedisError;
use std::error::Error;
use std::io;
use std::sync::Arc;

/// What went wrong with a server.
pub(super) fn failure(server: &str, error: &RedisError) -> Failure {
    if let Some(io) = io_error(error) {
        return dial::broke(server, io);
    }
    let text = error.to_string();
    let what = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => text.clone(),
    };
    let help = help(&what).or_else(|| help(&text));
    let failure = Failure::new(server, what);
    match help {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

fn io_error(error: &RedisError) -> Option<&io::Error> {
    let inner = error.source()?.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    inner.downcast_ref::<io::Error>()
}

/// By the word that Redis begins its errors with, wherever the library puts it: an error of a script has another word before it.
fn help(text: &str) -> Option<&'static str> {
    const HELPS: [(&str, &str); 11] = [
        // All that the library leaves of what the server said.
        (
            "Password authentication failed",
            "check the user and the password in the configuration, and whether the server has a password at all",
        ),
        ("NOAUTH", "the server asks for a password and none is configured"),
        ("NOPERM", "give the user the rights that rcrond.toml(5) lists"),
        (
            "can't run this command",
            "give the user the rights that rcrond.toml(5) lists",
        ),
        // Of a script's keys, in Redis 7.
        (
            "can't access at least one",
            "give the user the rights that rcrond.toml(5) lists",
        ),
        (
            "READONLY",
            "only the master will do: name all servers that may become it",
        ),
        ("LOADING", "the server is reading its data"),
        (
            "MISCONF",
            "the server cannot save its data and takes no writes: see its log",
        ),
        ("NOREPLICAS", "too few replicas are connected for min-replicas-to-write"),
        ("OOM", "the server's memory is full: see maxmemory"),
        ("BUSY", "somebody's script keeps the server busy"),
    ];
    HELPS
        .iter()
        .find(|(word, _)| text.contains(word))
        .map(|(_, help)| *help)
}
