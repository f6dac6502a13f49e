//! The wait of rcron for a grant: which message to send, when to connect, when to stop waiting (docs/design/ticks.md, "Between
//! rcron and rcrond").
//!
//! [`ClaimWait::step`] gets one event and returns the one thing to do next. The caller does it and reports what came of it.

use super::{Answer, Claim, Grant, OverReason, Request, RunResult, Wait, WaitReason};
use crate::decide::{Basis, Decision, Skip};
use crate::moment::BootTime;
use crate::tick::TickTime;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::time::Duration;

/// The pause between two tries to connect.
pub const RETRY: Duration = Duration::from_millis(250);
/// The first pause while rcrond's queue of connections is full, because hundreds of rcrons connect that cron has started at once. The
/// pause doubles each time, up to [`RETRY`]: the queue of a stopped rcrond stays full.
const FIRST_RETRY_FULL: Duration = Duration::from_millis(20);
/// The pause after a grant that was given back, so that a state file that lags behind does not cost the store a change each time.
const REST: Duration = Duration::from_millis(250);
/// `start_within`, if neither the configuration nor rcrond says it.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);
/// How long after the deadline rcrond's own last word is awaited: it knows the reason.
const LAST_WORD: Duration = Duration::from_secs(1);
/// No deadline is further ahead, whatever rcrond says: `start_within` is at most a day.
const FARTHEST: Duration = Duration::from_secs(25 * 60 * 60);

/// A wait for a grant.
#[derive(Clone, Debug)]
pub struct ClaimWait {
    claim: Claim,
    connection: Connection,
    /// The deadline that rcrond or the configuration has set.
    deadline: BootTime,
    /// The latest `wait`.
    told: Option<Wait>,
    /// Whether rcrond has answered on this connection.
    has_answered: bool,
    /// The next pause while rcrond's queue is full.
    pause_full: Duration,
    /// A grant that came during the rest.
    pending: Option<Grant>,
    rests_until: Option<BootTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    /// There is none. `found`: whether a process listened at the last try.
    Down { retry_at: BootTime, found: bool },
    /// The claim has been sent.
    Up,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Time has passed, or nothing has happened yet.
    Time,
    /// Connected, as [`Action::Connect`] asked for.
    Connected,
    /// Not connected.
    NotConnected(NotConnected),
    /// The request was sent.
    Sent,
    /// The connection is closed, or what came from it is not a message.
    Closed,
    /// A message came.
    Answer(Answer),
    /// The state file was read, as [`Action::ReadState`] asked for. The text is that of [`crate::state::State::identity`].
    State(Decision, Option<String>),
    /// The job was not started after [`Action::Start`], because it was too late.
    TooLate,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotConnected {
    /// rcrond's queue is full.
    Full,
    /// Nothing listens, or the system's limits are reached.
    Absent,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect to the socket, after closing an older connection.
    Connect,
    /// Send this, with a newline.
    Send(Request),
    /// Read the state file now.
    ReadState,
    /// Start the job, before this moment.
    Start(Box<Grant>, Basis),
    /// Wait for a message until this time, and then report [`Event::Time`].
    Listen(BootTime),
    /// Read no message until this time, and then report [`Event::Time`].
    Rest(BootTime),
    /// The wait is over without a start.
    GiveUp(NotGranted),
    /// The wait is over: the claim is wrong. The message is for the user.
    Reject(String),
}

/// Why the job was not started, for the log: rcron(8), "ONCE PER TICK".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotGranted {
    /// `reason=`.
    pub reason: Reason,
    /// `by=`: the server that has started the tick.
    pub by: Option<String>,
    /// `tick=`, if it is known.
    pub tick: Option<TickTime>,
    /// `ended=`: how the run of the tick has ended, if that is known.
    pub ended: Option<RunResult>,
}

/// Why the job was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Another server has started the tick.
    Elsewhere,
    /// The tick is over.
    Done,
    /// An earlier tick still runs.
    Overlap,
    /// A later tick was claimed.
    Superseded,
    /// `start_within` was over.
    TooLate,
    /// The wall clock is ahead of all other servers'.
    ClockAhead,
    /// There was no grant.
    NoGrant(Why),
    /// A signal of this number has ended the wait.
    Signal(i32),
}

/// Why there was no grant: `why=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// rcrond's reason.
    Told(WaitReason),
    /// Nothing listens on the socket.
    NoRcrond,
    /// A process listens on the socket, and does not answer.
    NoAnswer,
}

