//! The processes of a job: who gets its signals.

use policy::relay::GroupMode;
use std::io;
use sys::child::Child;
use sys::process_tree::{self, Process};
use sys::signal;

/// The job's leader and those that belong to it.
pub(crate) struct JobProcesses {
    pub(crate) leader: Child,
    pub(crate) group_mode: GroupMode,
    /// Where the job shares rcron's group: descendants that were seen, since orphans cannot be found again.
    seen: Vec<Process>,
}

impl JobProcesses {
    pub(crate) fn new(leader: Child, group_mode: GroupMode) -> Self {
        Self {
            leader,
            group_mode,
            seen: Vec::new(),
        }
    }

    /// Sends a signal to all of them.
    pub(crate) fn signal(&mut self, number: i32) -> io::Result<()> {
        match self.group_mode {
            GroupMode::OwnGroup => match self.leader.signal_group(number) {
                // It has moved to another group, and nobody is left in its own.
                Err(error) if error.raw_os_error() == Some(signal::NO_SUCH_PROCESS) => self.leader.signal(number),
                result => result,
            },
            // Not to the group: a shell script that rcron was called from may be in it.
            GroupMode::SharedGroup => self.signal_tree(number),
        }
    }

    /// Whether any but the leader is left. In doubt: yes.
    pub(crate) fn has_others(&self) -> bool {
        match self.group_mode {
            GroupMode::OwnGroup => process_tree::group_has_others(self.leader.pid()).unwrap_or(true),
            GroupMode::SharedGroup => self.seen.iter().any(|process| process.is_alive()),
        }
    }

    fn signal_tree(&mut self, number: i32) -> io::Result<()> {
        for root in std::iter::once(self.leader.pid()).chain(self.living()) {
            for process in process_tree::descendants(root) {
                if !self.seen.contains(&process) {
                    self.seen.push(process);
                }
            }
        }
        // The leader first: a shell would start its next command when the one before is gone.
        let result = self.leader.signal(number);
        for pid in self.living() {
            let _ = signal::send(pid, number); // the next moment it may be gone
        }
        result
    }

    fn living(&self) -> Vec<i32> {
        self.seen
            .iter()
            .filter(|process| process.is_alive())
            .map(|process| process.pid)
            .collect()
    }
}
