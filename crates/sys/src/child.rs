//! The job's process: what has become of it, and signals to it.

use crate::check;
use crate::signal;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// A child that has not been reaped. Its pid, and its group's number, cannot be used again before.
#[derive(Debug)]
pub struct Child {
    pid: libc::pid_t,
}

/// What waitid(2) tells of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A signal of this number stopped it.
    Stopped(i32),
    /// SIGCONT woke it.
    Continued,
    /// It has ended, and waits to be reaped.
    Ended,
}

impl Child {
    pub(crate) fn new(pid: libc::pid_t) -> Self {
        Self { pid }
    }

    /// Its process id, and its group's where it leads one.
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
                _ => {} // CLD_TRAPPED: it asked to be traced (ptrace(2)), which is not for us
            }
        }
        wait(libc::P_PID, self.pid, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT).map(|_| Change::Ended)
    }

    /// Sends a signal to it alone.
    ///
    /// # Errors
    /// The system's: the job runs as another user.
    pub fn signal(&self, number: i32) -> io::Result<()> {
        signal::send(self.pid, number)
    }

    /// Sends a signal to the group it leads.
    ///
    /// # Errors
    /// The system's: all of the group run as another user.
    pub fn signal_group(&self, number: i32) -> io::Result<()> {
        signal::send(-self.pid, number)
    }

    /// Waits for its end if need be, and reaps it. `None` if it was reaped elsewhere, which nothing in rcron does.
    #[must_use]
    pub fn reap(self) -> Option<ExitStatus> {
        wait(libc::P_PID, self.pid, libc::WEXITED).map(|end| end.exit_status())
    }
}

/// Reaps children that are not the job, and reports each by pid and exit status: those that work in the background, those that
/// whoever executed rcron had already, and orphans where rcron is PID 1.
pub fn reap_others(job: &Child, mut report: impl FnMut(i32, ExitStatus)) {
    let all = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    while let Some(end) = wait(libc::P_ALL, 0, all) {
        if end.pid == job.pid {
            return;
        }
        match try_reap(end.pid) {
            Some(status) => report(end.pid, status),
            None => return,
        }
    }
}

/// Reaps a child of this number, if it has ended.
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
    /// Of a child that has ended: waitid(2) reports code and number apart, wait(2)'s status has both in one word.
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
