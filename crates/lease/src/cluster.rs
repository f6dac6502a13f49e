//! One cluster, as this node sees it.

use super::file::File;
use super::message::{ClusterConfig, ClusterStart, StateFileContent, Version};
use super::mutation::Mutation;
use super::name::NodeName;
use super::record::ClusterRecord;
use super::timing::LeaseDuration;
use super::watch::{HolderSession, Liveness, Seen, Watch};
use core::time::Duration;
use policy::moment::BootTime;

/// What this node wants with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// To hold it, if it can.
    Serve,
    /// To keep it until its jobs have ended, and not to win it.
    Draining,
    /// To stay out.
    Out,
    /// To forget it.
    Removed,
}

/// The cluster's record names this node's session.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) epoch: u64,
    /// The end of the lease. `None`: it must be renewed first.
    pub(super) valid: Option<BootTime>,
    /// `settle` after it was won.
    pub(super) active_from: BootTime,
    /// To whom it is being handed over.
    pub(super) handover_target: Option<NodeName>,
    /// The state file could not be written.
    pub(super) failed: bool,
    pub(super) over_told: bool,
}

/// The fencing tokens of this node.
#[derive(Clone, Debug)]
pub(super) struct Epochs {
    /// The highest on disk.
    pub(super) kept: u64,
    /// The one that may be used for the next tenure: on disk, higher than all seen.
    pub(super) usable: Option<u64>,
    /// Being put on disk.
    pub(super) asked: Option<u64>,
    pub(super) retry: BootTime,
}

#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) config: ClusterConfig,
    pub(super) duty: Duty,
    pub(super) holder: Option<Holder>,
    /// The record of the last read. `Err`: there is one that cannot be read.
    pub(super) record: Result<Option<(Version, ClusterRecord)>, Version>,
    /// The last read found the cluster held by this session.
    pub(super) confirmed: bool,
    pub(super) watch: Option<Watch<Seen>>,
    pub(super) asker: Option<Liveness>,
    pub(super) file: File,
    pub(super) epochs: Epochs,
    /// The lease that the record had when there last was one.
    pub(super) last_lease: LeaseDuration,
    /// The epoch of a takeover that was sent, until a later change is done.
    pub(super) attempt: Option<u64>,
    /// Since when nothing but the holder's priority kept this node from winning.
    pub(super) fit_since: Option<BootTime>,
    /// No takeover before this: the last one failed.
    pub(super) not_before: BootTime,
    pub(super) failures: u32,
    /// What a restarted daemon found in its state file: until and epoch.
    pub(super) found: Option<(BootTime, u64)>,
    pub(super) unreadable_told: bool,
}

impl Cluster {
    pub(super) fn new(start: ClusterStart) -> Self {
        let last_lease = start.config.timing.lease();
        Self {
            config: start.config,
            duty: if start.drained { Duty::Out } else { Duty::Serve },
            holder: None,
            record: Ok(None),
            confirmed: false,
            watch: None,
            asker: None,
            file: File::new(start.file.map(|(until, _)| until)),
            epochs: Epochs {
                kept: start.epoch,
                usable: None,
                asked: None,
                retry: BootTime(Duration::ZERO),
            },
            last_lease,
            attempt: None,
            fit_since: None,
            not_before: BootTime(Duration::ZERO),
            failures: 0,
            found: start.file,
            unreadable_told: false,
        }
    }

    /// The lease that a candidate must grant.
    pub(super) fn term(&self) -> LeaseDuration {
        self.config.timing.lease().max(self.last_lease)
    }

    pub(super) fn version(&self) -> Option<Version> {
        match &self.record {
            Ok(found) => found.as_ref().map(|(version, _)| *version),
            Err(version) => Some(*version),
        }
    }

    pub(super) fn current(&self) -> Option<&ClusterRecord> {
        self.record.as_ref().ok()?.as_ref().map(|(_, record)| record)
    }

    /// Whether it is being given back.
    pub(super) fn leaving(&self, stopping: bool) -> bool {
        let out = matches!(self.duty, Duty::Out | Duty::Removed);
        let holder = self.holder.as_ref();
        stopping || out || holder.is_some_and(|holder| holder.failed || holder.handover_target.is_some())
    }

