//! What `fuzz/fuzz_targets/etcd.rs` calls.

use super::message::{AuthenticateResponse, Headed, StatusResponse, TxnResponse, WatchResponse};
use super::session::item;
use prost::Message;

/// Decodes the bytes as each message that etcd sends. Only records with a possible version are taken.
pub fn check(bytes: &[u8]) {
    let _ = AuthenticateResponse::decode(bytes);
    let _ = WatchResponse::decode(bytes);
    let _ = StatusResponse::decode(bytes).map(|status| status.header().is_some());
    let responses = TxnResponse::decode(bytes).map(|answer| answer.responses);
    let found = responses.into_iter().flatten().filter_map(|response| response.range);
    for record in found.flat_map(|range| range.kvs) {
        let version = record.mod_revision;
        assert_eq!(item(record).is_ok(), version >= 0);
    }
}
