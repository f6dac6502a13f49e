//! Work that a stalled disk may delay, in a process of its own, so that the caller need not wait for it.
//!
//! A thread would not do: a process cannot end while one of its threads waits for a disk.

use crate::child;
use crate::{check, clock, own, poll};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitStatus;
use std::time::Duration;

/// A process that works in the background.
#[derive(Debug)]
pub struct Worker {
    pid: i32,
    line: OwnedFd,
}

/// The worker's end of the message line to its parent.
#[derive(Debug)]
pub struct Line(OwnedFd);

/// Runs `work` in a child process, which exits with the status that `work` returns. The caller must reap it.
///
/// The worker has a copy of our memory and, once [`Worker::has_released_ours`], nothing else of ours: no descriptor, because whoever
/// reads our stdout must not wait for a disk and a lock of our caller must not outlive us; and no working directory, because the file
/// system must not stay busy. Our blocked signals are blocked in it, too.
///
/// # Errors
/// fork(2)'s and socketpair(2)'s: no more processes, no more descriptors.
pub fn start(work: impl FnOnce(&Line) -> u8) -> io::Result<Worker> {
    let (ours, theirs) = pair()?;
    // SAFETY: this process has one thread, so that the copy is whole.
    let pid = check(unsafe { libc::fork() })?;
    if pid != 0 {
        return Ok(Worker { pid, line: ours });
    }
    let status = match release_inherited(theirs) {
        Ok(line) => work(&line),
        Err(_) => u8::MAX,
    };
    // SAFETY: no memory is involved, and nothing of ours that is copied is flushed or freed twice.
    unsafe { libc::_exit(i32::from(status)) }
}

impl Worker {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends a message. Returns whether the worker receives it (unless it is killed); `false` after its [`Line::receive`] timed out.
    #[must_use]
    pub fn send(&self, message: &[u8]) -> bool {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: pointer and length are those of the slice.
        let sent = unsafe { libc::send(self.line.as_raw_fd(), message.as_ptr().cast(), message.len(), flags) };
        usize::try_from(sent) == Ok(message.len())
    }

    /// Waits until the worker has released everything of ours, at most for `patience`. No disk can delay this.
    pub fn has_released_ours(&self, patience: Duration) -> bool {
        receive(&self.line, &mut [0], 0, patience).is_some()
    }

    /// Waits for the worker's end, at most for `patience`, and reaps it.
    ///
    /// The worker closes its line shortly before it ends. We are awake by the time that the kernel has freed its memory.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> Option<ExitStatus> {
        let given_up_at = clock::since_boot().saturating_add(patience);
        let remaining = || given_up_at.saturating_sub(clock::since_boot());
        while receive(&self.line, &mut [0], 0, remaining())? > 0 {}
        self.try_reap().or_else(|| self.wait_for_exit(remaining()))
    }

    fn wait_for_exit(&self, patience: Duration) -> Option<ExitStatus> {
        let flags: libc::c_uint = 0;
        // SAFETY: no memory is involved.
        let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, self.pid, flags) };
        // Linux before 5.3 has no pidfd_open(2). Then this waits for the whole of `patience`.
        let descriptor = own(i32::try_from(descriptor).unwrap_or(-1)).ok();
        let waits: Vec<BorrowedFd> = descriptor.iter().map(AsFd::as_fd).collect();
        poll::until_ready(&waits, Some(patience));
        self.try_reap()
    }

    /// Reaps the worker, if it has ended.
    #[must_use]
    pub fn try_reap(&self) -> Option<ExitStatus> {
        child::try_reap(self.pid)
    }
}

impl Line {
    /// Waits for a message of up to `longest` bytes, at most for `patience`. Afterwards the line is closed: a message that was sent
    /// before is still received, a later one is rejected. `None` if there is no message.
    #[must_use]
    pub fn receive(&self, longest: usize, patience: Duration) -> Option<Vec<u8>> {
        // The length first: the pages of a buffer for the longest message would cost more than one more system call.
        let mut length = receive(&self.0, &mut [], libc::MSG_PEEK | libc::MSG_TRUNC, patience);
        if length.is_none() {
            // SAFETY: no memory is involved.
            unsafe { libc::shutdown(self.0.as_raw_fd(), libc::SHUT_RD) };
            length = receive(&self.0, &mut [], libc::MSG_PEEK | libc::MSG_TRUNC, Duration::ZERO);
        }
        let mut message = vec![0; length.unwrap_or_default().min(longest)];
        let received = receive(&self.0, &mut message, 0, Duration::ZERO);
        (received > Some(0)).then_some(message)
    }
}

/// The length of the next message, as recv(2) returns it with these flags; 0 if the other end is closed; `None` if none comes in time.
fn receive(line: &OwnedFd, buffer: &mut [u8], flags: libc::c_int, patience: Duration) -> Option<usize> {
    let given_up_at = clock::since_boot().saturating_add(patience);
    loop {
        // SAFETY: pointer and length are those of the buffer.
        let got = unsafe {
            libc::recv(
                line.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                flags | libc::MSG_DONTWAIT,
            )
        };
        let error = match usize::try_from(got) {
            Ok(length) => return Some(length),
            Err(_) => io::Error::last_os_error(),
        };
        if error.kind() != io::ErrorKind::WouldBlock {
            return Some(0);
        }
        let remaining = given_up_at.saturating_sub(clock::since_boot());
        if remaining.is_zero() {
            return None;
        }
        poll::until_ready(&[line.as_fd()], Some(remaining));
    }
}

/// Both ends of a message line, with the close-on-exec flag.
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: the pointer is to two integers, as socketpair(2) wants.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    // Both are owned before an error can return.
    let [one, other] = ends.map(own);
    Ok((one?, other?))
}

/// Closes every descriptor except the line, opens the first three so that no file gets their numbers, and notifies the parent.
fn release_inherited(line: OwnedFd) -> io::Result<Line> {
    let kept = line.as_raw_fd(); // above 2: see `own`
    let (below, above) = (0..kept, kept + 1..i32::MAX);
    for range in [below, above] {
        let (first, last) = (range.start, range.end - 1);
        // SAFETY: the owners of these descriptors, in this copy of our memory, are not used again.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == -1 {
            close_each(range); // before Linux 5.9
        }
    }
    // Nothing can be read from it or written to it. Unlike /dev/null, it is there in every root directory.
    let root = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open("/")?
        .into_raw_fd();
    for number in root + 1..=libc::STDERR_FILENO {
        // SAFETY: no memory is involved.
        check(unsafe { libc::dup2(root, number) })?;
    }
    std::env::set_current_dir("/")?;
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the pointer is to one byte, as the length says. The parent may not be listening any more.
    unsafe { libc::send(kept, [1].as_ptr().cast(), 1, flags) };
    Ok(Line(line))
}

fn close_each(range: std::ops::Range<i32>) {
    // SAFETY: no memory is involved.
    let highest = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) };
    let highest = i32::try_from(highest).unwrap_or(1024).clamp(256, 65_536);
    for number in range.start..range.end.min(highest) {
        // SAFETY: as for close_range above.
        unsafe { libc::close(number) };
    }
}
