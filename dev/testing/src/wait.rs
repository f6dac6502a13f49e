//! Waiting for facts.

use std::time::{Duration, Instant};

/// Far beyond what any case takes, on a slow machine that is shared too.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `fact` is there and returns it.
///
/// # Panics
/// At the deadline, naming what was waited for.
pub fn until<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = fact() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
