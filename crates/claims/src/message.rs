//! The machine's inputs and actions, and what they consist of.

use super::job::JobKey;
use super::record::{EndedTick, FloorRecord, JobList, JobRecord, Outcome};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::time::Duration;
use lease::{ClusterName, Incarnation, LeaseDuration, NodeName, SessionId, SessionRecord, Verdict, Version};
use policy::claim::{Answer, ClaimId};
use policy::moment::{BootTime, WallTime};
use policy::tick::TickTime;

/// The number of a call to the store. Only the answer to the last call counts.
pub type Call = u64;

/// A connection of an rcron. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(pub u64);

/// Both clocks, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For leases, deadlines and timers.
    pub boot: BootTime,
    /// For names of ticks, the floor and people.
    pub wall: WallTime,
}

/// A record's place in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The session record of a node: the lease machine's.
    Session(NodeName),
    /// The floor of a cluster.
    Floor(ClusterName),
    /// A job.
    Job(JobKey),
    /// An ended tick of a job, by its number modulo [`super::MOST_SLOTS`].
    Ended(JobKey, u32),
    /// The users and names of all jobs of a cluster.
    Jobs(ClusterName),
    /// Written with each change of a cluster's jobs.
    Notify(ClusterName),
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// For a [`Key::Session`].
    Session(SessionRecord),
    /// For a [`Key::Floor`].
    Floor(FloorRecord),
    /// For a [`Key::Job`].
    Job(JobRecord),
    /// For a [`Key::Ended`].
    Ended(EndedTick),
    /// For a [`Key::Jobs`].
    Jobs(JobList),
    /// For a [`Key::Notify`].
    Notify(u64),
}

/// A record that a read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The condition for a change of this record.
    pub version: Version,
    /// The content; `None` if it is unreadable.
    pub record: Option<Record>,
}

/// The answer to a read, all of it over one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// `None` if the store has no incarnation.
    pub incarnation: Option<Incarnation>,
    /// A number that only grows within one incarnation; `None` if the store has none.
    pub revision: Option<u64>,
    /// One for each key, in the order of the keys; `None` where there is no record.
    pub records: Vec<Option<Found>>,
}

/// Writes of several records, of which the store does all or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// A store of another incarnation must refuse the change.
    pub incarnation: Option<Incarnation>,
    /// The versions that these records must still have; `None` where there must be no record.
    pub conditions: Vec<(Key, Option<Version>)>,
    /// What to write if all conditions hold.
    pub writes: Vec<(Key, Record)>,
}

/// Whether this node may start ticks of a cluster now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It may not.
    None(StopReason),
    /// Its state file was written as active by this session, settled and not draining.
    Active {
        /// The end of the lease.
        until: BootTime,
        /// The cluster's epoch.
        epoch: u64,
    },
    /// Its state file was written as shared by this session.
    Shared {
        /// The end of the lease.
        until: BootTime,
    },
}

/// Why a node may not start ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Its state file is passive, draining, or not written yet.
    Passive,
    /// `run_on = "any"`, and its wall clock is ahead of all other nodes'.
    ClockAhead,
}

/// What the lease machine knows. The caller passes what is so at the moment of each step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// This node's session, if it is open.
    pub session: Option<SessionId>,
    /// The configured clusters.
    pub clusters: BTreeMap<ClusterName, ClusterFacts>,
}

/// What the lease machine knows about a cluster, and how it is configured on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Whether this node may start ticks.
    pub permission: Permission,
    /// The lease as configured here: the terms of this node's entries.
    pub lease: LeaseDuration,
    /// `grace` as configured here.
    pub grace: Duration,
}

/// Scheduled times of a job, as its crontab line has them.
pub trait Schedule: Debug + Send + Sync {
    /// The ticks that are later than `after` and earlier than `before`, if there are any.
    fn gap(&self, after: TickTime, before: TickTime) -> Option<Gap>;
}

/// Ticks in a row that were started nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub first: TickTime,
    /// The last.
    pub last: TickTime,
    /// How many; the highest number means "this many or more".
    pub count: u32,
}

/// An rcron asks for a tick. The caller has named the tick, and checked user and name.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The connection.
    pub client: Client,
    /// The run: the same after a reconnection.
    pub run: ClaimId,
    /// The job.
    pub job: JobKey,
    /// The tick.
    pub tick: TickTime,
    /// When `start_within` is over.
    pub deadline: BootTime,
    /// With `run_on = "any"`: no claim before this, to leave the tick to a node of higher rank. Otherwise a moment that has passed.
    pub not_before: BootTime,
    /// The tick is not claimed if it is less than this after *closed*: for a tick whose name is only the minute of rcron's start, and
    /// which another server may have named differently. Zero for others.
    pub spacing: Duration,
    /// `rerun`.
    pub rerun: u32,
    /// `overlap = skip`.
    pub skips_overlap: bool,
    /// The schedule, to find a gap before the tick; `None` if it is not known.
    pub schedule: Option<Arc<dyn Schedule>>,
}

