//! Waiting for facts instead of fixed times.

use crate::Result;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than anything here takes, even on a slow and busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(1);

/// Waits until `fact` returns something, and returns that.
///
/// # Errors
/// At the deadline.
pub(crate) fn until<T>(what: &str, fact: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    within(DEADLINE, fact)?.ok_or_else(|| format!("timed out waiting for {what}").into())
}

/// Waits until `fact` returns something, and returns that; `None` after `patience`.
pub(crate) fn within<T>(patience: Duration, mut fact: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let deadline = Instant::now() + patience;
    loop {
        let found = fact()?;
        if found.is_some() || Instant::now() > deadline {
            return Ok(found);
        }
        thread::sleep(INTERVAL);
    }
}

/// A thread that kills a process which takes too long. So another thread can wait in waitid(2), which gives the exact time of the end.
pub(crate) struct Watchdog(Arc<Mutex<Option<Watched>>>);

struct Watched {
    pid: Pid,
    deadline: Instant,
}

impl Watchdog {
    pub(crate) fn start() -> Self {
        let watched = Arc::new(Mutex::new(None::<Watched>));
        let shared = Arc::clone(&watched);
        thread::spawn(move || {
            loop {
                thread::sleep(Duration::from_secs(1));
                // The lock is held meanwhile, so that the process is not reaped and its pid is not reused before kill(2).
                let watched = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(watched) = watched.as_ref().filter(|one| Instant::now() > one.deadline) {
                    let _ = kill(watched.pid, Signal::SIGKILL);
                }
            }
        });
        Self(watched)
    }

    /// Waits for a child's end without polling.
    pub(crate) fn wait(&self, child: &mut Child) -> Result<ExitStatus> {
        let pid = Pid::from_raw(child.id().try_into()?);
        let deadline = Instant::now() + DEADLINE;
        self.watch(Some(Watched { pid, deadline }));
        let ended = loop {
            match waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
                Err(Errno::EINTR) => {}
                other => break other,
            }
        };
        self.watch(None);
        ended?;
        Ok(child.wait()?)
    }

    fn watch(&self, watched: Option<Watched>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = watched;
    }
}
