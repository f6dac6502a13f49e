//! What a server has besides the lease: a wall clock, the claims' part of its daemon, and rcrons.

use crate::node::Link;
use crate::{Micros, SECOND};
use claims::{Action, Input, Machine, Permission, StopReason};
use lease::SessionId;
use policy::moment::WallTime;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// No history has more clusters.
pub const MOST_CLUSTERS: usize = 2;

/// What the wall clock shows when a history begins, in seconds.
pub const EPOCH: u64 = 1_800_000_000;

/// The claims' part of a server.
#[derive(Debug)]
pub struct Server {
    /// How much the wall clock is ahead of true time, in microseconds.
    pub ahead: i64,
    /// The claims' part of the daemon, if that runs.
    pub daemon: Option<Daemon>,
    /// The claims' connection to the store.
    pub link: Link,
    /// How much later the claims' next change arrives at the store.
    pub held_for: Option<Micros>,
    /// The host sleeps until then.
    pub asleep_until: Micros,
    /// The machine was rebooted, and its daemon is not started yet. cron does not run.
    pub is_down: bool,
    /// rcrons that have not ended, or whose job still runs.
    pub rcrons: Vec<usize>,
    /// What the lease's world had at the last observation.
    pub(super) seen: Seen,
    /// What the lease machine's views permit after this many steps, and until when in true time.
    pub(super) permitted: (u64, [Option<(lease::Permission, Micros)>; MOST_CLUSTERS]),
    /// Since when nothing has disturbed this server: for the liveness check.
    pub calm_since: Micros,
}

/// What can change in the lease's world, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The number of the running process.
    pub life: Option<u32>,
    pub is_paused: bool,
    /// Messages arrive without delay.
    pub is_prompt: bool,
    pub link: [bool; 4],
    pub store: (bool, u8),
    pub session: Option<SessionId>,
    pub permissions: [Permission; MOST_CLUSTERS],
    pub file_writes: u32,
    pub reboots: u32,
}

/// The claims' part of a running rcrond.
#[derive(Debug)]
pub struct Daemon {
    /// The process: as in [`crate::node::Node::lives`].
    pub life: u32,
    /// The logic that is checked.
    pub machine: Machine,
    /// Inputs that the machine has not taken in yet.
    pub inputs: VecDeque<Input>,
    /// Actions that are not executed yet.
    pub actions: VecDeque<Action>,
    /// The time of the last [`Action::WakeAt`], if it has not come yet.
    pub wake: Option<Micros>,
    /// It has read the store.
    pub has_read: bool,
    /// The store has gone back, and this daemon has read nothing before that. It cannot know, until another one raises the floor.
    pub is_unaware: bool,
    /// The connected rcrons, by the numbers of their connections.
    pub clients: BTreeMap<u64, usize>,
}

impl Server {
    /// A server that has never run anything.
    #[must_use]
    pub fn new(ahead: i64) -> Self {
        Self {
            ahead,
            daemon: None,
            link: Link::UP,
            held_for: None,
            asleep_until: 0,
            is_down: false,
            rcrons: Vec::new(),
            seen: Seen {
                life: None,
                is_paused: false,
                is_prompt: true,
                link: [true; 4],
                store: (true, 0),
                session: None,
                permissions: [Permission::None(StopReason::Passive); MOST_CLUSTERS],
                file_writes: 0,
                reboots: 0,
            },
            permitted: (0, [None; MOST_CLUSTERS]),
            calm_since: 0,
        }
    }

    /// What the wall clock shows.
    #[must_use]
    pub fn wall(&self, now: Micros) -> WallTime {
        let micros = (EPOCH * SECOND + now).saturating_add_signed(self.ahead);
        WallTime(Duration::from_micros(micros))
    }

    /// When the wall clock will show `wall`, unless it is set; 0 if it has done so before the history began.
    #[must_use]
    pub fn when(&self, wall: WallTime) -> Micros {
        let micros = u64::try_from(wall.0.as_micros()).unwrap_or(u64::MAX);
        micros.saturating_add_signed(-self.ahead).saturating_sub(EPOCH * SECOND)
    }
}

impl Seen {
    /// Whether a difference between the two disturbs a claim: everything but a renewal.
    pub(super) fn is_disturbed(&self, before: &Self) -> bool {
        let kind = |permission: &Permission| match permission {
            Permission::None(_) => None,
            Permission::Active { epoch, .. } => Some(*epoch),
            Permission::Shared { .. } => Some(0),
        };
        let link = |seen: &Self| (seen.is_prompt, seen.link, seen.store);
        let state = |seen: &Self| (seen.life, seen.is_paused, link(seen), seen.session);
        let kinds = |seen: &Self| seen.permissions.map(|permission| kind(&permission));
        state(self) != state(before) || kinds(self) != kinds(before)
    }

    /// Whether the facts for the claims machine differ.
    pub(super) fn has_other_facts(&self, before: &Self) -> bool {
        (self.session, self.permissions) != (before.session, before.permissions)
    }
}
