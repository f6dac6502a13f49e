//! Any bytes are Redis's answers, or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| store::redis::fuzzing::check(bytes));
