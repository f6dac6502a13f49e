//! What an administrator must know about a server.

use super::session::field;
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, ServerErrorKind};
use std::collections::HashMap;

const SETTINGS: [&str; 5] = [
    "appendonly",
    "appendfsync",
    "maxmemory",
    "maxmemory-policy",
    "min-replicas-to-write",
];

/// Asks the server for its settings and its replicas.
pub(super) async fn find(connection: &mut MultiplexedConnection) -> Result<Vec<String>, crate::Error> {
    let info: String = redis::cmd("INFO").arg("replication").query_async(connection).await?;
    let mut settings = HashMap::new();
    for name in SETTINGS {
        // Redis 6 accepts one name at a time.
        let mut get = redis::cmd("CONFIG");
        let answer: RedisResult<HashMap<String, String>> = get.arg("GET").arg(name).query_async(connection).await;
        match answer {
            Ok(found) => settings.extend(found),
            // Hosted servers do not have CONFIG at all.
            Err(error) if is_forbidden(&error) => return Ok(vec![UNCHECKED.to_owned()]),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(of_settings(&settings, &info))
}

const UNCHECKED: &str = "this user may not call CONFIG GET, so rcrond could not check whether the server keeps what it \
     has confirmed";

fn is_forbidden(error: &RedisError) -> bool {
    error.kind() == ServerErrorKind::NoPerm.into() || error.to_string().contains("unknown command")
}

fn of_settings(settings: &HashMap<String, String>, info: &str) -> Vec<String> {
    let is = |name: &str, value: &str| settings.get(name).is_some_and(|found| found == value);
    let mut all = Vec::new();
    if !is("appendonly", "yes") || !is("appendfsync", "always") {
        all.push(format!(
            "the server may lose confirmed changes when it restarts (appendonly {}, appendfsync {}): \
             no node is active then until a whole lease has passed, and epochs continue from those that the nodes have \
             stored",
            shown(settings, "appendonly"),
            shown(settings, "appendfsync"),
        ));
    }
    if !is("maxmemory", "0")
        && !is("maxmemory-policy", "noeviction")
        && !shown(settings, "maxmemory-policy").starts_with("volatile-")
    {
        all.push(format!(
            "the server may delete records when its memory is full (maxmemory-policy {}): set noeviction",
            shown(settings, "maxmemory-policy")
        ));
    }
    let replicas = field(info, "connected_slaves").unwrap_or("0");
    if replicas != "0" && is("min-replicas-to-write", "0") {
        all.push(
            "the server has replicas, and min-replicas-to-write is 0: if a replica becomes the master while this server \
             still runs, both accept writes, and two nodes can be active"
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

    fn warnings(settings: [&str; 5], replicas: &str) -> Vec<String> {
        let settings = SETTINGS
            .iter()
            .zip(settings)
            .map(|(name, value)| ((*name).to_owned(), value.to_owned()));
        of_settings(&settings.collect(), &format!("connected_slaves:{replicas}\r\n"))
    }

    #[test]
    fn a_server_that_keeps_all_it_confirms_has_none() {
        assert_eq!(warnings(["yes", "always", "0", "allkeys-lru", "0"], "0"), [""; 0]);
        assert_eq!(warnings(["yes", "always", "1000", "volatile-lru", "1"], "2"), [""; 0]);
    }

    #[test]
    fn each_way_to_lose_a_record_has_one() {
        let warns = |settings, replicas, word: &str| {
            let all = warnings(settings, replicas);
            assert!(all.len() == 1 && all[0].contains(word), "{all:?}");
        };
        warns(["no", "always", "0", "noeviction", "0"], "0", "appendonly no");
        warns(["yes", "everysec", "0", "noeviction", "0"], "0", "appendfsync everysec");
        warns(["yes", "always", "1000", "allkeys-lru", "0"], "0", "allkeys-lru");
        warns(["yes", "always", "0", "noeviction", "0"], "1", "min-replicas-to-write");
    }
}
