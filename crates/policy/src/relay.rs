//! Which of the signals that reach rcron are passed on to the job.

/// Where the job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupMode {
    /// The job leads a process group of its own.
    OwnGroup,
    /// rcron is in the foreground of a terminal and the job stays in its process group, so that the terminal's
    /// keys reach both.
    SharedGroup,
}

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel: a terminal's keys or its end, a timer, a limit.
    Kernel,
    /// A process, by kill(2) or its like.
    Process,
    /// rcron itself, by way of its group.
    Myself,
}

/// The kinds of signal that need thought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SIGCHLD.
    Child,
    /// SIGCONT.
    Continue,
    /// SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGWINCH, SIGTTIN, SIGTTOU: where the kernel sends one of these, it is the terminal,
    /// and the whole foreground group gets it.
    Terminal,
    /// Any other. From the kernel it is for rcron alone: an alarm(2) that was set before rcron was executed.
    Other,
}

/// Whether a signal is passed on.
///
/// `stopped` is whether the job is stopped now: a SIGCONT to a group that the job is in has woken it already.
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
