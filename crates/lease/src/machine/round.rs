//! When a round begins, and its read.

use super::{Demand, Machine, Phase};
use crate::cluster::{Cluster, Mode};
use crate::message::{Action, Call, Key, RunOn, StateFileContent};
use crate::mutation::Mutation;
use crate::own_session::OwnSessionState;
use crate::timing::BOOT;
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;

/// The shortest pause between two rounds.
const PAUSE: Duration = Duration::from_millis(5);
/// The shortest time between the beginnings of two rounds that hints cause: a store with a thousand nodes hints often.
const HINT_PAUSE: Duration = Duration::from_millis(50);

impl Machine {
    pub(super) fn begin_round_if_due(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Idle) && now >= self.round_due(now) {
            self.begin_round(now, out);
        }
    }

    fn begin_round(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let mutation = self.mutation();
        // A cluster that was perhaps won is kept until a read shows it; otherwise it would never be released.
        self.clusters.retain(|cluster| {
            let idle = cluster.unanswered_takeover.is_none() && cluster.state_file.is_idle();
            // The session must not be ended before that.
            let shared = cluster.state_file.shared_until() > now && mutation != Some(Mutation::ForgottenWhileShared);
            cluster.mode != Mode::Removed || cluster.holder.is_some() || !idle || shared
        });
        self.store.demand = Demand::None;
        self.store.round_began = now;
        let (call, by) = self.next_call(now);
        self.phase = Phase::Reading { call, sent: now, by };
        let keys = self.keys();
        out.push(Action::Read { call, keys, by });
    }

    /// What a read covers: this node's session, the clusters, the peers' sessions.
    pub(super) fn keys(&self) -> Vec<Key> {
        let own = core::iter::once(Key::Session(self.node.clone()));
        let clusters = self.clusters.iter().map(|cluster| &cluster.config.name);
        let peers = self.peers.iter().cloned().map(Key::Session);
        own.chain(clusters.cloned().map(Key::Cluster)).chain(peers).collect()
    }

    /// The number of a new call, and when to give up waiting for its answer.
    pub(super) fn next_call(&mut self, now: BootTime) -> (Call, BootTime) {
        self.last_call += 1;
        (self.last_call, now.after(self.shortest_lease().call_limit()))
    }

    pub(super) fn give_up_waiting(&mut self, now: BootTime, out: &mut Vec<Action>) {
        match &self.phase {
            Phase::Reading { by, .. } if *by <= now => self.take_no_answer(now, out),
            Phase::Changing { by, .. } if *by <= now => self.take_unanswered_change(now, out),
            _ => {}
        }
    }

    fn round_due(&self, now: BootTime) -> BootTime {
        let store = &self.store;
        let earliest = store.round_ended.after(PAUSE).max(store.retry_at);
        if store.demand == Demand::Urgent {
            return earliest;
        }
        let lease = self.shortest_lease();
        let is_candidate = |cluster: &Cluster| cluster.holder.is_none() && cluster.config.run_on == RunOn::Active;
        let has_candidate = self.clusters.iter().any(is_candidate);
        let interval = if store.watching || !has_candidate {
            lease.third()
        } else {
            lease.poll_interval()
        };
        let usual = store.round_began.after(interval);
        let renewal = self.session.is_open().then_some(store.renew_at);
        let hint = (store.demand == Demand::Hinted).then(|| store.round_began.after(HINT_PAUSE));
        let conflict = self.session.name_conflict.as_ref().filter(|_| !self.session.is_open());
        let opening = conflict.map(|watch| watch.since.after(self.longest_lease().wait_duration()));
        let clusters = self
            .clusters
            .iter()
            .filter_map(|cluster| self.cluster_due(cluster, now));
        let ending = self.waits_for_shares().then(|| self.shared_until());
        let times = [renewal, hint, opening, ending].into_iter().flatten().chain(clusters);
        times.fold(usual, BootTime::min).max(earliest)
    }

    /// Until when a state file can be shared.
    pub(super) fn shared_until(&self) -> BootTime {
        let ends = self.clusters.iter().map(|cluster| cluster.state_file.shared_until());
        ends.max().unwrap_or(BOOT)
    }

    /// Whether only shared state files keep this node from ending its session.
    fn waits_for_shares(&self) -> bool {
        let holds = self.clusters.iter().any(|cluster| cluster.holder.is_some());
        self.is_stopping() && self.session.is_open() && !holds
    }

    /// When there will be something to change for this cluster.
    fn cluster_due(&self, cluster: &Cluster, now: BootTime) -> Option<BootTime> {
        if cluster.holder.is_some() {
            let release = cluster.must_release(self.is_stopping());
            return release.then(|| cluster.release_at(self.mutation()));
        }
        if self.is_stopping() || !(self.session.is_open() || self.session.may_open) {
            return None;
        }
        let takeover = cluster.takeover_at(self.store.trusted_since, self.mutation());
        let takeover = takeover.filter(|_| cluster.can_take_over(now));
        let ask = self.ask_at(cluster).filter(|_| cluster.is_able_candidate());
        takeover.into_iter().chain(ask).min()
    }

    /// When something must be done although nothing happens.
    pub(super) fn wake_at(&self, now: BootTime) -> BootTime {
        let store = match &self.phase {
            Phase::Idle => self.round_due(now),
            Phase::Reading { by, .. } | Phase::Changing { by, .. } => *by,
        };
        let clusters = self.clusters.iter().flat_map(|cluster| {
            let inherited = cluster.inherited.and_then(StateFileContent::until);
            let holder = cluster.holder.as_ref();
            let active_from = holder.map(|holder| holder.active_from);
            let valid_until = holder.and_then(|holder| holder.valid_until);
            let stopped = self.is_stopping().then(|| cluster.state_file.active_until());
            // The state file is passive from then on.
            let shared = Some(cluster.state_file.shared_until());
            // The state file is then written to prove that it can be.
            let takeover = cluster.takeover_at(self.store.trusted_since, self.mutation());
            let takeover = takeover.filter(|_| cluster.is_able_candidate());
            let may_reserve = self.session.state != OwnSessionState::Resumed;
            let epoch = cluster.epochs.retry_at().filter(|_| may_reserve);
            let file = cluster.state_file.retry_at();
            let times = [
                file,
                inherited,
                active_from,
                valid_until,
                stopped,
                shared,
                takeover,
                epoch,
            ];
            // This step has done what was due earlier.
            times.into_iter().flatten().filter(move |at| *at > now)
        });
        clusters.fold(store, BootTime::min).max(now)
    }
}
