//! Reads and changes, as etcd's transactions.

use super::error::Error;
use super::message::{
    Compare, Headed, PutRequest, RangeRequest, RangeResponse, RequestOp, StatusRequest, StatusResponse, TxnRequest,
    TxnResponse,
};
use super::session::{Session, item};
use super::wire::{RANGE, STATUS, TXN};
use crate::{Answer, Change, Connection, Item, Snapshot, Verdict};

/// How many keys one transaction reads. etcd accepts 128 operations by default (`--max-txn-ops`).
const READS_AT_ONCE: usize = 100;
/// How many records one page of a list has.
const PAGE: i64 = 500;
/// The first version that the protocol here was written for.
const OLDEST: (u32, u32) = (3, 4);

type Result<T> = std::result::Result<T, crate::Error>;

impl Session {
    async fn read_all(&mut self, keys: &[String]) -> Result<Snapshot> {
        let mut items = Vec::with_capacity(keys.len());
        let mut revision = None;
        for keys in keys.chunks(READS_AT_ONCE) {
            let request = TxnRequest {
                success: keys.iter().map(|key| range_of_one(key)).collect(),
                ..TxnRequest::default()
            };
            let answer: TxnResponse = self.call(TXN, request).await?;
            let now = answer.header().and_then(|header| u64::try_from(header.revision).ok());
            revision = if revision.is_none() { now } else { revision.min(now) };
            if answer.responses.len() != keys.len() {
                return Err(Error::Malformed.into());
            }
            for response in answer.responses {
                let found = response.range.ok_or(Error::Malformed)?.kvs.pop();
                items.push(found.map(item).transpose()?);
            }
        }
        Ok(Snapshot {
            incarnation: Some(self.cluster.to_be_bytes().to_vec()),
            revision,
            items,
        })
    }

    async fn change_all(&mut self, change: &Change) -> Result<Verdict> {
        let known = self.cluster.to_be_bytes();
        if change.incarnation.as_ref().is_some_and(|wanted| *wanted != known) {
            return Ok(Verdict::Refused);
        }
        let conditions: Option<Vec<_>> = change.conditions.iter().map(compare).collect();
        let Some(compare) = conditions else {
            return Ok(Verdict::Refused);
        };
        let request = TxnRequest {
            compare,
            success: writes(change),
        };
        let answer: TxnResponse = self.call(TXN, request).await?;
        Ok(if answer.succeeded {
            Verdict::Done
        } else {
            Verdict::Refused
        })
    }

    async fn list_all(&mut self, prefix: &str) -> Result<Vec<(String, Item)>> {
        let mut found = Vec::new();
        let mut key = prefix.as_bytes().to_vec();
        let range_end = end_of_prefix(&key);
        if key.is_empty() {
            key.push(0);
        }
        loop {
            let request = RangeRequest {
                key,
                range_end: range_end.clone(),
                limit: PAGE,
            };
            let answer: RangeResponse = self.call(RANGE, request).await?;
            key = answer
                .kvs
                .last()
                .map(|last| [&last.key[..], &[0]].concat())
                .unwrap_or_default();
            for mut one in answer.kvs {
                // A key that is not text is not one of rcrond's.
                if let Ok(name) = String::from_utf8(std::mem::take(&mut one.key)) {
                    found.push((name, item(one)?));
                }
            }
            if !answer.more || key.is_empty() {
                return Ok(found);
            }
        }
    }

    async fn find_warnings(&mut self) -> Result<Vec<String>> {
        let status: StatusResponse = self.call(STATUS, StatusRequest {}).await?;
        let mut warnings = Vec::new();
        if version(&status.version).is_some_and(|version| version < OLDEST) {
            let found = &status.version;
            warnings.push(format!("this is etcd {found}, but rcrond needs etcd 3.4 or later"));
        }
        if self.open_to_all {
            let text = "authentication is not enabled in etcd: everybody who can connect to it can change the records";
            warnings.push(text.to_owned());
        }
        for error in status.errors {
            warnings.push(format!("etcd itself reports: {}", error.trim()));
        }
        Ok(warnings)
    }
}

fn range_of_one(key: &str) -> RequestOp {
    RequestOp {
        range: Some(RangeRequest {
            key: key.as_bytes().to_vec(),
            ..RangeRequest::default()
        }),
        put: None,
    }
}

/// `None` if etcd never gives such a version, so that no record can have it.
fn compare((key, version): &(String, Option<u64>)) -> Option<Compare> {
    let revision = match version {
        None => 0,
        Some(version) => i64::try_from(*version).ok().filter(|revision| *revision > 0)?,
    };
    Some(Compare {
        target: Compare::MOD,
        key: key.as_bytes().to_vec(),
        mod_revision: Some(revision),
    })
}

fn writes(change: &Change) -> Vec<RequestOp> {
    if change.writes.is_empty() {
        // Without any operation, etcd would answer from what this one member has applied so far.
        let first = change.conditions.first();
        return first.map(|(key, _)| range_of_one(key)).into_iter().collect();
    }
    let put = |(key, value): &(String, Vec<u8>)| RequestOp {
        range: None,
        put: Some(PutRequest {
            key: key.as_bytes().to_vec(),
            value: value.clone(),
        }),
    };
    change.writes.iter().map(put).collect()
}

impl Connection for Session {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(self.read_all(keys))
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(self.change_all(change))
    }

    fn list<'a>(&'a mut self, prefix: &'a str) -> Answer<'a, Vec<(String, Item)>> {
        Box::pin(self.list_all(prefix))
    }

    fn warnings(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(self.find_warnings())
    }
}

/// The first key after all keys with this prefix. If there is none, a single zero byte says so to etcd.
fn end_of_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![0]
}

/// The major and the minor number.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_first_key_after_it() {
        assert_eq!(end_of_prefix(b"/rcron/"), b"/rcron0");
        assert_eq!(end_of_prefix(&[b'a', 0xff]), b"b");
        assert_eq!(end_of_prefix(&[0xff]), [0]);
        assert_eq!(end_of_prefix(b""), [0]);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("3.4.23"), Some((3, 4)));
        assert_eq!(version("3.10.0-rc.1"), Some((3, 10)));
        assert_eq!(version("unknown"), None);
    }
}
