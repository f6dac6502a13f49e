//! The two scripts, their arguments and their results.

use super::error::Error;
use crate::random_version::random_version;
use crate::{Change, Item, LONGEST_VALUE, Verdict};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisResult, Script, ServerErrorKind};

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
        let arguments = [LONGEST_VALUE.to_string().into_bytes()];
        let mut answer: Vec<Vec<u8>> = self.read.run_script(connection, keys, &arguments).await?;
        let (asked, answered) = (1 + 2 * keys.len(), answer.len());
        if asked != answered {
            return Err(Error::WrongCount { asked, answered }.into());
        }
        let mut items = answer.split_off(1).into_iter();
        let mut found = Vec::with_capacity(keys.len());
        while let (Some(version), Some(content)) = (items.next(), items.next()) {
            found.push(item(&version, content)?);
        }
        Ok((answer.remove(0), found))
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
        LONGEST_VALUE.to_string().into_bytes(),
        incarnation.map_or_else(Vec::new, |wanted| [b"=", wanted.as_slice()].concat()),
        change.conditions.len().to_string().into_bytes(),
    ];
    for (_, version) in &change.conditions {
        arguments.push(version.map_or_else(Vec::new, |version| shown(version).into_bytes()));
    }
    for (_, value) in &change.writes {
        let mut text = format!("{}\n", random_version()?).into_bytes();
        text.extend_from_slice(value);
        arguments.push(text);
    }
    Ok(arguments)
}

/// The versions of values that another program has written have this bit. The versions of rcrond's have only the other 63.
const FOREIGN: u64 = 1 << 63;
/// The version of a value that is not a string.
const NOT_A_STRING: u64 = u64::MAX;

/// A version as the scripts write it; store.lua says how.
fn shown(version: u64) -> String {
    match version {
        NOT_A_STRING => "x".to_owned(),
        foreign if foreign & FOREIGN != 0 => format!("x{:015x}", foreign ^ FOREIGN),
        own => own.to_string(),
    }
}

/// A record is a string of its version, a line feed and its content, so that `redis-cli GET` shows it. The script has taken it
/// apart.
fn item(version: &[u8], content: Vec<u8>) -> Result<Option<Item>, Error> {
    let parse = |text: &str| match text.strip_prefix('x') {
        Some("") => Some(NOT_A_STRING),
        Some(hash) => Some(u64::from_str_radix(hash, 16).ok()? | FOREIGN),
        None => text.parse().ok(),
    };
    if version.is_empty() {
        return Ok(None);
    }
    let parsed = std::str::from_utf8(version).ok().and_then(parse);
    let version = parsed.ok_or(Error::NoVersion)?;
    Ok(Some(Item::new(version, content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_parsed_as_it_is_written() {
        let own = [1, 17, u64::MAX >> 1];
        for version in own
            .into_iter()
            .chain([NOT_A_STRING, FOREIGN, FOREIGN | 0xfff_ffff_ffff_ffff])
        {
            let found = item(shown(version).as_bytes(), b"a\nb".to_vec());
            let found = found.expect("a version").expect("there");
            assert_eq!((found.version, found.value.as_slice()), (version, &b"a\nb"[..]));
        }
        assert_eq!(shown(FOREIGN | 0xa), "x00000000000000a");
        assert!(item(b"", Vec::new()).expect("readable").is_none());
        for wrong in [&b"y"[..], b"xg", b"-1", b"99999999999999999999", b"\xff"] {
            item(wrong, Vec::new()).expect_err("not a version");
        }
    }
}
