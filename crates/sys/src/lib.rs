//! The system calls of rcron.
//!
//! All `unsafe` code of the project is here, one call in each block, each with its reason. Nothing here knows rcron's domain or
//! decides anything. Linux only: other systems have no signalfd(2), timerfd_create(2) and inotify(7).

pub mod alarm;
pub mod background;
pub mod child;
pub mod clock;
pub mod environment;
pub mod file;
pub mod lock;
pub mod output;
pub mod poll;
pub mod process_tree;
pub mod random;
pub mod replace;
pub mod service_manager;
pub mod signal;
pub mod spawn;
pub mod stream;
pub mod syslog;
pub mod terminal;
pub mod watch;
pub mod zone;

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Turns the -1 of a system call into its `errno`.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Owns a new descriptor, and moves it if it is 0, 1 or 2: if rcron was started with one of these closed, it must stay closed for
/// the job, and a message to stderr must not be written to another file.
fn own(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the caller has just got it from the kernel, and does not use it any more.
    let owned = unsafe { OwnedFd::from_raw_fd(check(descriptor)?) };
    if owned.as_raw_fd() <= libc::STDERR_FILENO {
        return owned.try_clone(); // F_DUPFD_CLOEXEC from 3 on
    }
    Ok(owned)
}

/// Defines the C library's entry point, which calls `$main` with no argument and exits with the status it returns.
///
/// Rust's start-up code would change what the job inherits: it opens `/dev/null` for closed standard descriptors and ignores
/// SIGPIPE. `std::env` provides arguments and environment without it.
#[macro_export]
macro_rules! entry_point {
    ($main:path) => {
        // SAFETY: the one definition of the symbol in the program, with the signature that C wants.
        #[unsafe(no_mangle)]
        extern "C" fn main(_argc: i32, _argv: *const *const u8) -> i32 {
            i32::from($main())
        }
    };
}
