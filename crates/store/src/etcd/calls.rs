//! Reads and changes, as etcd's transactions.

use super::error::Error;
use super::message::{
    Compare, Headed, PutRequest, RangeRequest, RequestOp, StatusRequest, StatusResponse, TxnRequest, TxnResponse,
};
use super::session::{Session, item};
use super::wire::{STATUS, TXN};
use crate::{Answer, Change, Connection, Item, Snapshot, Verdict};

/// The first version that the protocol here was written for.
const OLDEST: (u32, u32) = (3, 4);

type Result<T> = std::result::Result<T, crate::Error>;

/// The revision of the store, and the records.
type Part = (Option<u64>, Vec<Option<Item>>);

impl Session {
    async fn read_all(&mut self, keys: &[String]) -> Result<Snapshot> {
        let mut items = vec![None; keys.len()];
        let mut revision = None;
        // An answer that is too long is asked for again in two halves. Then it is one record that is too long.
        let mut ranges: Vec<_> = std::iter::once(0..keys.len()).collect();
        while let Some(range) = ranges.pop() {
            let mut answer = self.read_part(&keys[range.clone()], false).await?;
            if answer.is_none() && range.len() > 1 {
                let middle = range.start + range.len() / 2;
                ranges.extend([middle..range.end, range.start..middle]);
                continue;
            }
            if answer.is_none() {
                answer = self.read_part(&keys[range.clone()], true).await?;
            }
            let (now, found) = answer.ok_or(Error::Malformed)?;
            revision = if revision.is_none() { now } else { revision.min(now) };
            items.splice(range, found);
        }
        Ok(Snapshot {
            incarnation: Some(self.cluster.to_be_bytes().to_vec()),
            revision,
            items,
        })
    }

    /// Reads these keys in one transaction, or only their versions. `None` if the answer is too long.
    async fn read_part(&mut self, keys: &[String], versions_only: bool) -> Result<Option<Part>> {
        let request = TxnRequest {
            success: keys.iter().map(|key| range_of_one(key, versions_only)).collect(),
            ..TxnRequest::default()
        };
        let Some(answer): Option<TxnResponse> = self.call_bounded(TXN, request).await? else {
            return Ok(None);
        };
        if answer.responses.len() != keys.len() {
            return Err(Error::Malformed.into());
        }
        let revision = answer.header().and_then(|header| u64::try_from(header.revision).ok());
        let found = answer.responses.into_iter().map(|response| {
            let found = response.range.ok_or(Error::Malformed)?.kvs.pop();
            found.map(item).transpose()
        });
        Ok(Some((revision, found.collect::<std::result::Result<_, Error>>()?)))
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

    async fn find_warnings(&mut self) -> Result<Vec<String>> {
        let status: StatusResponse = self.call(STATUS, StatusRequest {}).await?;
        let mut warnings = Vec::new();
        if version(&status.version).is_some_and(|version| version < OLDEST) {
            let found = &status.version;
            warnings.push(format!("this is etcd {found}, but rcrond needs etcd 3.4 or later"));
        }
        if self.open_to_all {
            let text = "authentication is not enabled in etcd: anyone who can connect to it can change the records";
            warnings.push(text.to_owned());
        }
        for error in status.errors {
            warnings.push(format!("etcd itself reports: {}", error.trim()));
        }
        Ok(warnings)
    }
}

fn range_of_one(key: &str, keys_only: bool) -> RequestOp {
    RequestOp {
        range: Some(RangeRequest {
            key: key.as_bytes().to_vec(),
            keys_only,
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
        return first.map(|(key, _)| range_of_one(key, true)).into_iter().collect();
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

    fn warnings(&mut self) -> Answer<'_, Vec<String>> {
        Box::pin(self.find_warnings())
    }
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
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("3.4.23"), Some((3, 4)));
        assert_eq!(version("3.10.0-rc.1"), Some((3, 10)));
        assert_eq!(version("unknown"), None);
    }
}
