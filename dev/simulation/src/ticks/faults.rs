//! What goes wrong beside the lease's [faults](crate::faults).

use crate::Micros;

/// Something that happens at an instant. Nodes, jobs and rcrons are given by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickFault {
    /// The node's wall clock is set to be this much ahead of true time, in microseconds.
    SetClock(usize, i64),
    /// The host sleeps: nothing on it runs, while its boot clock goes on.
    Sleep(usize, Micros),
    /// Answers and requests of the claims' connection alone no longer arrive (`true`), or arrive again.
    CutClaims(usize, bool),
    /// The next change that the node's claims ask for arrives at the store this much later.
    HoldChange(usize, Micros),
    /// An rcron of this node, chosen at random, gets SIGSTOP for this duration.
    StopRcron(usize, Micros),
    /// An rcron of this node, chosen at random, gets SIGKILL. Its job continues.
    KillRcron(usize),
    /// An rcron of this node, chosen at random, gets SIGTERM: it ends if it waits.
    TerminateRcron(usize),
    /// The node's cron starts an rcron of this job now, whatever the time is.
    Start(usize, usize),
    /// `rcronctl ticks --reopen` on this node for this job.
    Reopen(usize, usize),
    /// All faults end, and the clocks are right again within `max_skew`.
    Heal,
}

/// How crons and rcrons behave all the time, in per mille.
#[derive(Clone, Copy, Debug)]
pub struct CronProfile {
    /// Ticks for which rcron is started up to a second early.
    pub early: u64,
    /// Ticks for which rcron is started late: up to one and a half times `start_within`.
    pub late: u64,
    /// Ticks for which rcron is started twice.
    pub twice: u64,
    /// Ticks for which rcron is not started.
    pub never: u64,
    /// Steps of an rcron before which it stands still.
    pub stops: u64,
    /// Steps of an rcron before which it is killed.
    pub kills: u64,
    /// The longest time that an rcron stands still.
    pub max_stop: Micros,
}

impl CronProfile {
    /// Each cron fires once, within 50 ms.
    pub const NONE: Self = Self {
        early: 0,
        late: 0,
        twice: 0,
        never: 0,
        stops: 0,
        kills: 0,
        max_stop: 0,
    };

    /// Whether each cron fires, and no rcron stands still or is killed.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.stops == 0 && self.kills == 0
    }
}
