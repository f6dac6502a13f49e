//! When to ask the store, and for what.

use super::{Machine, Phase};
use crate::cluster::{Cluster, Duty};
use crate::message::{Action, Key};
use crate::own::Opening;
use crate::tell::Notice;
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;

/// Rounds do not follow each other quicker than this.
const PAUSE: Duration = Duration::from_millis(5);
/// Nor those that hints begin: a store with a thousand nodes hints often.
const HINT_PAUSE: Duration = Duration::from_millis(50);
const RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_millis(300);
/// When the store is back, the holder comes back too, a little later than we perhaps. Else each outage would be a failover.
const COURTESY: Duration = Duration::from_millis(400);

impl Machine {
    pub(super) fn begin_round_if_due(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Idle) && now >= self.due(now) {
            self.begin_round(now, out);
        }
    }

    fn begin_round(&mut self, now: BootTime, out: &mut Vec<Action>) {
        // One that was perhaps won is kept until the next answer tells, or nobody would ever give it back.
        self.clusters.retain(|cluster| {
            let open = cluster.holder.is_some() || cluster.attempt.is_some() || !cluster.file.idle();
            cluster.duty != Duty::Removed || open
        });
        self.store.hinted = false;
        self.store.urgent = false;
        self.store.began = now;
        self.calls += 1;
        let by = now.after(self.shortest().call_limit());
        self.phase = Phase::Reading {
            call: self.calls,
            sent: now,
            by,
        };
        let own = core::iter::once(Key::Session(self.node.clone()));
        let clusters = self
            .clusters
            .iter()
            .map(|cluster| Key::Cluster(cluster.config.name.clone()));
        let peers = self.peers.iter().cloned().map(Key::Session);
        out.push(Action::Read {
            call: self.calls,
            keys: own.chain(clusters).chain(peers).collect(),
            by,
        });
    }

    /// An answer that has not come by now is none.
    pub(super) fn give_up_waiting(&mut self, now: BootTime, out: &mut Vec<Action>) {
        match &self.phase {
            Phase::Reading { by, .. } if *by <= now => self.no_answer(now, out),
            Phase::Changing { by, .. } if *by <= now => self.unanswered(now, out),
            _ => {}
        }
    }

    /// The store does not answer: again a little later.
    pub(super) fn no_answer(&mut self, now: BootTime, out: &mut Vec<Action>) {
        self.phase = Phase::Idle;
        let span = RETRY.saturating_mul(1 << self.store.silent.min(3)).min(LONGEST_RETRY);
        self.store.retry = now.after(self.random.jitter(span));
        self.store.silent = self.store.silent.saturating_add(1);
        self.store.urgent = true;
        if self.store.silent == 2 {
            out.push(Action::Notify(Notice::StoreSilent));
        }
    }

    /// The store has answered a read: it is well, unless it answers reads only.
    pub(super) fn read_answered(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if self.store.undone == 0 {
            self.answered(now, out);
        }
    }

    /// The store has answered a change, or a read where changes were well.
    pub(super) fn answered(&mut self, now: BootTime, out: &mut Vec<Action>) {
        self.store.undone = 0;
        if self.store.silent >= 2 {
            for cluster in &mut self.clusters {
                cluster.not_before = cluster.not_before.max(now.after(COURTESY));
            }
            out.push(Action::Notify(Notice::StoreBack));
        }
        self.store.silent = 0;
    }

    /// When the next round begins.
    fn due(&self, now: BootTime) -> BootTime {
        let store = &self.store;
        let floor = store.ended.after(PAUSE).max(store.retry);
        if store.urgent {
            return floor;
        }
        let shortest = self.shortest();
        let candidate = self.clusters.iter().any(|cluster| cluster.holder.is_none());
        let poll = if store.watching || !candidate {
            shortest.third()
        } else {
            shortest.poll()
        };
        let mut at = store.began.after(poll);
        if self.own.is_open() {
            at = at.min(store.renew);
        }
        if store.hinted {
            at = at.min(store.began.after(HINT_PAUSE));
        }
        if let (false, Some(name_conflict)) = (self.own.is_open(), &self.own.name_conflict) {
            at = at.min(
                name_conflict
                    .since
                    .after(self.longest().wait())
                    .max(store.ended.after(PAUSE)),
            );
        }
        let clusters = self
            .clusters
            .iter()
            .filter_map(|cluster| self.cluster_due(cluster, now));
        clusters.fold(at, BootTime::min).max(floor)
    }

    /// When there will be something to change for this cluster.
    fn cluster_due(&self, cluster: &Cluster, now: BootTime) -> Option<BootTime> {
        if cluster.holder.is_some() {
            let leaving = cluster.leaving(self.stopping);
            return leaving.then(|| cluster.release_at(self.mutation()));
        }
        if self.stopping || !(self.own.is_open() || self.own.may_open) {
            return None;
        }
        let ready = cluster
            .ready_at(self.store.trusted, self.mutation())
            .filter(|_| cluster.fit(now));
        let ask = self.ask_at(cluster).filter(|_| cluster.able());
        match (ready, ask) {
            (Some(ready), Some(ask)) => Some(ready.min(ask)),
            _ => ready.or(ask),
        }
    }

    /// When something is to be done though nothing happens.
    pub(super) fn wake_at(&self, now: BootTime) -> BootTime {
        let store = match &self.phase {
            Phase::Idle => self.due(now),
            Phase::Reading { by, .. } | Phase::Changing { by, .. } => *by,
        };
        let clusters = self.clusters.iter().flat_map(|cluster| {
            let file = cluster.file.idle().then(|| cluster.file.retry());
            let found = cluster.found.map(|(until, _)| until);
            let holder = cluster.holder.as_ref();
            let from = holder.map(|holder| holder.active_from);
            let until = holder.and_then(|holder| holder.valid);
            let stop = self.stopping.then(|| cluster.file.horizon());
            // Then the file is written to show that it can be.
            let ready = cluster.ready_at(self.store.trusted, self.mutation());
            let ready = ready.filter(|_| cluster.able());
            let epoch = (self.own.opening != Opening::Kept).then_some(cluster.epochs.retry);
            // What is past has been seen to in this step.
            let times = [file, found, from, until, stop, ready, epoch];
            times.into_iter().flatten().filter(move |at| *at > now)
        });
        clusters.fold(store, BootTime::min).max(now)
    }
}
