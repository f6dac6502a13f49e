//! Work that may be held up by a stalled disk, in a process of its own: nobody ever waits for it.
//!
//! A thread would not do: the kernel ends no process, of which a thread waits for a disk.

use crate::check;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::IntoRawFd;

/// Runs `work` in a process of its own, which ends with the status it returns. Returns the process's id; it is our child,
/// and wants to be reaped.
///
/// It has a copy of our memory and nothing else of ours: no descriptor (one who reads the other end of our stdout must
/// not wait for a disk) and no folder (a file system must not be busy for it). Our blocked signals are blocked in it.
///
/// # Errors
/// fork(2)'s: no more processes.
pub fn start(work: impl FnOnce() -> u8) -> io::Result<i32> {
    // SAFETY: this process has one thread, so that the copy is whole.
    let pid = check(unsafe { libc::fork() })?;
    if pid != 0 {
        return Ok(pid);
    }
    let status = if let_go().is_ok() { work() } else { u8::MAX };
    // SAFETY: no memory is involved, and nothing of ours that is copied is flushed or freed twice.
    unsafe { libc::_exit(i32::from(status)) }
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
