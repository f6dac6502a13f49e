//! Reads and changes, as etcd's transactions.

use super::link::Link;
use super::message::{
    Compare, Headed, PutRequest, RangeRequest, RangeResponse, RequestOp, StatusRequest, StatusResponse, TxnRequest,
    TxnResponse,
};
use super::wire::{RANGE, STATUS, TXN};
use crate::{Answer, Change, Connection, Failure, Item, Snapshot, Verdict};

/// Of the 128 operations that etcd takes in one transaction (`--max-txn-ops`).
const READS_AT_ONCE: usize = 100;
/// Of a list.
const PAGE: i64 = 500;
/// The first that the protocol here was written for.
const OLDEST: (u32, u32) = (3, 4);

impl Link {
    async fn read_all(&mut self, keys: &[String]) -> Result<Snapshot, Failure> {
        let mut items = Vec::with_capacity(keys.len());
        let mut revision = None;
        for keys in keys.chunks(READS_AT_ONCE) {
            let request = TxnRequest {
                success: keys.iter().map(|key| self.range_of_one(key)).collect(),
                ..TxnRequest::default()
            };
            let answer: TxnResponse = self.ask(TXN, request).await?;
            let now = answer.header().and_then(|header| u64::try_from(header.revision).ok());
            revision = if revision.is_none() { now } else { revision.min(now) };
            if answer.responses.len() != keys.len() {
                return Err(self.malformed());
            }
            for response in answer.responses {
                let found = response.range.ok_or_else(|| self.malformed())?.kvs.pop();
                items.push(found.map(|found| self.item(found)).transpose()?);
            }
        }
        self.praise();
        Ok(Snapshot {
            incarnation: Some(self.cluster.to_be_bytes().to_vec()),
            revision,
            items,
        })
    }

    fn range_of_one(&self, key: &str) -> RequestOp {
        RequestOp {
            range: Some(RangeRequest {
                key: self.key(key),
                ..RangeRequest::default()
            }),
            put: None,
        }
    }

    async fn change_all(&mut self, change: &Change) -> Result<Verdict, Failure> {
        let known = self.cluster.to_be_bytes();
        if change.incarnation.as_ref().is_some_and(|wanted| *wanted != known) {
            return Ok(Verdict::Refused);
        }
        let conditions: Option<Vec<_>> = change
            .conditions
            .iter()
            .map(|condition| self.compare(condition))
            .collect();
        let Some(compare) = conditions else {
            return Ok(Verdict::Refused);
        };
        let request = TxnRequest {
            compare,
            success: self.writes(change),
        };
        let answer: TxnResponse = self.ask(TXN, request).await?;
        self.praise();
        Ok(if answer.succeeded {
            Verdict::Done
        } else {
            Verdict::Refused
        })
    }

    /// `None`: a version that etcd never gives, so nothing has it.
    fn compare(&self, (key, version): &(String, Option<u64>)) -> Option<Compare> {
        let revision = match version {
            None => 0,
            Some(version) => i64::try_from(*version).ok().filter(|revision| *revision > 0)?,
        };
        Some(Compare {
            target: Compare::MOD,
            key: self.key(key),
            mod_revision: Some(revision),
        })
    }

    fn writes(&self, change: &Change) -> Vec<RequestOp> {
        if change.writes.is_empty() {
            // A transaction of nothing but conditions would be answered from what this member happens to know.
            return change
                .conditions
                .first()
                .map(|(key, _)| self.range_of_one(key))
                .into_iter()
                .collect();
        }
        let put = |(key, value): &(String, Vec<u8>)| RequestOp {
            range: None,
            put: Some(PutRequest {
                key: self.key(key),
                value: value.clone(),
            }),
        };
        change.writes.iter().map(put).collect()
    }

    async fn list_all(&mut self, prefix: &str) -> Result<Vec<(String, Item)>, Failure> {
        let mut found = Vec::new();
        let mut key = self.key(prefix);
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
            let answer: RangeResponse = self.ask(RANGE, request).await?;
            key = answer
                .kvs
                .last()
                .map(|last| [&last.key[..], &[0]].concat())
                .unwrap_or_default();
            for one in answer.kvs {
                // None of ours if it is no text.
                let name = one
                    .key
                    .get(self.prefix.len()..)
                    .and_then(|name| std::str::from_utf8(name).ok());
                if let Some(name) = name.map(str::to_owned) {
                    found.push((name, self.item(one)?));
                }
            }
            if !answer.more || key.is_empty() {
                self.praise();
                return Ok(found);
            }
        }
    }

    async fn look_around(&mut self) -> Result<Vec<String>, Failure> {
        let status: StatusResponse = self.ask(STATUS, StatusRequest {}).await?;
        let mut concerns = Vec::new();
        if version(&status.version).is_some_and(|version| version < OLDEST) {
            let found = &status.version;
            concerns.push(format!(
                "this is etcd {found}; 3.4 is the oldest that rcrond is made for"
            ));
        }
        if self.open_to_all {
            concerns.push("etcd asks nobody for a password: whoever reaches it may change the records".to_owned());
        }
        for error in status.errors {
            concerns.push(format!("etcd itself reports: {}", error.trim()));
        }
        Ok(concerns)
    }
}

impl Connection for Link {
    fn read<'a>(&'a mut self, keys: &'a [String]) -> Answer<'a, Snapshot> {
        Box::pin(self.read_all(keys))
    }

    fn change<'a>(&'a mut self, change: &'a Change) -> Answer<'a, Verdict> {
        Box::pin(self.change_all(change))
    }

    fn list<'a>(&'a mut self, prefix: &'a str) -> Answer<'a, Vec<(String, Item)>> {
        Box::pin(self.list_all(prefix))
    }

    fn concerns(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(self.look_around())
    }
}

/// The first key after all that begin so. A zero byte alone: there is none, and etcd takes it so.
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

/// Major and minor.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_one() {
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
