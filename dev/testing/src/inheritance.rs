//! What the processes of a test inherit must not depend on how the test was started: under nohup(1) or nice(1), in the background of
//! a script, with small limits. (The signal mask needs no care: the standard library clears it for each child.)

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::fs;
use std::sync::Once;

/// What a system usually allows. More is not needed, and some daemons close every possible descriptor one by one.
const DESCRIPTORS: u64 = 1024;

/// Gives signals that the caller ignores their default action, and raises the soft limits. Called before any process is started.
pub(crate) fn normalize() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        sys::signal::stop_ignoring();
        for resource in [
            Resource::RLIMIT_AS,
            Resource::RLIMIT_CPU,
            Resource::RLIMIT_DATA,
            Resource::RLIMIT_FSIZE,
            Resource::RLIMIT_NPROC,
        ] {
            raise(resource, u64::MAX);
        }
        raise(Resource::RLIMIT_NOFILE, DESCRIPTORS);
    });
}

/// Raises the soft limit to `wanted`, as far as the hard limit allows.
fn raise(resource: Resource, wanted: u64) {
    let (soft, hard) = getrlimit(resource).expect("a limit");
    setrlimit(resource, soft.max(wanted.min(hard)), hard).expect("at most the hard limit");
}

/// The niceness of the test, and so of a job that keeps it. An ordinary user cannot lower it.
#[must_use]
pub fn niceness() -> i32 {
    let line = fs::read_to_string("/proc/thread-self/stat").expect("/proc");
    // Field 19 of proc_pid_stat(5); the name, which may contain blanks, ends before the third.
    let rest = line.rsplit(')').next().expect("fields");
    let field = rest.split_ascii_whitespace().nth(16);
    field.and_then(|niceness| niceness.parse().ok()).expect("a number")
}
