//! What `fuzz/fuzz_targets/mariadb.rs` calls.

use super::answer::{column, reply, row};
use super::handshake::Greeting;

/// Reads the bytes as each kind of packet. Whatever they are, the results are no longer than they.
pub fn check(bytes: &[u8]) {
    let _ = Greeting::parse(bytes);
    let _ = column(bytes);
    let _ = reply(bytes);
    for columns in 0..4 {
        if let Ok(values) = row(bytes, columns) {
            let length: usize = values.iter().flatten().map(Vec::len).sum();
            assert!(values.len() == columns && length <= bytes.len());
        }
    }
}
