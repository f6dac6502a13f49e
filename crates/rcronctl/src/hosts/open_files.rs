//! How many files may be open at the same time: getrlimit(2).

use super::MOST_AT_ONCE;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;

/// Files that do not depend on the number of servers: stdout, journals, the connection to rcrond.
const OTHERS: usize = 64;
/// While ssh is started, both ends of its pipes are open, and what std needs to learn of a failure.
const OF_CONNECTION: usize = 8;

/// What to do if the limit cannot be raised so far.
pub(super) const TOO_MANY: &str =
    "too many files are open at the same time: raise the limit (ulimit -n), or name fewer servers at once";

/// Raises the soft limit to what so many servers need, or to the hard limit. The records of each stay open to the end.
pub(super) fn raise_limit(servers: usize) {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    let wanted = needed(servers).min(hard);
    if soft < wanted {
        // If this fails, servers that are not read have a message.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
    }
}

/// Whether the limit is the reason: that of this process, or that of the system.
pub(super) fn is_limit(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::EMFILE, Errno::ENFILE]
        .iter()
        .any(|limit| code == Some(*limit as i32))
}

fn needed(servers: usize) -> u64 {
    (OTHERS + servers + OF_CONNECTION * servers.min(MOST_AT_ONCE)) as u64
}
