//! Waiting for a condition.

use std::time::{Duration, Instant};

/// Much longer than any test needs, even on a slow machine with a load of 50.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// Calls `find` until it returns a value, and returns that. `what` names what is waited for.
///
/// # Panics
/// At the deadline.
pub fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
