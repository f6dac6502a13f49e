//! A cluster that this node holds: how it comes to hold it, what ends that, and to whom it hands over.

use super::Cluster;
use crate::message::{Action, RunOn, StateFileContent};
use crate::mutation::Mutation;
use crate::name::{NodeName, SessionId};
use crate::notice::Notice;
use crate::record::{ClusterRecord, Ownership, SessionRef};
use crate::sessions::Sessions;
use crate::timing::BOOT;
use crate::watch::Liveness;
use alloc::vec::Vec;
use policy::moment::BootTime;

/// What this node knows of a cluster that it holds.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// The fencing token.
    pub(crate) epoch: u64,
    /// The end of the lease; `None` until the first renewal, and once a release was sent.
    pub(crate) valid_until: Option<BootTime>,
    /// The state is not active before this: `settle` after the takeover.
    pub(crate) active_from: BootTime,
    /// The asker to which this node hands over.
    pub(crate) handover_target: Option<NodeName>,
    /// The cluster must be released: its state file could not be written, or nothing explains why this node holds it.
    pub(crate) giving_up: bool,
    /// The end of the lease has been reported, and the lease has not been renewed since.
    expiry_reported: bool,
}

impl Holder {
    pub(crate) const fn new(epoch: u64, active_from: BootTime) -> Self {
        Self {
            epoch,
            valid_until: None,
            active_from,
            handover_target: None,
            giving_up: false,
            expiry_reported: false,
        }
    }
}

impl Cluster {
    /// The epoch, if the record names this session as the holder.
    pub(crate) fn epoch_held_by(&self, node: &NodeName, id: SessionId) -> Option<u64> {
        let record = self.record()?;
        let by = record.holder()?;
        (by.node == *node && by.session == id).then_some(record.epoch)
    }

    /// The record names this session. Two things explain that: a takeover without an answer, or an earlier process whose state
    /// file has the record's epoch and has not expired. Returns whether neither does.
    ///
    /// Then the earlier process was waiting for `settle`, or releasing the cluster, or its lease has expired. Or the store went back to
    /// an older state, and another node may still be active. So this node stays passive for a whole wait, and then releases the cluster.
    pub(crate) fn adopt(&mut self, now: BootTime, mutation: Option<Mutation>, out: &mut Vec<Action>) -> bool {
        self.watch = None;
        if self.holder.is_some() {
            return false;
        }
        let epoch = self.recorded_epoch();
        // No lease of this cluster ends later than that, whatever the file says.
        let latest = now.after(self.shortest_lease().active_duration());
        let valid_until = match self.inherited {
            Some(StateFileContent::Active { until, epoch: of, .. }) if of == epoch && until > now => {
                Some(until.min(latest))
            }
            _ => None,
        };
        let unexplained = valid_until.is_none()
            && self.unanswered_takeover != Some(epoch)
            && mutation != Some(Mutation::AdoptExpired);
        // Another node may be active until then.
        let other_until = if unexplained {
            now.after(self.longest_lease().wait_duration())
        } else {
            now
        };
        let settled = other_until.after(self.config.timing.settle());
        self.holder = Some(Holder {
            valid_until,
            giving_up: unexplained,
            ..Holder::new(epoch, if valid_until.is_some() { now } else { settled })
        });
        self.epochs.discard();
        if unexplained {
            self.state_file.assume_other_active_until(other_until);
        } else if valid_until.is_none() {
            out.push(Action::Notify(Notice::Won {
                cluster: self.config.name.clone(),
                epoch,
                from: None,
            }));
        }
        unexplained
    }

    /// The record does not name this session.
    pub(crate) fn lose(&mut self, stopping: bool, out: &mut Vec<Action>) {
        if self.holder.is_none() {
            return;
        }
        // If the release was sent, it is done.
        let name = self.config.name.clone();
        out.push(Action::Notify(if self.must_release(stopping) {
            Notice::Released(name)
        } else {
            Notice::Lost(name)
        }));
        self.drop_lease();
    }

    /// Forgets all that depends on holding the cluster, or on being able to win it.
    pub(crate) fn drop_lease(&mut self) {
        self.keep_last_ownership();
        self.holder = None;
        self.able_since = None;
        self.asker = None;
    }

