//! Random bytes.

use crate::clock;
use std::io;

/// Ten bytes from getrandom(2), for a name that must be unique but not secret.
///
/// Early at boot the kernel may not have any. Then the clock and the pid are used, because a job must not wait for entropy.
#[must_use]
pub fn ten_bytes() -> [u8; 10] {
    let mut bytes = [0; 10];
    // SAFETY: pointer and length are those of the array.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), libc::GRND_NONBLOCK) };
    if usize::try_from(got) != Ok(bytes.len()) {
        let nanoseconds = clock::since_boot().as_nanos().to_be_bytes();
        bytes[..6].copy_from_slice(&nanoseconds[10..]);
        bytes[6..].copy_from_slice(&std::process::id().to_be_bytes());
    }
    bytes
}

/// Sixteen secret bytes from getrandom(2). Early at boot this waits until the kernel has them.
///
/// # Errors
/// The system's.
pub fn sixteen_bytes() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: pointer and length are those of the array. A read of so few bytes is not interrupted once the kernel has any.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if usize::try_from(got) == Ok(bytes.len()) {
        Ok(bytes)
    } else {
        Err(io::Error::last_os_error())
    }
}
