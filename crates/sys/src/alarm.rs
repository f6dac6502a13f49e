//! A timer on the boot clock, timerfd_create(2): it also counts the time for which the machine is suspended.

use crate::{check, own};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

/// The timer, as a file to poll.
#[derive(Debug)]
pub struct Alarm(File);

impl Alarm {
    /// A timer that is not set.
    ///
    /// # Errors
    /// The system's: no descriptors left.
    pub fn new() -> io::Result<Self> {
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: no memory is involved.
        own(unsafe { libc::timerfd_create(libc::CLOCK_BOOTTIME, flags) }).map(|descriptor| Self(descriptor.into()))
    }

    /// Sets the time since boot, which may be in the past, at which the timer expires; `None` disarms it.
    pub fn set(&self, at: Option<Duration>) {
        let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let at = at.map_or(never, |at| libc::timespec {
            tv_sec: libc::time_t::try_from(at.as_secs()).unwrap_or(libc::time_t::MAX),
            // Zero would disarm the timer.
            tv_nsec: libc::c_long::from(at.subsec_nanos().max(1)),
        });
        let value = libc::itimerspec {
            it_interval: never,
            it_value: at,
        };
        let descriptor = self.0.as_raw_fd();
        // SAFETY: the pointer is to a value that lives through the call. It cannot fail for a time of this form.
        let _ = check(unsafe {
            libc::timerfd_settime(
                descriptor,
                libc::TFD_TIMER_ABSTIME,
                &raw const value,
                std::ptr::null_mut(),
            )
        });
    }

    /// Makes the timer unreadable again after it expired.
    pub fn acknowledge(&mut self) {
        let _ = self.0.read(&mut [0; 8]);
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
