//! Stops a process at the one moment that a test is about, by ptrace(2).

use super::process::Running;
use super::until;
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::io::Write;
use std::process::{Command, Stdio};

/// A child that rcron has created to become the job. It stands still, and so does rcron, until [`HeldChild::release`].
pub(crate) struct HeldChild {
    rcron: Running,
    child: Pid,
}

impl HeldChild {
    /// Starts rcron and holds the child that it creates. `None` if rcron ends without creating one.
    pub(crate) fn of(rcron: &Command) -> Option<Self> {
        // The shell waits until it is traced, and then becomes rcron.
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "read go; exec \"$0\" \"$@\""])
            .arg(rcron.get_program());
        shell.args(rcron.get_args()).stdin(Stdio::piped());
        let mut rcron = Running::start(shell.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let pid = Pid::from_raw(rcron.pid());
        // clone(2) with CLONE_VFORK is reported as a vfork.
        ptrace::seize(pid, Options::PTRACE_O_TRACEVFORK).expect("traced");
        let go = rcron.0.stdin.take();
        go.expect("piped").write_all(b"\n").expect("written");
        // The exit status is left for the caller.
        if !until("rcron's child, or its end", || stands_still(pid, WaitPidFlag::WNOWAIT)) {
            return None;
        }
        assert_eq!(stands_still(pid, WaitPidFlag::empty()), Some(true));
        let child = ptrace::getevent(pid).expect("the number of the new child");
        let child = Pid::from_raw(i32::try_from(child).expect("a pid"));
        let stopped = until("the child to stand still", || stands_still(child, WaitPidFlag::empty()));
        assert!(stopped, "the child has ended");
        ptrace::detach(pid, None).expect("detached");
        Some(Self { rcron, child })
    }

    /// Lets the child go on.
    pub(crate) fn release(self) -> Running {
        ptrace::detach(self.child, None).expect("detached");
        self.rcron
    }
}

/// What waitid(2) reports of the process: `Some(true)` if it stands still, `Some(false)` if it has ended; `None` if nothing yet.
fn stands_still(pid: Pid, flags: WaitPidFlag) -> Option<bool> {
    let flags = flags | WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
    match waitid(Id::Pid(pid), flags).expect("a process of this test") {
        WaitStatus::StillAlive => None,
        WaitStatus::PtraceEvent(..) => Some(true),
        WaitStatus::Exited(..) | WaitStatus::Signaled(..) => Some(false),
        other => panic!("{other:?}"),
    }
}
