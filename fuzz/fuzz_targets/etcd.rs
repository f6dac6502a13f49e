//! Any bytes are an answer or an event of etcd, or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| store::etcd::fuzzing::check(bytes));
