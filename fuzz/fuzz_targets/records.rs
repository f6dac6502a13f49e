//! Any bytes in a store are unreadable, or a record in its one form, perhaps with appended fields that are ignored.
#![no_main]

use claims::{EndedTick, FloorRecord, JobList, JobRecord};
use lease::{ClusterRecord, LONGEST, SessionId, SessionRecord};
use libfuzzer_sys::fuzz_target;

/// Whether `bytes` are that text, or that text and more words.
fn begins_with(bytes: &[u8], text: &str) -> bool {
    let rest = bytes.strip_prefix(text.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" "))
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = SessionRecord::parse(bytes) {
        let text = record.to_text();
        assert!(begins_with(bytes, &text) && bytes.len() <= LONGEST);
        assert_eq!(SessionRecord::parse(text.as_bytes()), Ok(record));
    }
    if let Ok(record) = ClusterRecord::parse(bytes) {
        let text = record.to_text();
        assert!(begins_with(bytes, &text) && bytes.len() <= LONGEST);
        assert_eq!(ClusterRecord::parse(text.as_bytes()), Ok(record));
    }
    if let Ok(record) = FloorRecord::parse(bytes) {
        assert_eq!(FloorRecord::parse(record.to_text().as_bytes()), Ok(record));
    }
    if let Ok(record) = JobRecord::parse(bytes) {
        assert_eq!(JobRecord::parse(record.to_text().as_bytes()), Ok(record));
    }
    if let Ok(record) = EndedTick::parse(bytes) {
        assert_eq!(EndedTick::parse(record.to_text().as_bytes()), Ok(record));
    }
    if let Ok(list) = JobList::parse(bytes) {
        assert_eq!(list.to_text().as_bytes(), bytes);
    }
    if let Some(id) = std::str::from_utf8(bytes).ok().and_then(SessionId::parse) {
        assert_eq!(id.to_string().as_bytes(), bytes);
    }
});
