//! Any bytes in a store are a record that is written back as it was read, or are none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lease::{ClusterRecord, LONGEST, SessionId, SessionRecord};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = SessionRecord::parse(bytes) {
        assert_eq!(record.to_text().as_bytes(), bytes);
    }
    if let Ok(record) = ClusterRecord::parse(bytes) {
        assert_eq!(record.to_text().as_bytes(), bytes);
        assert!(bytes.len() <= LONGEST);
    }
    if let Some(id) = std::str::from_utf8(bytes).ok().and_then(SessionId::parse) {
        assert_eq!(id.to_string().as_bytes(), bytes);
    }
});