    /// When it may be given back: the state file has said nothing active for `grace`.
    pub(super) fn release_at(&self, mutation: Option<Mutation>) -> BootTime {
        match mutation {
            Some(Mutation::ReleaseBeforePassive) => BootTime(Duration::ZERO),
            Some(Mutation::GraceIgnored) => self.file.horizon(),
            _ => self.file.horizon().after(self.config.timing.grace()),
        }
    }

    /// What the state file is to say; `None` while a restarted daemon does not know yet.
    pub(super) fn desired(&self, now: BootTime, stopping: bool) -> Option<StateFileContent> {
        let Some(holder) = &self.holder else {
            let out = stopping || matches!(self.duty, Duty::Out | Duty::Removed);
            return (out || self.found.is_none()).then_some(StateFileContent::Passive);
        };
        let valid = holder.valid.filter(|until| *until > now && holder.active_from <= now);
        Some(match valid {
            Some(until) if !self.leaving(stopping) => StateFileContent::Active {
                until,
                epoch: holder.epoch,
                draining: self.duty == Duty::Draining,
            },
            _ => StateFileContent::Passive,
        })
    }

    /// From when on what was watched allows a takeover. What is free or ended may be so because the store went back, so its data
    /// must have been `trusted` for a lease too.
    pub(super) fn ready_at(&self, trusted: Option<BootTime>, mutation: Option<Mutation>) -> Option<BootTime> {
        let Watch { seen, since } = self.watch.as_ref()?;
        let term = self.term();
        let grace = match mutation {
            Some(Mutation::GraceIgnored) => Duration::ZERO,
            _ => self.config.timing.grace(),
        };
        let lease = match mutation {
            Some(Mutation::NoMargin) => term.get(),
            _ => term.wait(),
        };
        let over = match seen {
            Seen::Held {
                session: HolderSession::Ended(ended),
                ..
            } => *ended >= term || mutation == Some(Mutation::EndedWhateverTheLease),
            _ => false,
        };
        let wait = match seen {
            Seen::Free { for_another: false, .. } => Duration::ZERO,
            Seen::Free { for_another: true, .. } => term.third(),
            Seen::Missing if mutation == Some(Mutation::MissingIsFree) => Duration::ZERO,
            Seen::Held { .. } if over => grace,
            Seen::Missing | Seen::Held { .. } => lease + grace,
        };
        let careless = match seen {
            Seen::Missing => Mutation::MissingIsFree,
            _ => Mutation::FreeAfterLoss,
        };
        let trusted = trusted.filter(|_| mutation != Some(careless));
        let known = trusted.map_or(*since, |from| from.after(lease + grace));
        Some(since.after(wait).max(known).max(self.not_before))
    }

    /// Whether this node could win: it wants to, its file can be written, and its next epoch is on disk.
    pub(super) fn fit(&self, now: BootTime) -> bool {
        self.duty == Duty::Serve && self.holder.is_none() && self.proved(now) && self.epochs.usable.is_some()
    }

    /// Whether it takes part, and its file could be written last time.
    pub(super) fn able(&self) -> bool {
        let written = self.file.proved_since(BootTime(Duration::ZERO));
        self.duty == Duty::Serve && self.holder.is_none() && written
    }

    fn proved(&self, now: BootTime) -> bool {
        self.file.proved_since(self.proof(now))
    }

    /// The file must have been written within the last lease.
    pub(super) fn proof(&self, now: BootTime) -> BootTime {
        BootTime(now.0.saturating_sub(self.config.timing.lease().get()))
    }

    /// The epoch to reserve, if none is.
    pub(super) fn epoch_to_keep(&mut self, now: BootTime) -> Option<u64> {
        let highest = self.current().map_or(0, |record| record.epoch);
        if self.epochs.usable.is_some() || self.epochs.asked.is_some() || now < self.epochs.retry {
            return None;
        }
        self.epochs.asked = highest.max(self.epochs.kept).checked_add(1);
        self.epochs.asked
    }

    /// The lease is not this node's any more.
    pub(super) fn drop_lease(&mut self) {
        self.holder = None;
        self.fit_since = None;
        self.asker = None;
    }
}