    /// Hands over to an asker of higher priority, once it is seen to renew its session.
    pub(crate) fn listen_to_asker(&mut self, sessions: &Sessions<'_>, now: BootTime, out: &mut Vec<Action>) {
        let Some(Ownership::Held { ask, .. }) = self.record().map(|record| &record.ownership) else {
            return;
        };
        let is_higher = |ask: &&SessionRef| ask.priority > self.config.priority && ask.node != *sessions.node;
        let ask = ask.as_ref().filter(is_higher).cloned();
        match &ask {
            Some(ask) => Liveness::update(&mut self.asker, ask.session, sessions.open_version(ask), now),
            None => self.asker = None,
        }
        let alive = self.asker.as_ref().is_some_and(|asker| asker.alive);
        let target = ask.filter(|_| alive).map(|ask| ask.node);
        let Some(holder) = &mut self.holder else { return };
        if let (None, Some(target)) = (&holder.handover_target, &target) {
            out.push(Action::Notify(Notice::HandingOver {
                cluster: self.config.name.clone(),
                handover_target: target.clone(),
            }));
        }
        holder.handover_target = target;
    }

    /// Whether this node, if it holds the cluster, is to release it.
    pub(crate) fn must_release(&self, stopping: bool) -> bool {
        let holder = self.holder.as_ref();
        self.must_stay_out(stopping)
            || self.config.run_on == RunOn::Any
            || holder.is_some_and(|holder| holder.giving_up || holder.handover_target.is_some())
    }

    /// When the cluster can be released: `grace` after no state file can be active.
    pub(crate) fn release_at(&self, mutation: Option<Mutation>) -> BootTime {
        match mutation {
            Some(Mutation::ReleaseBeforePassive) => BOOT,
            Some(Mutation::GraceIgnored) => self.state_file.active_until(),
            _ => self.state_file.active_until().after(self.config.timing.grace()),
        }
    }

    /// A round that began at `sent` is done, so the lease counts from then.
    pub(crate) fn renew(&mut self, now: BootTime, sent: BootTime, mutation: Option<Mutation>) {
        let lease = self.shortest_lease();
        let duration = match mutation {
            Some(Mutation::NoMargin) => lease.get(),
            _ => lease.active_duration(),
        };
        let from = match mutation {
            Some(Mutation::DeadlineFromAnswer) => now,
            _ => sent,
        };
        if let Some(holder) = &mut self.holder {
            let until = from.after(duration);
            holder.valid_until = Some(until);
            holder.expiry_reported &= until <= now;
        }
    }

    /// Whether the lease has expired and this was not reported yet.
    pub(crate) fn has_newly_expired(&mut self, now: BootTime) -> bool {
        let Some(holder) = &mut self.holder else { return false };
        let expired = holder.valid_until.is_some_and(|until| until <= now);
        expired && !core::mem::replace(&mut holder.expiry_reported, true)
    }

    /// The record with the lease and the priority that are configured now; `None` if it has both. A shorter lease is written once
    /// the state file keeps to it: `sent` is when the round began.
    pub(crate) fn amended_record(&self, sent: BootTime, mutation: Option<Mutation>) -> Option<ClusterRecord> {
        let (lease, priority) = (self.config.timing.lease(), self.config.priority);
        let record = self.record()?;
        let Ownership::Held { by, ask } = &record.ownership else {
            return None;
        };
        let can_change = lease > record.lease
            || mutation == Some(Mutation::LoweredAtOnce)
            || self.ends_by(sent.after(lease.active_duration()));
        let lease = if can_change { lease } else { record.lease };
        if lease == record.lease && priority == by.priority {
            return None;
        }
        Some(ClusterRecord {
            epoch: record.epoch,
            lease,
            ownership: Ownership::Held {
                by: SessionRef { priority, ..by.clone() },
                ask: ask.clone(),
            },
        })
    }

    /// Whether neither the state file nor the lease lasts beyond `end`.
    fn ends_by(&self, end: BootTime) -> bool {
        let valid_until = self.holder.as_ref().and_then(|holder| holder.valid_until);
        self.state_file.active_until() <= end && valid_until.is_some_and(|until| until <= end)
    }
}
