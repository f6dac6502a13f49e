//! A lock that the kernel releases when its holder ends: flock(2).

use crate::check;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Locks a file, which is created if it is missing, until the returned file is dropped. `None` if another process has the lock.
///
/// # Errors
/// The system's.
pub fn take(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    Ok(try_exclusive(&file)?.then_some(file))
}

/// Locks an open file until it is closed. Returns whether the lock was free; does not wait.
///
/// # Errors
/// The system's.
pub fn try_exclusive(file: &File) -> io::Result<bool> {
    // SAFETY: no memory is involved.
    match check(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_holder_waits_for_the_end_of_the_first() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lock");
        let first = take(&path).expect("possible");
        assert!(first.is_some());
        assert!(take(&path).expect("possible").is_none());
        drop(first);
        assert!(take(&path).expect("possible").is_some());
    }
}
