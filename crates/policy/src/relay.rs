//! Which signals that reach rcron are passed on to the job.

/// The process group of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupMode {
    /// The job leads a process group of its own.
    OwnGroup,
    /// The job is in rcron's group, because rcron is in the foreground of a terminal: the terminal's keys reach both.
    SharedGroup,
}

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel: a terminal's key or hangup, a timer, a limit.
    Kernel,
    /// A process, with kill(2) or a similar call.
    Process,
    /// rcron itself, which sent it to its own group.
    Myself,
}

/// The kinds of signals that are treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SIGCHLD.
    Child,
    /// SIGCONT.
    Continue,
    /// SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGWINCH, SIGTTIN, SIGTTOU: the kernel sends these for the terminal, to the whole
    /// foreground group.
    Terminal,
    /// Any other signal. The kernel sends it to rcron alone, such as for an alarm(2) set before rcron was executed.
    Other,
}

/// Whether a signal is passed on.
///
/// `stopped`: whether the job is stopped now. If SIGCONT went to the group of both, the job has already continued.
#[must_use]
pub fn is_passed_on(kind: Kind, sender: Sender, group_mode: GroupMode, stopped: bool) -> bool {
    match (kind, sender, group_mode) {
        (_, Sender::Myself, _) | (Kind::Child, Sender::Kernel, _) => false,
        (Kind::Continue, _, GroupMode::SharedGroup) => stopped,
        (Kind::Terminal, Sender::Kernel, group_mode) => group_mode == GroupMode::OwnGroup,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_reaches_the_job_once() {
        use GroupMode::{OwnGroup, SharedGroup};
        use Kind::{Child, Continue, Other, Terminal};
        use Sender::{Kernel, Myself, Process};
        for (kind, sender, group_mode, stopped, passed_on) in [
            (Other, Process, OwnGroup, false, true),
            (Other, Process, SharedGroup, false, true),
            (Other, Kernel, OwnGroup, false, true),
            (Terminal, Kernel, OwnGroup, false, true),
            (Terminal, Kernel, SharedGroup, false, false),
            (Terminal, Process, SharedGroup, false, true),
            (Other, Kernel, SharedGroup, false, true),
            (Other, Myself, OwnGroup, false, false),
            (Other, Myself, SharedGroup, false, false),
            (Child, Kernel, OwnGroup, false, false),
            (Child, Process, OwnGroup, false, true),
            (Continue, Process, OwnGroup, false, true),
            (Continue, Process, OwnGroup, true, true),
            (Continue, Process, SharedGroup, false, false),
            (Continue, Process, SharedGroup, true, true),
            (Continue, Kernel, SharedGroup, true, true),
        ] {
            assert_eq!(
                is_passed_on(kind, sender, group_mode, stopped),
                passed_on,
                "{kind:?} {sender:?} {group_mode:?} {stopped}"
            );
        }
    }
}