/// An rcron that has a grant of an earlier process of this daemon, or lost its connection.
#[derive(Clone, Debug)]
pub struct Held {
    /// The connection.
    pub client: Client,
    /// The run.
    pub run: ClaimId,
    /// The job.
    pub job: JobKey,
    /// The tick of the grant.
    pub tick: TickTime,
    /// The attempt of the grant.
    pub attempt: u32,
}

/// A tick of a job in this server's crontab that should have been started by now. It is recorded as missed, if no server has started
/// it and `max_skew` has passed since `expired`.
#[derive(Clone, Debug)]
pub struct Due {
    /// The job.
    pub job: JobKey,
    /// The latest such tick.
    pub tick: TickTime,
    /// When its `start_within` is over.
    pub expired: TickTime,
    /// For what is recorded, if no server has started it.
    pub reason: MissReason,
    /// The schedule, to find earlier ticks that were missed.
    pub schedule: Arc<dyn Schedule>,
}

/// Why a tick was started nowhere, as far as the node that records it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissReason {
    /// This node had no session, or the store did not answer.
    NoSession,
    /// No server with a permission asked for it: cron or the servers were not running, or none was active in time.
    NotAsked,
    /// This daemon was not running.
    NotRunning,
    /// The store has lost its data, so that it is not known whether a server has started it.
    DataLost,
}

/// An administrator lowers what a wrong clock has closed ahead of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopen {
    /// For the answer.
    pub client: Client,
    /// The job.
    pub job: JobKey,
}

/// What the daemon starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// This node's name.
    pub node: NodeName,
    /// `max_skew`.
    pub max_skew: Duration,
    /// Randomness from the kernel, for jitter and notifications.
    pub seed: [u64; 2],
}

/// An event.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time has passed, or the facts have changed.
    Tick,
    /// A read has ended; `None`: without an answer.
    Read(Call, Option<Reading>),
    /// A change has ended.
    Changed(Call, Verdict),
    /// The store reports that a job was, or may have been, changed.
    Hint,
    /// Whether the store's watch works. While it does, the machine polls less often.
    Watching(bool),
    /// This server has jobs in this cluster. Its floor is set now, if there is none: set at the first claim, it would cost the
    /// first tick.
    Expect(ClusterName),
    /// An rcron asks for a tick.
    Claim(Box<Claim>),
    /// An rcron reports a run with a grant.
    Held(Held),
    /// The rcron has not used its grant.
    NotStarted(Client),
    /// The run of this rcron is over.
    Ended(Client, policy::claim::Ended),
    /// The connection is closed.
    HungUp(Client),
    /// A tick should have been started by now.
    Due(Box<Due>),
    /// An administrator's request.
    Reopen(Reopen),
}

/// Something to do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read these records and answer with [`Input::Read`].
    Read {
        /// The number for the answer.
        call: Call,
        /// The order of the records in the answer.
        keys: Vec<Key>,
        /// The machine does not wait longer than this.
        by: BootTime,
    },
    /// Change records, once, without repetition, and answer with [`Input::Changed`].
    Change {
        /// The number for the answer.
        call: Call,
        /// What to change.
        change: Change,
        /// The machine does not wait longer than this.
        by: BootTime,
    },
    /// Send this to the rcron.
    Answer(Client, Answer),
    /// Answer an administrator's request: `Ok` with a sentence, or why it was not done.
    Reopened(Client, Result<String, String>),
    /// Log this.
    Notify(Notice),
    /// Pass [`Input::Tick`] at this time. Replaces the time of every earlier one.
    WakeAt(BootTime),
}

/// What an administrator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// This node has granted a tick to an rcron of its own.
    Granted {
        /// The job.
        job: JobKey,
        /// The tick.
        tick: TickTime,
        /// 1, 2, …
        attempt: u32,
    },
    /// This node has recorded ticks as missed.
    Missed {
        /// The job.
        job: JobKey,
        /// Which ones.
        gap: Gap,
        /// Why.
        reason: MissReason,
    },
    /// This node has recorded how a tick ended that its own rcron did not report.
    Settled {
        /// The job.
        job: JobKey,
        /// The tick.
        tick: TickTime,
        /// The node that had started it.
        node: NodeName,
        /// `interrupted`, `lost` or `skipped`.
        outcome: Outcome,
    },
    /// The floor was set: ticks up to it are not started.
    FloorSet {
        /// The cluster.
        cluster: ClusterName,
        /// The floor.
        floor: TickTime,
        /// Whether there was another one before: the store has lost data.
        was_lost: bool,
    },
    /// A record is not one that this version can read. Its jobs are not started.
    Unreadable(Key),
    /// It can be read again.
    ReadableAgain(Key),
    /// The cluster has as many jobs as a record can name. This one is new, and is not started.
    TooManyJobs(JobKey),
}
