//! One cluster, as this node sees it.

mod candidate;
mod epochs;
mod holder;
mod settle;
mod share;
mod state_file;

use super::message::{ClusterConfig, ClusterStart, Found, Record, RunOn, StateFileContent, Version};
use super::mutation::Mutation;
use super::own_session::OwnSession;
use super::record::ClusterRecord;
use super::timing::{BOOT, LeaseDuration};
use super::watch::{Liveness, Seen, Watch};
use epochs::Epochs;
pub use epochs::LARGEST_EPOCH;
pub(super) use epochs::Reservation;
pub(super) use holder::Holder;
use policy::moment::BootTime;
use settle::LastOwnership;
use state_file::StateFile;

/// What this node wants with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To hold it, if possible.
    Serve,
    /// To keep it until its jobs have ended, and not to win it.
    Drain,
    /// To stay out, and to release it.
    Out,
    /// To release it and forget it, because the configuration no longer names it.
    Removed,
}

#[derive(Clone, Debug)]
pub(super) struct Cluster {
    /// The configuration of this node. Other nodes may have another one while it is rolled out.
    pub(super) config: ClusterConfig,
    /// What the administrator and the configuration say.
    pub(super) mode: Mode,
    /// Present while this node's session holds the cluster.
    pub(super) holder: Option<Holder>,
    /// Whether and since when this node was the last one to hold the cluster: then it need not settle again.
    last_ownership: Option<LastOwnership>,
    /// The record as the last read found it, or as this node has changed it since.
    pub(super) record: LastRecord,
    /// The round's read found the cluster held by this session, or its change took it over. Only then does the change renew it.
    pub(super) confirmed: bool,
    /// What the reads have found, and since when it is unchanged. Present only while this node does not hold the cluster; decides when
    /// it can take it over.
    pub(super) watch: Option<Watch<Seen>>,
    /// The session of the node that asks for the cluster. A holder hands over only to an asker that is alive; another candidate
    /// replaces the `ask` of one that is not.
    pub(super) asker: Option<Liveness>,
    /// What is known of the state file.
    pub(super) state_file: StateFile,
    /// The fencing tokens that this node has seen and reserved.
    pub(super) epochs: Epochs,
    /// The lease that the record had when there last was one. A candidate waits for it even if the record has vanished.
    pub(super) last_lease: LeaseDuration,
    /// The epoch of a takeover that was sent and may still be done. It explains a record that names this session.
    pub(super) unanswered_takeover: Option<u64>,
    /// Since when only the holder's priority has kept this node from winning. `preempt_delay` counts from here.
    pub(super) able_since: Option<BootTime>,
    /// No takeover before this: the last one failed, or the store has just come back.
    pub(super) no_takeover_before: BootTime,
    /// Takeovers in a row that failed. The pause after each grows with them.
    pub(super) failed_takeovers: u32,
    /// The content of the state file that an earlier process of the resumed session left: active or shared. It confirms that the
    /// session holds the cluster, or has shared it. `None` once the first read has been taken in, or `until` has passed.
    pub(super) inherited: Option<StateFileContent>,
    /// The record has been unusable since this was reported.
    fault_reported: bool,
    /// The last content that this process has begun to write to the state file was shared.
    was_shared: bool,
}

/// What the whole node does, as far as its state files depend on it.
pub(super) struct Part<'a> {
    /// This node's session.
    pub(super) session: &'a OwnSession,
    /// Everything is being released.
    pub(super) stopping: bool,
    /// The rule that the simulation leaves out.
    pub(super) mutation: Option<Mutation>,
}

/// A cluster's record as a read found it.
#[derive(Clone, Debug)]
pub(super) enum LastRecord {
    Missing,
    Readable(Version, ClusterRecord),
    Unreadable(Version, RecordFault),
}

/// Why a node does not use a cluster's record. It does not change such a record either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordFault {
    /// It is not a record that this version reads.
    Foreign,
    /// Its epoch is larger than [`LARGEST_EPOCH`].
    Epoch(u64),
}

impl Cluster {
    pub(super) fn new(start: ClusterStart) -> Self {
        let last_lease = start.config.timing.lease();
        Self {
            config: start.config,
            mode: Mode::at_start(start.drained),
            holder: None,
            last_ownership: None,
            record: LastRecord::Missing,
            confirmed: false,
            watch: None,
            asker: None,
            state_file: StateFile::new(start.file.and_then(StateFileContent::until)),
            epochs: Epochs::new(start.epoch),
            last_lease,
            unanswered_takeover: None,
            able_since: None,
            no_takeover_before: BOOT,
            failed_takeovers: 0,
            inherited: start.file,
            fault_reported: false,
            was_shared: false,
        }
    }

