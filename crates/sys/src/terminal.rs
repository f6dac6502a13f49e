//! The controlling terminal: tty_ioctl(4), credentials(7).

use crate::{check, own};
use std::os::fd::{AsRawFd, OwnedFd};

/// The controlling terminal of our session.
#[derive(Debug)]
pub struct Terminal(OwnedFd);

impl Terminal {
    /// The controlling terminal, if there is one. Under cron there is none.
    #[must_use]
    pub fn controlling() -> Option<Self> {
        let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK | libc::O_CLOEXEC;
        // SAFETY: the string ends with NUL.
        own(unsafe { libc::open(c"/dev/tty".as_ptr(), flags) }).ok().map(Self)
    }

    /// Whether our process group is in the foreground: the terminal's keys signal it, and it may read.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        // SAFETY: no memory is involved.
        let own_group = unsafe { libc::getpgrp() };
        self.foreground() == Some(own_group)
    }

    /// Whether the process group of this number is in the foreground.
    #[must_use]
    pub fn belongs_to(&self, group: i32) -> bool {
        self.foreground() == Some(group)
    }

    /// Puts a process group in the foreground. The SIGTTOU that a background process gets for this is blocked.
    pub fn give_to(&self, group: i32) {
        // SAFETY: no memory is involved. It fails if the terminal is gone.
        let _ = check(unsafe { libc::tcsetpgrp(self.0.as_raw_fd(), group) });
    }

    /// Puts our process group in the foreground.
    pub fn take_back(&self) {
        // SAFETY: no memory is involved.
        self.give_to(unsafe { libc::getpgrp() });
    }

    fn foreground(&self) -> Option<i32> {
        // SAFETY: no memory is involved.
        check(unsafe { libc::tcgetpgrp(self.0.as_raw_fd()) }).ok()
    }
}
