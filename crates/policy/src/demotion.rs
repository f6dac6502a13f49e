//! Ending a job when its server stops being the active one: SIGTERM first, SIGKILL after `kill_after`.

use crate::moment::BootTime;
use core::time::Duration;

/// The progress of the demotion. It is never undone: a job that got SIGTERM is ending, even if the state becomes active again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demotion {
    /// The job may run.
    #[default]
    None,
    /// SIGTERM was sent.
    Asked {
        /// When SIGKILL follows.
        kill_at: BootTime,
    },
    /// SIGKILL was sent.
    Forced,
}

/// The signal to send now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillStep {
    /// SIGTERM, and SIGCONT, without which a stopped job would not see it.
    Terminate,
    /// SIGKILL, for what is left of the group.
    Kill,
}

impl Demotion {
    /// Takes the next step, if it is time for one. `may_go_on`: whether the state lets the job run now.
    pub fn step(&mut self, may_go_on: bool, kill_after: Duration, now: BootTime) -> Option<KillStep> {
        match *self {
            Self::None if !may_go_on => {
                *self = Self::Asked {
                    kill_at: now.after(kill_after),
                };
                Some(KillStep::Terminate)
            }
            Self::Asked { kill_at } if now >= kill_at => {
                *self = Self::Forced;
                Some(KillStep::Kill)
            }
            _ => None,
        }
    }

    /// Whether the job has got SIGTERM; the log line of its end then contains `reason=demoted`.
    #[must_use]
    pub fn has_begun(self) -> bool {
        self != Self::None
    }

    /// Whether rcron may reap the job's leader, which has ended, and exit.
    ///
    /// A job that ended by itself may leave children behind, as without rcron. A demoted job may not: until its last process is gone
    /// or has got SIGKILL, the leader stays unreaped, so that the number of its process group is not reused.
    #[must_use]
    pub fn is_over(self, others_left: bool) -> bool {
        match self {
            Self::None | Self::Forced => true,
            Self::Asked { .. } => !others_left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> BootTime {
        BootTime(Duration::from_secs(seconds))
    }

    #[test]
    fn asks_once_then_forces_once() {
        let mut demotion = Demotion::None;
        for (may_go_on, now, step) in [
            (true, 0, None),
            (true, 5, None),
            (false, 6, Some(KillStep::Terminate)),
            (false, 7, None),
            (true, 8, None),
            (false, 15, None),
            (true, 16, Some(KillStep::Kill)),
            (false, 17, None),
        ] {
            assert_eq!(demotion.step(may_go_on, GRACE, at(now)), step, "at {now}");
        }
    }

    #[test]
    fn without_grace_the_kill_follows_at_once() {
        let mut demotion = Demotion::None;
        assert_eq!(demotion.step(false, Duration::ZERO, at(1)), Some(KillStep::Terminate));
        assert_eq!(demotion.step(false, Duration::ZERO, at(1)), Some(KillStep::Kill));
    }

    #[test]
    fn waits_for_the_whole_group_only_after_asking_it_to_end() {
        for (demotion, others_left, over) in [
            (Demotion::None, true, true),
            (Demotion::None, false, true),
            (Demotion::Asked { kill_at: at(1) }, true, false),
            (Demotion::Asked { kill_at: at(1) }, false, true),
            (Demotion::Forced, true, true),
        ] {
            assert_eq!(demotion.is_over(others_left), over, "{demotion:?} {others_left}");
        }
    }
}
