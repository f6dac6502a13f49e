//! Waiting for facts, never for a time to pass.

use crate::Result;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what anything here takes, on a slow machine that is shared too.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(1);

/// Waits until `fact` is there and returns it; fails at the deadline.
pub(crate) fn until<T>(what: &str, fact: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    within(DEADLINE, fact)?.ok_or_else(|| format!("waited in vain for {what}").into())
}

/// Waits until `fact` is there and returns it, or for `patience`.
pub(crate) fn within<T>(patience: Duration, mut fact: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let deadline = Instant::now() + patience;
    loop {
        let found = fact()?;
        if found.is_some() || Instant::now() > deadline {
            return Ok(found);
        }
        thread::sleep(GLANCE);
    }
}

/// Lets the time of a process's end be taken exactly, and yet not wait for ever: a thread that kills what takes too long.
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
                // The lock is held while it is killed, so that it cannot be reaped, nor its number be used again, before.
                let watched = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(watched) = watched.as_ref().filter(|one| Instant::now() > one.deadline) {
                    let _ = kill(watched.pid, Signal::SIGKILL);
                }
            }
        });
        Self(watched)
    }

    /// Waits for a child's end without looking again and again.
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
