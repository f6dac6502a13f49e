//! No bytes run a job past a lease's end, on another boot, or where a lease is required and there is none.
#![no_main]

use core::time::Duration;
use libfuzzer_sys::fuzz_target;
use policy::decide::{Decision, Basis, Reading, Rules, decide};
use policy::moment::{BootTime, Moment, WallTime};
use policy::state::{Lease, State, Word};

fuzz_target!(|bytes: &[u8]| {
    let now = Moment {
        boot: BootTime(Duration::from_secs(1000)),
        wall: WallTime(Duration::from_secs(2000)),
        boot_id: Some(b"b".to_vec()),
    };
    let content = State::parse(bytes);
    let lease = content.clone().map(|state| state.lease);
    let reading = Reading::File { content, modified: now.wall };
    for (require_lease, once_per_tick) in [(false, false), (false, true), (true, false), (true, true)] {
        let rules = Rules { default_state: Word::Passive, state_max_age: None, require_lease, once_per_tick };
        let Decision::Run(basis) = decide(&reading, &rules, &now) else { continue };
        let is_active = bytes.trim_ascii_start()[..6].eq_ignore_ascii_case(b"active");
        assert!(is_active || once_per_tick);
        if !is_active {
            assert!(basis.expires().is_some() && basis.epoch().is_none());
        }
        match (&lease, basis) {
            (Ok(Lease::None), Basis::State { expires: None, .. }) => assert!(!require_lease),
            (Ok(Lease::Until { end, boot }), Basis::State { expires: Some(expires), .. }) => {
                assert!(expires <= *end && *end > now.boot && boot == b"b");
            }
            other => panic!("{other:?}"),
        }
    }
});
