//! Any bytes are a zone file or a rule of `TZ`, or neither. Every local time is one that the calendar has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::time_zone::{by_file, by_rule};

const TIMES: [u64; 6] = [0, 951_782_400, 1_774_746_000, 1_795_480_203, 4_107_542_399, u64::MAX];

fuzz_target!(|bytes: &[u8]| {
    for utc in TIMES {
        for local in by_file(bytes, utc).into_iter().chain(by_rule(bytes, utc)) {
            assert!(local.month < 12 && (1..=31).contains(&local.day));
            assert!(local.hour < 24 && local.minute < 60 && local.second < 60);
        }
    }
});