impl ClaimWait {
    /// Begins at the moment of the claim.
    #[must_use]
    pub fn new(claim: Claim) -> Self {
        let now = claim.started_boot;
        Self {
            connection: Connection::Down {
                retry_at: now,
                found: false,
            },
            deadline: now.after(claim.start_within.unwrap_or(DEFAULT_PATIENCE)),
            told: None,
            has_answered: false,
            pause_full: FIRST_RETRY_FULL,
            pending: None,
            rests_until: None,
            claim,
        }
    }

    /// What is claimed.
    #[must_use]
    pub const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The tick, as far as it is known.
    #[must_use]
    pub fn tick(&self) -> Option<TickTime> {
        let told = self.told.as_ref().and_then(|wait| wait.tick);
        told.or(self.claim.tick)
    }

    /// Takes an event, and says what to do next.
    pub fn step(&mut self, event: Event, now: BootTime) -> Action {
        match event {
            Event::Time | Event::Sent => self.go_on(now),
            Event::Connected => {
                self.connection = Connection::Up;
                self.pause_full = FIRST_RETRY_FULL;
                Action::Send(Request::Claim(self.claim.clone()))
            }
            Event::NotConnected(why) => {
                let (pause, found) = match why {
                    NotConnected::Full => (self.pause_full, true),
                    NotConnected::Absent => (RETRY, false),
                };
                if found {
                    self.pause_full = pause.saturating_mul(2).min(RETRY);
                }
                self.disconnect(now.after(pause), found, now)
            }
            Event::Closed => self.disconnect(now.after(RETRY), true, now),
            Event::Answer(answer) => self.answer(answer, now),
            Event::State(decision, identity) => self.judge(decision, identity.as_deref(), now),
            Event::TooLate => self.give_back("too-late", now),
        }
    }

    /// What to log where a signal ends the wait.
    #[must_use]
    pub fn ended_by_signal(&self, number: i32) -> NotGranted {
        self.not_granted(Reason::Signal(number))
    }

    fn disconnect(&mut self, retry_at: BootTime, found: bool, now: BootTime) -> Action {
        self.connection = Connection::Down { retry_at, found };
        self.has_answered = false;
        self.go_on(now)
    }

    fn answer(&mut self, answer: Answer, now: BootTime) -> Action {
        match answer {
            Answer::Wait(wait) => {
                self.has_answered = true;
                self.deadline = wait.until.min(now.after(FARTHEST));
                self.told = Some(wait);
                self.go_on(now)
            }
            Answer::Grant(grant) => {
                self.has_answered = true;
                self.pending = Some(grant);
                self.go_on(now)
            }
            Answer::Over(over) => {
                let known = self.not_granted(over.reason.into());
                Action::GiveUp(NotGranted {
                    by: over.by.or(known.by),
                    tick: over.tick.or(known.tick),
                    ended: over.ended,
                    reason: known.reason,
                })
            }
            Answer::Refused { message } => Action::Reject(message),
            // The first is the answer to `not-started`, the second to a question that was not asked.
            Answer::Noted | Answer::Would { .. } => self.go_on(now),
        }
    }

    /// What time it is for.
    fn go_on(&mut self, now: BootTime) -> Action {
        match self.rests_until {
            Some(end) if now < end && (self.pending.is_some() || self.is_up()) => return Action::Rest(end),
            _ => self.rests_until = None,
        }
        if self.pending.is_some() {
            return Action::ReadState;
        }
        let gives_up_at = self.gives_up_at();
        match self.connection {
            _ if now >= gives_up_at => Action::GiveUp(self.conclusion()),
            Connection::Down { retry_at, .. } if now >= retry_at => Action::Connect,
            Connection::Down { retry_at, .. } => Action::Listen(retry_at.min(gives_up_at)),
            Connection::Up => Action::Listen(gives_up_at),
        }
    }

    /// When the wait ends by itself. rcrond moves the deadline while an attempt runs that may be followed by another one.
    fn gives_up_at(&self) -> BootTime {
        if self.has_answered {
            self.deadline.after(LAST_WORD)
        } else {
            self.deadline
        }
    }

    /// Decides about the grant, with what the state file says.
    fn judge(&mut self, decision: Decision, identity: Option<&str>, now: BootTime) -> Action {
        let Some(grant) = self.pending.take() else {
            return self.go_on(now);
        };
        let why = match decision {
            Decision::Skip(skip) => unfit(skip),
            Decision::Run(_) if identity != Some(grant.lease.as_str()) => "other-lease",
            Decision::Run(_) if now >= grant.start_by => "too-late",
            Decision::Run(basis) => return Action::Start(Box::new(grant), basis),
        };
        self.give_back(why, now)
    }

