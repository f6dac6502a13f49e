//! A child process: its changes, its end, and signals to it.

use crate::check;
use crate::signal;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// A child that has not been reaped. Until then, its pid and its group's number cannot be reused.
#[derive(Debug)]
pub struct Child {
    pid: libc::pid_t,
}

/// A change that waitid(2) reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A signal of this number stopped it.
    Stopped(i32),
    /// SIGCONT continued it.
    Continued,
    /// It has ended and can be reaped.
    Ended,
}

impl Child {
    pub(crate) fn new(pid: libc::pid_t) -> Self {
        Self { pid }
    }

    /// Its process id, and its group's number if it leads one.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The next change of its state, if there is one. An ended child stays unreaped.
    #[must_use]
    pub fn next_change(&self) -> Option<Change> {
        let job_control = libc::WSTOPPED | libc::WCONTINUED | libc::WNOHANG;
        while let Some(change) = wait(libc::P_PID, self.pid, job_control) {
            match change.code {
                libc::CLD_CONTINUED => return Some(Change::Continued),
                libc::CLD_STOPPED => return Some(Change::Stopped(change.status)),
                _ => {} // CLD_TRAPPED: the child is being traced (ptrace(2))
            }
        }
        wait(libc::P_PID, self.pid, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT).map(|_| Change::Ended)
    }

    /// Sends a signal to the process alone.
    ///
    /// # Errors
    /// The system's: it runs as another user.
    pub fn signal(&self, number: i32) -> io::Result<()> {
        signal::send(self.pid, number)
    }

    /// Sends a signal to the group it leads.
    ///
    /// # Errors
    /// The system's: every process of the group runs as another user.
    pub fn signal_group(&self, number: i32) -> io::Result<()> {
        signal::send(-self.pid, number)
    }

    /// Waits for its end and reaps it. `None` if it was reaped elsewhere.
    #[must_use]
    pub fn reap(self) -> Option<ExitStatus> {
        wait(libc::P_PID, self.pid, libc::WEXITED).map(|end| end.exit_status())
    }
}

/// Reaps every other child that has ended, and reports its pid and exit status: processes in the background, children of the
/// process that executed rcron, and, if rcron is PID 1, orphans.
pub fn reap_others(kept: &Child, mut report: impl FnMut(i32, ExitStatus)) {
    let all = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    while let Some(end) = wait(libc::P_ALL, 0, all) {
        if end.pid == kept.pid {
            return;
        }
        match try_reap(end.pid) {
            Some(status) => report(end.pid, status),
            None => return,
        }
    }
}

/// Reaps a child, if it has ended.
#[must_use]
pub fn try_reap(pid: i32) -> Option<ExitStatus> {
    wait(libc::P_PID, pid, libc::WEXITED | libc::WNOHANG).map(|end| end.exit_status())
}

struct Report {
    pid: libc::pid_t,
    code: libc::c_int,
    status: libc::c_int,
}

impl Report {
    /// waitid(2) reports code and number separately; the status of wait(2) has both in one word.
    fn exit_status(&self) -> ExitStatus {
        if self.code == libc::CLD_EXITED {
            ExitStatus::from_raw((self.status & 0xff) << 8)
        } else {
            ExitStatus::from_raw(self.status)
        }
    }
}

/// waitid(2); `None` if nothing is to be reported.
fn wait(kind: libc::idtype_t, pid: libc::pid_t, options: libc::c_int) -> Option<Report> {
    let id = libc::id_t::try_from(pid).ok()?;
    loop {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: the pointer is to a value that lives through the call.
        match check(unsafe { libc::waitid(kind, id, info.as_mut_ptr(), options) }) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
            Ok(_) => {
                // SAFETY: zeroed before, filled in if there was something to report.
                let info = unsafe { info.assume_init() };
                // SAFETY: waitid(2) fills the fields of SIGCHLD; without a report they are 0.
                let pid = unsafe { info.si_pid() };
                // SAFETY: as above.
                let status = unsafe { info.si_status() };
                return (pid != 0).then_some(Report {
                    pid,
                    code: info.si_code,
                    status,
                });
            }
        }
    }
}
