//! Waiting for a grant. [`ClaimWait`] decides; this does what it says.

use super::{Connection, HeldClaim, Received, why_not};
use crate::log::Log;
use inputs::clock;
use inputs::observe;
use policy::claim::wait::{Action, ClaimWait, Event, NotGranted};
use policy::claim::{Answer, Claim, Grant, Request, WaitReason};
use policy::config::Config;
use policy::decide::Basis;
use policy::moment::BootTime;
use policy::state::State;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use sys::alarm::Alarm;
use sys::output;
use sys::poll;
use sys::signal::{self, PreviousState, SIGCHLD, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH, Signals};

/// A run that waits for its grant.
pub(crate) struct Claiming<'a> {
    config: &'a Config,
    wait: ClaimWait,
    connection: Option<Connection>,
    /// The signal mask and dispositions that rcron was started with: they decide which signals end the wait.
    inherited: PreviousState,
    signals: Signals,
    alarm: Alarm,
    /// The latest reason to wait.
    shown: Option<WaitReason>,
}

/// How the wait ended.
pub(crate) enum Waited {
    /// The job may be started, before the grant's `start_by`.
    Granted(Box<Grant>, Basis),
    /// It is not started, for this reason.
    NotGranted(NotGranted),
    /// The claim is wrong. The message is for the user.
    Rejected(String),
}

impl<'a> Claiming<'a> {
    /// # Errors
    /// The system's: no descriptors left.
    pub(crate) fn new(config: &'a Config, claim: Claim, inherited: PreviousState) -> io::Result<Self> {
        Ok(Self {
            config,
            wait: ClaimWait::new(claim),
            connection: None,
            inherited,
            signals: Signals::open()?,
            alarm: Alarm::new()?,
            shown: None,
        })
    }

    /// Waits from `event` on until rcrond, time or a signal has decided.
    pub(crate) fn wait(&mut self, mut event: Event, log: &mut Log) -> Waited {
        loop {
            self.show_reason(&event);
            event = match self.wait.step(event, clock::boot_time()) {
                Action::Connect => self.connect(),
                Action::Send(request) => self.send(&request),
                Action::ReadState => {
                    let observation = observe::observe(self.config);
                    Event::State(observation.decision, observation.state().and_then(State::identity))
                }
                Action::Listen(until) => match self.listen(until, true, log) {
                    Ok(event) => event,
                    Err(not_granted) => return Waited::NotGranted(not_granted),
                },
                Action::Rest(until) => match self.listen(until, false, log) {
                    Ok(event) => event,
                    Err(not_granted) => return Waited::NotGranted(not_granted),
                },
                Action::Start(grant, basis) => return Waited::Granted(grant, basis),
                Action::GiveUp(not_granted) => return Waited::NotGranted(not_granted),
                Action::Reject(message) => return Waited::Rejected(message),
            }
        }
    }

    /// Prints on a terminal why rcron waits: somebody waits for the job.
    fn show_reason(&mut self, event: &Event) {
        let Event::Answer(Answer::Wait(wait)) = event else {
            return;
        };
        let is_new = self.shown.replace(wait.reason) != Some(wait.reason);
        if is_new && wait.reason != WaitReason::Claiming && io::stderr().is_terminal() {
            let reason = wait.reason.as_str();
            output::to_stderr(format!("rcron: waiting for a grant of rcrond ({reason})\n").as_bytes());
        }
    }

    /// The run with its grant, for the time that the job runs. The connection is the same.
    pub(crate) fn hold(&mut self, grant: &Grant) -> HeldClaim<'a> {
        HeldClaim::new(self.config, self.wait.claim(), grant, self.connection.take())
    }

    /// The connection of a run whose job was not started after all.
    pub(crate) fn take_back(&mut self, held: HeldClaim<'a>) {
        self.connection = held.into_connection();
    }

    fn connect(&mut self) -> Event {
        self.connection = None;
        match Connection::open(self.config) {
            Ok(connection) => {
                self.connection = Some(connection);
                Event::Connected
            }
            Err(error) => Event::NotConnected(why_not(&error)),
        }
    }

    fn send(&mut self, request: &Request) -> Event {
        if self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.send(request))
        {
            return Event::Sent;
        }
        self.connection = None;
        Event::Closed
    }

    /// Waits until this time, for a message too if `listens`.
    ///
    /// # Errors
    /// A signal ends the wait.
    fn listen(&mut self, until: BootTime, listens: bool, log: &mut Log) -> Result<Event, NotGranted> {
        self.alarm.set(Some(until.0));
        loop {
            self.take_signals()?;
            log.retry();
            if let Some(connection) = self.connection.as_mut().filter(|_| listens) {
                match connection.receive() {
                    Received::Answer(answer) => return Ok(Event::Answer(answer)),
                    Received::Closed => {
                        self.connection = None;
                        return Ok(Event::Closed);
                    }
                    Received::Nothing => {}
                }
            }
            if clock::boot_time() >= until {
                return Ok(Event::Time);
            }
            let connection = self.connection.iter().filter(|_| listens).map(AsFd::as_fd);
            let ours = [self.signals.as_fd(), self.alarm.as_fd()];
            let waits: Vec<BorrowedFd> = ours.into_iter().chain(connection).collect();
            poll::until_ready(&waits, log.patience());
        }
    }

    /// Takes the signals that have arrived. They have the effect that they would have on a process that does not handle them.
    ///
    /// # Errors
    /// One ends the wait.
    fn take_signals(&mut self) -> Result<(), NotGranted> {
        while let Some(arrived) = self.signals.receive() {
            match arrived.number {
                SIGCHLD | SIGCONT | SIGURG | SIGWINCH => {}
                // SIGPIPE, from a write to a stderr without a reader.
                _ if arrived.sender == Some(std::process::id()) => {}
                number if !self.inherited.delivers(number) => {}
                number @ (SIGTSTP | SIGTTIN | SIGTTOU) => signal::stop(number),
                number => return Err(self.wait.ended_by_signal(number)),
            }
        }
        Ok(())
    }
}
