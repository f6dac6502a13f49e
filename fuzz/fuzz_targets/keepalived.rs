//! Any bytes in the FIFO are lines, the same ones however they arrive, and only `MASTER` makes an instance active.
#![no_main]

#[path = "../../crates/keepalived/src/event.rs"]
mod event;
#[path = "../../crates/keepalived/src/lines.rs"]
#[expect(dead_code, reason = "a part of the program uses it")]
mod lines;

use event::Event;
use libfuzzer_sys::fuzz_target;
use lines::Lines;
use policy::state::Word;

/// The lines of bytes that arrive in two parts, of which the first waits in the FIFO until the second is there, as far as it is
/// not consumed.
fn split_at(bytes: &[u8], at: usize) -> Vec<Vec<u8>> {
    let mut lines = Lines::default();
    let (mut all, consumed) = lines.split(&bytes[..at]);
    let (rest, _) = lines.split(&bytes[consumed.min(at)..]);
    all.extend(rest);
    all
}

fuzz_target!(|bytes: &[u8]| {
    let whole = split_at(bytes, bytes.len());
    if bytes.len() < 4096 {
        let at = usize::from(bytes.first().copied().unwrap_or_default()).min(bytes.len());
        assert_eq!(split_at(bytes, at), whole);
    }
    for line in &whole {
        assert!(!line.contains(&b'\n'));
        if let Some(event) = Event::parse(line) {
            assert!(!event.instance.is_empty() && event.instance.len() < 256);
            assert_eq!(event.word == Word::Active, event.keepalived_state == b"MASTER");
        }
    }
});
