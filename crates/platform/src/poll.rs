//! Waiting for several descriptors at once.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub enum Wait<'a> {
    /// Something to read.
    Readable(BorrowedFd<'a>),
    /// Room to write.
    Writable(BorrowedFd<'a>),
}

/// Waits until one of them is ready, or for at most `patience` (rounded up to a millisecond): poll(2).
///
/// It may return earlier, after a SIGSTOP for one; the caller looks at everything anew each time.
pub fn until_ready(waits: &[Wait], patience: Option<Duration>) {
    let mut entries: Vec<libc::pollfd> = waits.iter().map(|wait| entry(*wait)).collect();
    let count = libc::nfds_t::try_from(entries.len()).unwrap_or_default();
    let timeout = patience.map_or(-1, milliseconds);
    // SAFETY: pointer and count are those of the vector.
    unsafe { libc::poll(entries.as_mut_ptr(), count, timeout) };
}

fn entry(wait: Wait) -> libc::pollfd {
    let (descriptor, events) = match wait {
        Wait::Readable(descriptor) => (descriptor, libc::POLLIN),
        Wait::Writable(descriptor) => (descriptor, libc::POLLOUT),
    };
    libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events,
        revents: 0,
    }
}

fn milliseconds(patience: Duration) -> libc::c_int {
    libc::c_int::try_from(patience.as_micros().div_ceil(1000)).unwrap_or(libc::c_int::MAX)
}
