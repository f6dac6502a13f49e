//! What `fuzz/fuzz_targets/redis.rs` calls.

use super::inspector::Elements;
use crate::dial::Inspector;

/// Inspects the bytes, which arrive in two parts or in one: the verdict is the same. The library parses what passes.
pub fn check(bytes: &[u8]) {
    let (one, other) = bytes.split_at(bytes.len() / 2);
    let mut parts = Elements::default();
    let split = parts.received(one).and_then(|()| parts.received(other));
    let whole = Elements::default().received(bytes);
    assert_eq!(split, whole);
    if whole.is_ok() {
        let _ = redis::parse_redis_value(bytes);
    }
}