    /// A cluster of which no earlier process of this session can have left a state file.
    pub(super) fn without_inheritance(start: ClusterStart) -> Self {
        Self {
            inherited: None,
            ..Self::new(start)
        }
    }

    /// The longest lease that another node can have here, as far as this node knows: what a candidate waits for.
    pub(super) fn longest_lease(&self) -> LeaseDuration {
        self.config.timing.lease().max(self.last_lease)
    }

    /// The shorter of the configured lease and the record's, because other nodes may wait for one of them only.
    pub(super) fn shortest_lease(&self) -> LeaseDuration {
        self.config.timing.lease().min(self.last_lease)
    }

    pub(super) const fn record_version(&self) -> Option<Version> {
        match self.record {
            LastRecord::Missing => None,
            LastRecord::Readable(version, _) | LastRecord::Unreadable(version, _) => Some(version),
        }
    }

    pub(super) const fn record(&self) -> Option<&ClusterRecord> {
        match &self.record {
            LastRecord::Readable(_, record) => Some(record),
            _ => None,
        }
    }

    /// The epoch in the record; 0 if there is none.
    pub(super) fn recorded_epoch(&self) -> u64 {
        self.record().map_or(0, |record| record.epoch)
    }

    /// Takes in the record of a read. Returns why it cannot be used, if that is new.
    pub(super) fn take_record(&mut self, found: Option<Found>, mutation: Option<Mutation>) -> Option<RecordFault> {
        self.record = match found {
            None => LastRecord::Missing,
            Some(Found {
                version,
                record: Some(Record::Cluster(record)),
            }) if record.epoch > LARGEST_EPOCH => LastRecord::Unreadable(version, RecordFault::Epoch(record.epoch)),
            Some(Found {
                version,
                record: Some(Record::Cluster(record)),
            }) => {
                self.last_lease = record.lease;
                LastRecord::Readable(version, record)
            }
            Some(found) => LastRecord::Unreadable(found.version, RecordFault::Foreign),
        };
        let epoch = self.recorded_epoch();
        self.epochs.see(epoch, mutation);
        let fault = match self.record {
            LastRecord::Unreadable(_, fault) => Some(fault),
            _ => None,
        };
        let reported = core::mem::replace(&mut self.fault_reported, fault.is_some());
        fault.filter(|_| !reported)
    }

    /// Whether this node stays out, or is to release the cluster, because somebody said so.
    fn must_stay_out(&self, stopping: bool) -> bool {
        stopping || matches!(self.mode, Mode::Out | Mode::Removed)
    }

    /// What the state file should say; `None` while a restarted daemon does not know yet.
    fn desired_content(&self, now: BootTime, part: &Part<'_>) -> Option<StateFileContent> {
        let stopping = part.stopping;
        if let Some(shared) = self.shared_content(now, part) {
            return Some(shared);
        }
        let Some(holder) = &self.holder else {
            let known = self.must_stay_out(stopping) || !self.may_be_confirmed();
            return known.then_some(StateFileContent::Passive);
        };
        let valid = holder
            .valid_until
            .filter(|until| *until > now && holder.active_from <= now);
        Some(match valid {
            Some(until) if !self.must_release(stopping) => StateFileContent::Active {
                until,
                epoch: holder.epoch,
                draining: self.mode == Mode::Drain,
            },
            _ => StateFileContent::Passive,
        })
    }

    /// Whether the first read may confirm what an earlier process has left in the state file.
    fn may_be_confirmed(&self) -> bool {
        match self.inherited {
            Some(StateFileContent::Shared { .. }) => self.config.run_on == RunOn::Any,
            inherited => inherited.is_some(),
        }
    }

    /// Returns what to write to the state file now. `prove`: it must have been written within the last lease, whatever it says.
    pub(super) fn write_state_file(&mut self, now: BootTime, part: &Part<'_>, prove: bool) -> Option<StateFileContent> {
        // From then on nothing confirms that this node holds what the earlier process held.
        self.inherited = self.inherited.filter(|file| file.until() > Some(now));
        let desired = self.desired_content(now, part)?;
        let fresh_since = prove.then(|| self.proof_since(now));
        self.state_file.begin_write(now, desired, fresh_since)
    }

    /// Reserves an epoch, if this node needs one.
    pub(super) fn reserve_epoch(&mut self, now: BootTime) -> Reservation {
        if self.holder.is_some() || self.config.run_on == RunOn::Any {
            return Reservation::None;
        }
        self.epochs.reserve(now)
    }
}

impl Mode {
    pub(super) const fn at_start(drained: bool) -> Self {
        if drained { Self::Out } else { Self::Serve }
    }
}
