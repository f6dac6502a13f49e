//! Who has sent a request.

use crate::claims::{Found, Users};
use policy::display::clipped;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// A name service that hangs must not delay a drain for longer; it then has numbers in the place of names.
const NAME_LIMIT: Duration = Duration::from_secs(1);
/// The kernel's value for a process that no login has started.
const NO_LOGIN: u32 = u32::MAX;

/// The process at the other end, according to the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) uid: u32,
    /// `None` or 0 if it is in a namespace that this process does not see.
    pub(super) pid: Option<i32>,
}

impl Peer {
    /// `anna`, or `root (login anna)` for a user who has become root by sudo(8) or su(1).
    pub(super) async fn description(self, users: &Users) -> String {
        let login = self.pid.and_then(|pid| login(Path::new("/proc"), pid));
        describe(self.uid, login, users).await
    }
}

async fn describe(uid: u32, login: Option<u32>, users: &Users) -> String {
    let name = name(uid, users).await;
    match login.filter(|login| *login != uid) {
        Some(login) => format!("{name} (login {})", self::name(login, users).await),
        None => name,
    }
}

async fn name(uid: u32, users: &Users) -> String {
    match timeout(NAME_LIMIT, users.find(uid)).await {
        Ok(Found::Name(name)) => clipped(name.as_bytes()),
        Ok(Found::Nobody | Found::NoAnswer) | Err(_) => format!("user {uid}"),
    }
}

/// The user who had logged in: proc_pid_loginuid(5). It stays the same when a process becomes another user's.
fn login(proc: &Path, pid: i32) -> Option<u32> {
    let text = fs::read_to_string(proc.join(pid.to_string()).join("loginuid")).ok()?;
    text.trim_end().parse().ok().filter(|login| *login != NO_LOGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_is_named_if_it_is_another_user() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let users = Users::new();
            for (uid, login, expected) in [
                (0, None, "root"),
                (0, Some(0), "root"),
                (4_294_000_001, Some(0), "user 4294000001 (login root)"),
                (0, Some(4_294_000_001), "root (login user 4294000001)"),
            ] {
                assert_eq!(describe(uid, login, &users).await, expected);
            }
        });
    }

    #[test]
    fn a_process_without_a_login_has_none() {
        let proc = tempfile::tempdir().expect("a directory");
        fs::create_dir(proc.path().join("7")).expect("made");
        for (text, expected) in [("1000", Some(1000)), ("0\n", Some(0)), ("4294967295", None), ("", None)] {
            fs::write(proc.path().join("7/loginuid"), text).expect("written");
            assert_eq!(login(proc.path(), 7), expected, "{text:?}");
        }
        assert_eq!(
            login(proc.path(), 8),
            None,
            "the kernel has no audit, or the process has ended"
        );
    }
}
