//! What `fuzz/fuzz_targets/postgresql.rs` calls.

use super::inspector::Messages;
use crate::dial::Inspector;

/// Inspects the bytes, which arrive in two parts or in one: the verdict is the same.
pub fn check(bytes: &[u8]) {
    let (one, other) = bytes.split_at(bytes.len() / 2);
    for is_exposed in [false, true] {
        let mut parts = Messages::new(is_exposed);
        let split = parts.received(one).and_then(|()| parts.received(other));
        assert_eq!(split, Messages::new(is_exposed).received(bytes));
    }
}
