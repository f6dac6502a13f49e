//! The namespaces that all hosts of a lab share.

use super::in_new_thread;
use crate::wait::until;
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

/// The first process makes the mounts, and then only waits. Messages for the machine's log are dropped, and /dev/shm is a
/// mount of the lab's own, because libfaketime leaves shared memory behind.
const FIRST: &str = r#"
set -e
[ ! -e /dev/log ] || mount --bind /dev/null /dev/log
mount -t tmpfs none /dev/shm
eval "$BOOT"
exec env --ignore-signal=CHLD sleep infinity
"#;

/// The mounts, the processes and the network of the switch. All processes end with the first one.
pub(super) struct Namespaces {
    unshare: Child,
    mounts: File,
    processes: File,
    switch: File,
}

impl Namespaces {
    pub(super) fn new(boot: &str) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--fork", "--kill-child"]);
        command.args(["--net", "--mount", "--pid", "--mount-proc", "sh", "-c", FIRST]);
        let mut unshare = command
            .env("BOOT", boot)
            .stdin(Stdio::null())
            .spawn()
            .expect("setpriv and unshare of util-linux");
        let list = format!("/proc/{0}/task/{0}/children", unshare.id());
        let pid: i32 = until("the lab's first process, which has made its mounts", || {
            let ended = unshare.try_wait().expect("a child");
            assert!(ended.is_none(), "no lab: {ended:?}");
            let pid = fs::read_to_string(&list)
                .ok()?
                .split_whitespace()
                .next()?
                .parse()
                .ok()?;
            (crate::process::name(pid) == "sleep").then_some(pid)
        });
        let namespace = |kind| File::open(format!("/proc/{pid}/ns/{kind}")).expect("/proc");
        Self {
            unshare,
            mounts: namespace("mnt"),
            processes: namespace("pid"),
            switch: namespace("net"),
        }
    }

    /// Runs `act` in these namespaces. What it starts is one of the lab's processes.
    pub(super) fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        in_new_thread(|| {
            self.enter();
            act()
        })
    }

    /// Moves the calling thread into these namespaces for the rest of its life.
    pub(super) fn enter(&self) {
        // A thread that shares root and working directory with other threads cannot enter a mount namespace: setns(2).
        unshare(CloneFlags::CLONE_FS).expect("a directory of the thread's own");
        for (namespace, kind) in [
            (&self.switch, CloneFlags::CLONE_NEWNET),
            (&self.processes, CloneFlags::CLONE_NEWPID),
            (&self.mounts, CloneFlags::CLONE_NEWNS),
        ] {
            setns(namespace, kind).expect("root");
        }
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}
