//! Messages to the standard streams.

use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// How many milliseconds a message waits for a reader of stderr: a job must not wait for a stuck terminal.
const PATIENCE: libc::c_int = 200;
/// Whether stderr was once not writable in time: then it is not written to again.
static IS_STUCK: AtomicBool = AtomicBool::new(false);
/// POSIX: a pipe that poll(2) reports as writable takes this many bytes without waiting.
const PIPE_BUF: usize = 4096;

/// Writes to stderr as far as that is possible without waiting for long. A closed stderr is not an error.
pub fn to_stderr(text: &[u8]) {
    if IS_STUCK.load(Relaxed) {
        return;
    }
    for chunk in text.chunks(PIPE_BUF) {
        let mut stderr = libc::pollfd {
            fd: libc::STDERR_FILENO,
            events: libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: the pointer is to one pollfd, as the count says.
        let ready = unsafe { libc::poll(&raw mut stderr, 1, PATIENCE) };
        if ready != 1 || stderr.revents & libc::POLLOUT == 0 || !write_all(libc::STDERR_FILENO, chunk) {
            IS_STUCK.store(true, Relaxed);
            return;
        }
    }
}

/// Whether stderr is connected to systemd's journal. `$JOURNAL_STREAM` has the device and inode of that socket (systemd.exec(5)); a
/// shell in between may have redirected stderr.
#[must_use]
pub fn stderr_is_the_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let stderr = std::fs::metadata("/proc/self/fd/2");
    stderr.is_ok_and(|stderr| format!("{}:{}", stderr.dev(), stderr.ino()) == stream)
}

/// Writes all of `text` to stdout.
///
/// # Errors
/// The system's, such as a full disk.
pub fn to_stdout(text: &[u8]) -> io::Result<()> {
    if write_all(libc::STDOUT_FILENO, text) {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The system's text for an error, without Rust's "(os error N)".
#[must_use]
pub fn error_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Not `std::io::stderr`, which takes a lock, and pretends that a write to a closed descriptor succeeded.
fn write_all(descriptor: RawFd, mut text: &[u8]) -> bool {
    while !text.is_empty() {
        // SAFETY: pointer and length are those of the slice.
        let written = unsafe { libc::write(descriptor, text.as_ptr().cast(), text.len()) };
        match usize::try_from(written) {
            Ok(written) => text = &text[written..],
            Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}
