//! For tests that start processes or depend on the end of a pipe.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Between fork(2) and execve(2), a child of one test has the descriptors of all other tests, and so keeps their pipes: only one such
/// test runs at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
