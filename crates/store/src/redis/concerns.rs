//! What an administrator should know of a server.

use super::link::{Link, field};
use super::trouble;
use crate::Failure;
use redis::{RedisResult, ServerErrorKind};
use std::collections::HashMap;

const SETTINGS: [&str; 5] = [
    "appendonly",
    "appendfsync",
    "maxmemory",
    "maxmemory-policy",
    "min-replicas-to-write",
];

/// Asks for what the server was told to do.
pub(super) async fn ask(link: &mut Link) -> Result<Vec<String>, Failure> {
    let info: RedisResult<String> = redis::cmd("INFO")
        .arg("replication")
        .query_async(&mut link.connection)
        .await;
    let info = info.map_err(|error| trouble::failure(&link.server, &error))?;
    let mut settings = HashMap::new();
    for name in SETTINGS {
        // Redis 6 takes one name at a time.
        let answer: RedisResult<HashMap<String, String>> = redis::cmd("CONFIG")
            .arg("GET")
            .arg(name)
            .query_async(&mut link.connection)
            .await;
        match answer {
            Ok(found) => settings.extend(found),
            // Hosted servers have no CONFIG at all.
            Err(error) if is_forbidden(&error) => return Ok(vec![unseen()]),
            Err(error) => return Err(trouble::failure(&link.server, &error)),
        }
    }
    Ok(of(&settings, &info))
}

fn is_forbidden(error: &redis::RedisError) -> bool {
    error.kind() == ServerErrorKind::NoPerm.into() || error.to_string().contains("unknown command")
}

fn unseen() -> String {
    "this user may not see the server's settings (CONFIG GET): whether it keeps what it has confirmed could not be looked at".to_owned()
}

fn of(settings: &HashMap<String, String>, info: &str) -> Vec<String> {
    let is = |name: &str, value: &str| settings.get(name).is_some_and(|found| found == value);
    let mut all = Vec::new();
    if !is("appendonly", "yes") || !is("appendfsync", "always") {
        all.push(format!(
            "it may lose what it has confirmed when it is restarted (appendonly {}, appendfsync {}): \
             no server is active then until a lease has been waited out, and epochs are those that the nodes themselves remember",
            shown(settings, "appendonly"),
            shown(settings, "appendfsync"),
        ));
    }
    if !is("maxmemory", "0")
        && !is("maxmemory-policy", "noeviction")
        && !shown(settings, "maxmemory-policy").starts_with("volatile-")
    {
        all.push(format!(
            "when its memory is full it may drop records (maxmemory-policy {}): set noeviction",
            shown(settings, "maxmemory-policy")
        ));
    }
    let replicas = field(info, "connected_slaves").unwrap_or("0");
    if replicas != "0" && is("min-replicas-to-write", "0") {
        all.push(
            "it has replicas and min-replicas-to-write is 0: if one is made the master while this server still runs, \
             both take writes, and two nodes may be active"
                .to_owned(),
        );
    }
    all
}

fn shown<'a>(settings: &'a HashMap<String, String>, name: &str) -> &'a str {
    settings.get(name).map_or("unknown", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concerns(settings: [&str; 5], replicas: &str) -> Vec<String> {
        let settings = SETTINGS
            .iter()
            .zip(settings)
            .map(|(name, value)| ((*name).to_owned(), value.to_owned()));
        of(&settings.collect(), &format!("connected_slaves:{replicas}\r\n"))
    }

    #[test]
    fn a_server_that_keeps_all_it_confirms_is_of_no_concern() {
        assert_eq!(concerns(["yes", "always", "0", "allkeys-lru", "0"], "0"), [""; 0]);
        assert_eq!(concerns(["yes", "always", "1000", "volatile-lru", "1"], "2"), [""; 0]);
    }

    #[test]
    fn each_way_to_lose_a_record_is_told() {
        let told = |settings, replicas, word: &str| {
            let all = concerns(settings, replicas);
            assert!(all.len() == 1 && all[0].contains(word), "{all:?}");
        };
        told(["no", "always", "0", "noeviction", "0"], "0", "appendonly no");
        told(["yes", "everysec", "0", "noeviction", "0"], "0", "appendfsync everysec");
        told(["yes", "always", "1000", "allkeys-lru", "0"], "0", "allkeys-lru");
        told(["yes", "always", "0", "noeviction", "0"], "1", "min-replicas-to-write");
    }
}
