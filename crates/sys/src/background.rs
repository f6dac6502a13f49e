//! Work that may be held up by a stalled disk, in a process of its own: nobody waits for it for long.
//!
//! A thread would not do: the kernel ends no process of which a thread waits for a disk.

use crate::child;
use crate::{check, clock, own, poll};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::process::ExitStatus;
use std::time::Duration;

/// A process that works in the background.
#[derive(Debug)]
pub struct Worker {
    pid: i32,
    line: OwnedFd,
}

/// The worker's end of the line to us.
#[derive(Debug)]
pub struct Line(OwnedFd);

/// Runs `work` in a process of its own, which ends with the status it returns. It is our child, and wants to be reaped.
///
/// It has a copy of our memory and, once [`Worker::has_released_ours`], nothing else of ours: no descriptor (one who reads the other end
/// of our stdout must not wait for a disk, and a lock of our caller's must not outlive us) and no directory (a file system must not
/// be busy for it). Our blocked signals are blocked in it.
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

    /// Gives it a message, which it has then for certain, unless it is killed. `false` if it takes none any more.
    #[must_use]
    pub fn send(&self, message: &[u8]) -> bool {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: pointer and length are those of the slice.
        let sent = unsafe { libc::send(self.line.as_raw_fd(), message.as_ptr().cast(), message.len(), flags) };
        usize::try_from(sent) == Ok(message.len())
    }

    /// Waits until it has let go of everything of ours, which no disk can hold up, but no longer than `patience`.
    pub fn has_released_ours(&self, patience: Duration) -> bool {
        receive(&self.line, &mut [0], patience).is_some()
    }

    /// Waits for its end, but no longer than `patience`: it may wait for a disk. Reaps it then.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> Option<ExitStatus> {
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
    pub fn try_reap(&self) -> Option<ExitStatus> {
        child::try_reap(self.pid)
    }
}

impl Line {
    /// Waits for a message of up to `longest` bytes, and takes none after `patience`: what was sent until then is received, and
    /// what is sent later is refused. `None` if there is none.
    #[must_use]
    pub fn receive(&self, longest: usize, patience: Duration) -> Option<Vec<u8>> {
        let mut message = vec![0; longest];
        let mut length = receive(&self.0, &mut message, patience);
        if length.is_none() {
            // SAFETY: no memory is involved.
            unsafe { libc::shutdown(self.0.as_raw_fd(), libc::SHUT_RD) };
            length = receive(&self.0, &mut message, Duration::ZERO);
        }
        message.truncate(length.unwrap_or_default());
        (!message.is_empty()).then_some(message)
    }
}

/// The length of what has come; 0 if nothing will any more.
fn receive(line: &OwnedFd, buffer: &mut [u8], patience: Duration) -> Option<usize> {
    let given_up_at = clock::since_boot().saturating_add(patience);
    loop {
        // SAFETY: pointer and length are those of the buffer.
        let got = unsafe {
            libc::recv(
                line.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                libc::MSG_DONTWAIT,
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

/// Both ends of a line of messages, closed on execution.
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: the pointer is to two integers, as socketpair(2) wants.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    // Both are taken before one can fail.
    let [one, other] = ends.map(own);
    Ok((one?, other?))
}

/// Closes every descriptor but the line, fills the first three (no file may get their numbers), and says so.
fn release_inherited(line: OwnedFd) -> io::Result<Line> {
    let kept = line.as_raw_fd(); // above 2: see `own`
    let (below, above) = (0..kept, kept + 1..i32::MAX);
    for range in [below, above] {
        let (first, last) = (range.start, range.end - 1);
        // SAFETY: whatever is owned in this copy of our memory is not used again, but for what `work` opens.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == -1 {
            close_each(range); // before Linux 5.9
        }
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
    std::env::set_current_dir("/")?;
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the pointer is to one byte, as the length says. Nobody may listen any more.
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
