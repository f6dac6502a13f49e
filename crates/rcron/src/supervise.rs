//! From the job's start to its end: passes signals on, ends the job if the state requires it, and waits for it.

use crate::claim::HeldClaim;
use crate::guard::Guard;
use crate::job_processes::JobProcesses;
use crate::journal::Journal;
use crate::log::Log;
use policy::demotion::{Demotion, KillStep};
use policy::exit::{FAILED, Outcome};
use policy::relay::{self, GroupMode, Kind, Sender};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use sys::child::{self, Change};
use sys::output::error_text;
use sys::poll;
use sys::signal::{
    self, Arrived, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH,
    Signals,
};
use sys::terminal::Terminal;

/// A running job, and everything that rcron waits for meanwhile.
pub(crate) struct Supervision<'a, 'j, 'c> {
    pub(crate) processes: JobProcesses,
    pub(crate) signals: Signals,
    /// `None` unless `on_demotion = terminate`.
    pub(crate) guard: Option<Guard<'a>>,
    /// The controlling terminal. A job without one cannot be stopped by its keys.
    pub(crate) terminal: Option<Terminal>,
    pub(crate) log: &'a mut Log,
    pub(crate) journal: &'a mut Journal<'j>,
    /// `None` unless `once_per_tick`.
    pub(crate) claim: Option<&'a mut HeldClaim<'c>>,
    /// Whether the job is stopped now.
    pub(crate) stopped: bool,
}

/// How a run ended.
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    /// Whether rcron ended the job because the state was no longer active.
    pub(crate) demoted: bool,
}

impl Supervision<'_, '_, '_> {
    /// Returns when the job has ended.
    pub(crate) fn until_end(mut self) -> End {
        while !self.has_ended() {
            child::reap_others(&self.processes.leader, |pid, status| {
                self.journal.child_reaped(pid, status, self.log);
            });
            self.wait_for_event();
            self.log.retry();
            if let Some(claim) = &mut self.claim {
                claim.keep();
            }
            // Before a SIGCONT is passed on: a job that was demoted while it was stopped must not continue first.
            self.enforce_state();
            self.pass_signals_on();
        }
        if let Some(terminal) = self
            .terminal
            .filter(|terminal| terminal.belongs_to(self.processes.leader.pid()))
        {
            terminal.take_back();
        }
        let demoted = self.guard.is_some_and(|guard| guard.demotion().has_begun());
        End {
            outcome: self.processes.leader.reap().map_or(Outcome::Exited(FAILED), outcome),
            demoted,
        }
    }

    /// Waits for a signal, for the guard, for the claim, or until it is time to retry a log line.
    fn wait_for_event(&self) {
        let guard = self.guard.iter().flat_map(Guard::waits_for);
        let claim = self.claim.iter().filter_map(|claim| claim.waits_for());
        let waits: Vec<BorrowedFd> = std::iter::once(self.signals.as_fd())
            .chain(guard)
            .chain(claim)
            .collect();
        let retry = self.claim.as_ref().and_then(|claim| claim.patience());
        poll::until_ready(&waits, self.log.patience().into_iter().chain(retry).min());
    }

    /// Notices the job's changes. Returns whether rcron may reap the job and end.
    fn has_ended(&mut self) -> bool {
        let demotion = self.guard.as_ref().map_or(Demotion::None, Guard::demotion);
        self.notice_changes() && demotion.is_over(demotion.has_begun() && self.processes.has_others())
    }

    /// Follows the leader when it stops or continues. Returns whether it has ended.
    fn notice_changes(&mut self) -> bool {
        while let Some(change) = self.processes.leader.next_change() {
            match change {
                Change::Ended => return true,
                Change::Continued => self.stopped = false,
                Change::Stopped(number) => {
                    self.stopped = true;
                    self.stop_with_job(number);
                }
            }
        }
        false
    }

    /// Stops rcron as the job was stopped: a shell with job control returns to its prompt only then.
    ///
    /// Without a terminal rcron keeps running: if only the job is continued or killed, nothing would wake rcron.
    fn stop_with_job(&mut self, number: i32) {
        let leader = self.processes.leader.pid();
        let Some(terminal) = &self.terminal else {
            return;
        };
        let wants_terminal = matches!(number, SIGTTIN | SIGTTOU) && self.processes.group_mode == GroupMode::OwnGroup;
        if wants_terminal && terminal.is_ours() {
            // The user typed `fg` before the job wanted to read, and the shell sends no SIGCONT to a running process.
            terminal.give_to(leader);
            let _ = self.processes.signal(SIGCONT);
            return;
        }
        if terminal.belongs_to(leader) {
            terminal.take_back();
        }
        signal::stop(number);
    }

    fn pass_signals_on(&mut self) {
        while let Some(arrived) = self.signals.receive() {
            let leader_ended = self.notice_changes();
            let passed_on = relay::is_passed_on(
                kind(arrived.number),
                sender(arrived.sender),
                self.processes.group_mode,
                self.stopped,
            );
            if passed_on && !leader_ended {
                self.pass_on(arrived);
            }
        }
    }

    fn pass_on(&mut self, arrived: Arrived) {
        if kind(arrived.number) == Kind::Continue {
            self.follow_into_foreground();
        }
        // It fails if the job runs as another user. Then the sender could not have signalled the job either.
        let _ = self.processes.signal(arrived.number);
    }

    /// A shell's `fg` has put rcron's process group in the foreground. A job in its own group must be there instead.
    fn follow_into_foreground(&self) {
        if let (Some(terminal), GroupMode::OwnGroup) = (&self.terminal, self.processes.group_mode) {
            if terminal.is_ours() {
                terminal.give_to(self.processes.leader.pid());
            }
        }
    }

    /// Sends the job the signal that the guard requires.
    fn enforce_state(&mut self) {
        let step = self.guard.as_mut().and_then(Guard::check_state);
        if let Some(obstacle) = self.guard.as_mut().and_then(Guard::take_obstacle) {
            self.log.warn(&format!(
                "the state can no longer be read: {obstacle}; the job gets SIGTERM"
            ));
        }
        let result = match step {
            None => return,
            // A stopped job does not see SIGTERM before SIGCONT.
            Some(KillStep::Terminate) => self
                .processes
                .signal(SIGTERM)
                .and_then(|()| self.processes.signal(SIGCONT)),
            Some(KillStep::Kill) => self.processes.signal(SIGKILL),
        };
        if let Err(error) = result {
            self.log.warn(&format!(
                "cannot end the job although the state is not active: {}",
                error_text(&error)
            ));
        }
    }
}

/// The kind of a signal, which decides whether it is passed on.
fn kind(number: i32) -> Kind {
    match number {
        SIGCHLD => Kind::Child,
        SIGCONT => Kind::Continue,
        SIGINT | SIGQUIT | SIGTSTP | SIGHUP | SIGWINCH | SIGTTIN | SIGTTOU => Kind::Terminal,
        _ => Kind::Other,
    }
}

fn sender(pid: Option<u32>) -> Sender {
    match pid {
        None => Sender::Kernel,
        Some(pid) if pid == std::process::id() => Sender::Myself,
        Some(_) => Sender::Process,
    }
}

/// How a child ended. (Neither a code nor a signal is in the status of a stopped child, which has not ended.)
fn outcome(status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Exited(u8::try_from(code).unwrap_or(u8::MAX)),
        (None, Some(signal)) => Outcome::Killed(signal),
        (None, None) => Outcome::Exited(FAILED),
    }
}
