//! Waiting for several descriptors at once.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Waits until one of the descriptors is readable, at most for `patience` (rounded up to a millisecond): poll(2).
///
/// It can return earlier, for example after a SIGSTOP. The caller must check every descriptor itself.
pub fn until_ready(descriptors: &[BorrowedFd], patience: Option<Duration>) {
    let mut entries: Vec<libc::pollfd> = descriptors.iter().map(|descriptor| entry(*descriptor)).collect();
    let count = libc::nfds_t::try_from(entries.len()).unwrap_or_default();
    let timeout = patience.map_or(-1, milliseconds);
    // SAFETY: pointer and count are those of the vector.
    unsafe { libc::poll(entries.as_mut_ptr(), count, timeout) };
}

fn entry(descriptor: BorrowedFd) -> libc::pollfd {
    libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    }
}

fn milliseconds(patience: Duration) -> libc::c_int {
    libc::c_int::try_from(patience.as_micros().div_ceil(1000)).unwrap_or(libc::c_int::MAX)
}
