//! Work that may be held up by a stalled disk, in a process of its own: nobody waits for it for long.
//!
//! A thread would not do: the kernel ends no process of which a thread waits for a disk.

use crate::child;
use crate::{check, clock, own, poll};
use policy::exit::Outcome;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd};
use std::time::Duration;

/// A process that works in the background.
#[derive(Debug)]
pub struct Worker {
    pid: i32,
    /// Ends when the worker has closed every descriptor that it was born with.
    birth: File,
}

/// Runs `work` in a process of its own, which ends with the status it returns. It is our child, and wants to be reaped.
///
/// It has a copy of our memory and, once [`Worker::has_let_go`], nothing else of ours: no descriptor (one who reads the other end
/// of our stdout must not wait for a disk, and a lock of our caller's must not outlive us) and no folder (a file system must not
/// be busy for it). Our blocked signals are blocked in it.
///
/// # Errors
/// fork(2)'s and pipe(2)'s: no more processes, no more descriptors.
pub fn start(work: impl FnOnce() -> u8) -> io::Result<Worker> {
    let (birth, held) = pipe()?;
    // SAFETY: this process has one thread, so that the copy is whole.
    let pid = check(unsafe { libc::fork() })?;
    if pid != 0 {
        drop(held);
        return Ok(Worker { pid, birth });
    }
    let status = if let_go().is_ok() { work() } else { u8::MAX };
    // SAFETY: no memory is involved, and nothing of ours that is copied is flushed or freed twice.
    unsafe { libc::_exit(i32::from(status)) }
}

impl Worker {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until it has let go of everything of ours, which no disk can hold up, but no longer than `patience`.
    pub fn has_let_go(&mut self, patience: Duration) -> bool {
        let given_up_at = clock::boot_time().after(patience);
        loop {
            match self.birth.read(&mut [0]) {
                Ok(_) => return true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
            let remaining = given_up_at.since(clock::boot_time());
            if remaining.is_zero() {
                return false;
            }
            poll::until_ready(&[self.birth.as_fd()], Some(remaining));
        }
    }

    /// Waits for its end, but no longer than `patience`: it may wait for a disk. Reaps it then.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> Option<Outcome> {
        let flags: libc::c_uint = 0;
        // SAFETY: no memory is involved.
        let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, self.pid, flags) };
        // Before Linux 5.3 there is none; then the whole of a short patience is waited.
        let descriptor = own(i32::try_from(descriptor).unwrap_or(-1)).ok();
        let waits: Vec<BorrowedFd> = descriptor.iter().map(AsFd::as_fd).collect();
        poll::until_ready(&waits, Some(patience));
        self.try_reap()
    }

    /// Reaps it, if it has ended.
    #[must_use]
    pub fn try_reap(&self) -> Option<Outcome> {
        child::try_reap(self.pid)
    }
}

/// Both ends, closed on execution, the reading one not waiting.
fn pipe() -> io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: the pointer is to two integers, as pipe2(2) wants.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) })?;
    // Both are taken before one can fail.
    let [reading, writing] = ends.map(own);
    Ok((reading?.into(), writing?.into()))
}

/// Closes every descriptor, and fills the first three: no file may get their numbers.
fn let_go() -> io::Result<()> {
    // SAFETY: whatever is owned in this copy of our memory is not used again, but for what `work` opens.
    if unsafe { libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, 0) } == -1 {
        close_each(); // before Linux 5.9
    }
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?
        .into_raw_fd();
    for number in null + 1..=libc::STDERR_FILENO {
        // SAFETY: no memory is involved.
        check(unsafe { libc::dup2(null, number) })?;
    }
    std::env::set_current_dir("/")
}

fn close_each() {
    // SAFETY: no memory is involved.
    let highest = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) };
    for number in 0..i32::try_from(highest).unwrap_or(1024).clamp(256, 65_536) {
        // SAFETY: as for close_range above.
        unsafe { libc::close(number) };
    }
}
