//! Any bytes are a packet of MariaDB, or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| store::mariadb::fuzzing::check(bytes));
