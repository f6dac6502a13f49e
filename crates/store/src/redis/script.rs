//! The two scripts, their arguments and their results.

use super::error::Error;
use crate::random_version::random_version;
use crate::{Change, Item, Verdict};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisResult, Script, ServerErrorKind, Value};

const READ: &str = concat!(include_str!("store.lua"), include_str!("read.lua"));
const CHANGE: &str = concat!(include_str!("store.lua"), include_str!("change.lua"));

/// Both scripts, with the hashes by which Redis knows them.
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

    /// Runs the script. Redis executes nothing else meanwhile.
    ///
    /// The hash is sent first, because it is short. If the server does not know it, it has executed nothing, so the whole
    /// script can be sent safely. This is the only call here that is ever sent twice.
    async fn run_script<T: FromRedisValue>(
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

    /// Returns the incarnation, and a record or none for each key.
    pub(super) async fn read(
        &self,
        connection: &mut MultiplexedConnection,
        keys: &[String],
    ) -> Result<(Vec<u8>, Vec<Option<Item>>), crate::Error> {
        let (incarnation, values): (Vec<u8>, Vec<Value>) = self.read.run_script(connection, keys, &[]).await?;
        let (asked, answered) = (keys.len(), values.len());
        if asked != answered {
            return Err(Error::WrongCount { asked, answered }.into());
        }
        let items = keys.iter().zip(values).map(|(key, value)| item(key, value));
        Ok((incarnation, items.collect::<Result<_, _>>()?))
    }

    pub(super) async fn change(
        &self,
        connection: &mut MultiplexedConnection,
        change: &Change,
    ) -> Result<Verdict, crate::Error> {
        let conditions = change.conditions.iter().map(|(key, _)| key);
        let writes = change.writes.iter().map(|(key, _)| key);
        let keys: Vec<_> = conditions.chain(writes).cloned().collect();
        match self.change.run_script(connection, &keys, &arguments(change)?).await? {
            1 => Ok(Verdict::Done),
            0 => Ok(Verdict::Refused),
            other => Err(Error::NoVerdict(other).into()),
        }
    }
}

/// The arguments of the script of a change; change.lua lists them.
fn arguments(change: &Change) -> Result<Vec<Vec<u8>>, crate::Error> {
    let incarnation = change.incarnation.as_ref();
    let mut arguments = vec![
        incarnation.map_or_else(Vec::new, |wanted| [b"=", wanted.as_slice()].concat()),
        change.conditions.len().to_string().into_bytes(),
    ];
    for (_, version) in &change.conditions {
        arguments.push(version.map_or_else(Vec::new, |version| version.to_string().into_bytes()));
    }
    for (_, value) in &change.writes {
        let mut text = format!("{}\n", random_version()?).into_bytes();
        text.extend_from_slice(value);
        arguments.push(text);
    }
    Ok(arguments)
}

/// The version of a foreign value. No version is drawn that large.
const FOREIGN: u64 = u64::MAX;

/// A record is a string of its version, a line feed and its content, so that `redis-cli GET` shows it.
///
/// A foreign string is returned as a record that rcrond cannot parse, with a version that no change finds. It affects its
/// own key and no other.
fn item(key: &str, value: Value) -> Result<Option<Item>, Error> {
    let value = match value {
        Value::Nil => return Ok(None),
        Value::BulkString(value) => value,
        other => {
            return Err(Error::ForeignKey {
                key: key.to_owned(),
                value: format!("{other:?}"),
            });
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_its_version_a_line_feed_and_its_content() {
        let of = |text: &[u8]| item("k", Value::BulkString(text.to_vec()));
        let found = of(b"17\na\nb").expect("a record").expect("there");
        assert_eq!((found.version, found.value.as_slice()), (17, &b"a\nb"[..]));
        assert!(item("k", Value::Nil).expect("readable").is_none());
        for foreign in [&b""[..], b"17", b"x\ny", b"-1\n", b"99999999999999999999\n", b"\xff\n"] {
            let found = of(foreign).expect("readable").expect("there");
            assert_eq!((found.version, found.value.as_slice()), (FOREIGN, foreign));
        }
    }
}
