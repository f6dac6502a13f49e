//! The two scripts, and what goes in and comes out.

use super::link::Link;
use super::trouble;
use crate::{Change, Failure, Item, token};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisResult, Script, ServerErrorKind, Value};

const READ: &str = concat!(include_str!("store.lua"), include_str!("read.lua"));
const CHANGE: &str = concat!(include_str!("store.lua"), include_str!("change.lua"));

/// Both, with the names that Redis knows them by.
#[derive(Debug)]
pub(super) struct Scripts {
    read: Named,
    change: Named,
}

#[derive(Debug)]
struct Named {
    text: &'static str,
    hash: String,
}

impl Named {
    fn new(text: &'static str) -> Self {
        Self {
            text,
            hash: Script::new(text).get_hash().to_owned(),
        }
    }

    /// Runs it, all at once: nothing else happens in the server meanwhile.
    ///
    /// By its name, which is short. If the server does not know it, nothing was executed, so it is safe to send it in full: the
    /// only call here that is ever sent twice.
    async fn run<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        keys: &[String],
        arguments: &[Vec<u8>],
    ) -> RedisResult<T> {
        let known = call("EVALSHA", &self.hash, keys, arguments);
        match known.query_async(connection).await {
            Err(error) if error.kind() == ServerErrorKind::NoScript.into() => {
                call("EVAL", self.text, keys, arguments).query_async(connection).await
            }
            answer => answer,
        }
    }
}

fn call(command: &str, script: &str, keys: &[String], arguments: &[Vec<u8>]) -> Cmd {
    let mut cmd = redis::cmd(command);
    cmd.arg(script).arg(keys.len()).arg(keys).arg(arguments);
    cmd
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            read: Named::new(READ),
            change: Named::new(CHANGE),
        }
    }

    /// The incarnation, and a record or none for each key.
    pub(super) async fn read(&self, link: &mut Link, keys: &[String]) -> Result<(Vec<u8>, Vec<Option<Item>>), Failure> {
        let answer = self.read.run(&mut link.connection, keys, &[]).await;
        let (incarnation, values): (Vec<u8>, Vec<Value>) =
            answer.map_err(|error| trouble::failure(&link.server, &error))?;
        if values.len() != keys.len() {
            let counts = format!("{} records were asked for and {} answered", keys.len(), values.len());
            return Err(Failure::new(&link.server, counts));
        }
        let items = keys
            .iter()
            .zip(values)
            .map(|(key, value)| item(&link.server, key, value));
        Ok((incarnation, items.collect::<Result<_, _>>()?))
    }

    /// Whether it is done.
    pub(super) async fn change(&self, link: &mut Link, prefix: &str, change: &Change) -> Result<bool, Failure> {
        let conditions = change.conditions.iter().map(|(key, _)| key);
        let writes = change.writes.iter().map(|(key, _)| key);
        let keys: Vec<_> = conditions.chain(writes).map(|key| format!("{prefix}{key}")).collect();
        let answer = self.change.run(&mut link.connection, &keys, &arguments(change)?).await;
        match answer.map_err(|error| trouble::failure(&link.server, &error))? {
            1 => Ok(true),
            0 => Ok(false),
            other => Err(Failure::new(
                &link.server,
                format_args!("a change was answered with {other}"),
            )),
        }
    }
}

fn arguments(change: &Change) -> Result<Vec<Vec<u8>>, Failure> {
    let incarnation = change.incarnation.as_ref();
    let mut arguments = vec![
        incarnation.map_or_else(Vec::new, |wanted| [b"=", wanted.as_slice()].concat()),
        change.conditions.len().to_string().into_bytes(),
    ];
    for (_, version) in &change.conditions {
        arguments.push(version.map_or_else(Vec::new, |version| version.to_string().into_bytes()));
    }
    for (_, value) in &change.writes {
        let mut text = format!("{}\n", token::draw()?).into_bytes();
        text.extend_from_slice(value);
        arguments.push(text);
    }
    Ok(arguments)
}

/// No version is drawn so large.
const FOREIGN: u64 = u64::MAX;

/// A record, as a string of its version, a line feed and its content: `redis-cli GET` shows it.
///
/// What is not ours is a record that nobody can read, of a version that no change will find: it spoils its own key, not the others'.
pub(super) fn item(server: &str, key: &str, value: Value) -> Result<Option<Item>, Failure> {
    let value = match value {
        Value::Nil => return Ok(None),
        Value::BulkString(value) => value,
        other => return Err(strange(server, key, &format!("{other:?}"))),
    };
    let ours = value.iter().position(|byte| *byte == b'\n').and_then(|end| {
        let version = std::str::from_utf8(&value[..end]).ok()?.parse().ok()?;
        Some((version, end + 1))
    });
    Ok(Some(match ours {
        Some((version, begin)) => Item {
            version,
            value: value[begin..].to_vec(),
        },
        None => Item {
            version: FOREIGN,
            value,
        },
    }))
}

fn strange(server: &str, key: &str, what: &str) -> Failure {
    Failure::new(server, format_args!("the key {key:?} is not rcrond's: {what}"))
        .with_help("delete it, or give rcrond a prefix or a database of its own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_its_version_a_line_feed_and_its_content() {
        let of = |text: &[u8]| item("s", "k", Value::BulkString(text.to_vec()));
        let found = of(b"17\na\nb").expect("a record").expect("there");
        assert_eq!((found.version, found.value.as_slice()), (17, &b"a\nb"[..]));
        assert_eq!(item("s", "k", Value::Nil), Ok(None));
        for foreign in [&b""[..], b"17", b"x\ny", b"-1\n", b"99999999999999999999\n", b"\xff\n"] {
            let found = of(foreign).expect("readable").expect("there");
            assert_eq!((found.version, found.value.as_slice()), (FOREIGN, foreign));
        }
    }
}
