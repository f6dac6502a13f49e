//! The processes of a job, and signals to them.

use policy::relay::GroupMode;
use std::io;
use sys::child::Child;
use sys::process_tree::{self, Process};
use sys::signal;

/// The job's leader, and the processes that belong to it.
pub(crate) struct JobProcesses {
    /// The process that rcron started; its number is the group's, too, where the job has a group of its own.
    pub(crate) leader: Child,
    pub(crate) group_mode: GroupMode,
    /// Where the job shares rcron's group: every descendant found so far. An orphan could not be found again.
    descendants: Vec<Process>,
}

impl JobProcesses {
    pub(crate) fn new(leader: Child, group_mode: GroupMode) -> Self {
        Self {
            leader,
            group_mode,
            descendants: Vec::new(),
        }
    }

    /// Sends a signal to all processes of the job.
    ///
    /// # Errors
    /// Those of kill(2) for the leader or its group.
    pub(crate) fn signal(&mut self, number: i32) -> io::Result<()> {
        match self.group_mode {
            GroupMode::OwnGroup => match self.leader.signal_group(number) {
                // The leader has moved to another group, and no process is left in its own.
                Err(error) if error.raw_os_error() == Some(signal::NO_SUCH_PROCESS) => self.leader.signal(number),
                result => result,
            },
            // Not to the group: the shell script that called rcron may be in it.
            GroupMode::SharedGroup => self.signal_tree(number),
        }
    }

    /// Whether a process other than the leader is left; `true` if that cannot be found out.
    pub(crate) fn has_others(&self) -> bool {
        match self.group_mode {
            GroupMode::OwnGroup => process_tree::group_has_others(self.leader.pid()).unwrap_or(true),
            GroupMode::SharedGroup => self.descendants.iter().any(|process| process.is_alive()),
        }
    }

    fn signal_tree(&mut self, number: i32) -> io::Result<()> {
        for root in std::iter::once(self.leader.pid()).chain(self.living()) {
            for process in process_tree::descendants(root) {
                if !self.descendants.contains(&process) {
                    self.descendants.push(process);
                }
            }
        }
        // The leader first: a shell would start its next command when the current one is gone.
        let result = self.leader.signal(number);
        for pid in self.living() {
            let _ = signal::send(pid, number); // it may be gone by now
        }
        result
    }

    fn living(&self) -> Vec<i32> {
        self.descendants
            .iter()
            .filter(|process| process.is_alive())
            .map(|process| process.pid)
            .collect()
    }
}
