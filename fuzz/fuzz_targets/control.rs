//! Any bytes on rcrond's socket are refused, or a request, and any bytes of a daemon are refused, or an answer, each of which is
//! read again as it was written.
#![no_main]

use control::{Request, Response};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<T>(bytes) {
        let line = serde_json::to_vec(&message).expect("JSON");
        assert!(!line.contains(&b'\n'));
        assert_eq!(serde_json::from_slice::<T>(&line).expect("its own form"), message);
    }
}

fuzz_target!(|bytes: &[u8]| {
    check::<Request>(bytes);
    check::<Response>(bytes);
});
