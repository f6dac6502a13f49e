//! Redis' errors, and what to do about them.

use crate::Failure;
use redis::RedisError;

/// What went wrong with a server.
pub(super) fn failure(server: &str, error: &RedisError) -> Failure {
    let text = error.to_string();
    let what = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => text.clone(),
    };
    let failure = Failure::new(server, what);
    match help(&text) {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

/// By the word that Redis begins its errors with, wherever the library puts it: an error of a script has another word before it.
fn help(text: &str) -> Option<&'static str> {
    const HELPS: [(&str, &str); 12] = [
        ("WRONGPASS", "check the user and the password in the configuration"),
        (
            "invalid password",
            "check the user and the password in the configuration",
        ),
        ("NOAUTH", "the server asks for a password and none is configured"),
        (
            "without any password configured",
            "the server has no password: configure none, or set one with requirepass",
        ),
        ("NOPERM", "give the user the rights that rcrond.toml(5) lists"),
        ("No permissions", "give the user the rights that rcrond.toml(5) lists"),
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
