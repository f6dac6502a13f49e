//! Any bytes are PostgreSQL's messages, or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| store::postgresql::fuzzing::check(bytes));