    /// Gives a grant back, and goes on waiting. Without a connection, rcrond finds out by itself.
    fn give_back(&mut self, why: &str, now: BootTime) -> Action {
        self.rests_until = Some(now.after(REST));
        if !self.is_up() {
            return self.go_on(now);
        }
        Action::Send(Request::NotStarted { why: why.into() })
    }

    fn conclusion(&self) -> NotGranted {
        let found = !matches!(self.connection, Connection::Down { found: false, .. });
        let told = self.told.as_ref().map(|wait| wait.reason);
        self.not_granted(match told {
            Some(WaitReason::Elsewhere) => Reason::Elsewhere,
            Some(WaitReason::ClockAhead) => Reason::ClockAhead,
            Some(reason) if self.has_answered => Reason::NoGrant(Why::Told(reason)),
            _ if found => Reason::NoGrant(Why::NoAnswer),
            _ => Reason::NoGrant(Why::NoRcrond),
        })
    }

    fn not_granted(&self, reason: Reason) -> NotGranted {
        let by = self.told.as_ref().and_then(|wait| wait.by.clone());
        NotGranted {
            reason,
            by: by.filter(|_| reason == Reason::Elsewhere),
            tick: self.tick(),
            ended: None,
        }
    }

    const fn is_up(&self) -> bool {
        matches!(self.connection, Connection::Up)
    }
}

impl NotGranted {
    /// The reason in words, for people.
    #[must_use]
    pub fn explanation(&self) -> String {
        let tick = self
            .tick
            .map_or_else(String::new, |tick| format!(" {}", tick.rfc3339()));
        let server = self.by.as_deref().unwrap_or("another server");
        match self.reason {
            Reason::Elsewhere | Reason::Done if self.ended.is_some() => {
                let ended = self.ended.map_or("", RunResult::as_str);
                format!("{server} has run the tick{tick}: {ended}")
            }
            Reason::Elsewhere => format!("{server} has started the tick{tick}"),
            Reason::Done if self.by.is_some() => format!("{server} has run the tick{tick}"),
            Reason::Done => format!("the tick{tick} is over"),
            Reason::Overlap => format!("an earlier tick of the job still runs, and overlap is skip (tick{tick})"),
            Reason::Superseded => format!("a later tick was started; too late for the tick{tick}"),
            Reason::TooLate => format!("start_within is over for the tick{tick}"),
            Reason::ClockAhead => "the clock of this server is ahead of those of all other servers".into(),
            Reason::NoGrant(Why::Told(why)) => format!("rcrond cannot grant the tick{tick}: {}", why.as_str()),
            Reason::NoGrant(Why::NoRcrond) => "rcrond is not running: nothing listens on claim_socket".into(),
            Reason::NoGrant(Why::NoAnswer) => "rcrond does not answer".into(),
            Reason::Signal(_) => "a signal has ended the wait for a grant".into(),
        }
    }
}

/// The word in `not-started why=`.
fn unfit(skip: Skip) -> &'static str {
    skip.reason().unwrap_or("passive")
}

impl Reason {
    /// The word after `reason=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Done => "done",
            Self::Overlap => "overlap",
            Self::Superseded => "superseded",
            Self::TooLate => "too-late",
            Self::ClockAhead => "clock-ahead",
            Self::NoGrant(_) => "no-grant",
            Self::Signal(_) => "signal",
        }
    }
}

impl Why {
    /// The word after `why=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Told(reason) => reason.as_str(),
            Self::NoRcrond => "no-rcrond",
            Self::NoAnswer => "no-answer",
        }
    }
}

impl From<OverReason> for Reason {
    fn from(reason: OverReason) -> Self {
        match reason {
            OverReason::Elsewhere | OverReason::NoGrant(WaitReason::Elsewhere) => Self::Elsewhere,
            OverReason::Done => Self::Done,
            OverReason::Overlap => Self::Overlap,
            OverReason::Superseded => Self::Superseded,
            OverReason::TooLate => Self::TooLate,
            OverReason::NoGrant(WaitReason::ClockAhead) => Self::ClockAhead,
            OverReason::NoGrant(reason) => Self::NoGrant(Why::Told(reason)),
        }
    }
}

#[cfg(test)]
mod tests;
