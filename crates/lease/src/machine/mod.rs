//! The machine: inputs with the time, actions as data.

mod observe;
mod outcome;
mod plan;
mod round;
#[cfg(test)]
mod tests;
mod view;

use super::cluster::{Cluster, Duty};
use super::message::{Action, Call, ClusterStart, Incarnation, Input, Start};
use super::mutation::Mutation;
use super::name::{ClusterName, NodeName};
use super::own::{Opening, Own};
use super::random::Random;
use super::tell::{Loss, Notice};
use super::timing::LeaseDuration;
use alloc::vec::Vec;
use core::time::Duration;
use plan::Plan;
use policy::moment::BootTime;
pub use view::{HeldLease, Mode, View};

/// One node's part in the election: one session, any number of clusters.
///
/// It does nothing by itself. Feed it with [`Machine::step`], execute the actions in their order, answer each.
#[derive(Clone, Debug)]
pub struct Machine {
    node: NodeName,
    own: Own,
    clusters: Vec<Cluster>,
    /// The nodes whose sessions are read: holders and askers.
    peers: Vec<NodeName>,
    store: Store,
    phase: Phase,
    calls: Call,
    random: Random,
    stopping: bool,
    finished: bool,
    #[cfg(feature = "mutations")]
    mutation: Option<Mutation>,
}

/// What is known of the store, and when to ask it next.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Store {
    incarnation: Option<Incarnation>,
    revision: Option<u64>,
    known: bool,
    /// Since when the data are known to be the same; `None`: since always.
    trusted: Option<BootTime>,
    /// Calls in a row without an answer.
    silent: u32,
    /// Changes in a row without an answer.
    undone: u32,
    watching: bool,
    hinted: bool,
    /// Begin a round as soon as possible.
    urgent: bool,
    /// When the last round began and ended.
    began: BootTime,
    ended: BootTime,
    /// When to renew.
    renew: BootTime,
    /// No round before this.
    retry: BootTime,
}

/// What the store is being asked.
#[derive(Clone, Debug)]
enum Phase {
    Idle,
    /// `sent` is from before the request went out.
    Reading {
        call: Call,
        sent: BootTime,
        by: BootTime,
    },
    /// The same `sent`: that of the read.
    Changing {
        call: Call,
        sent: BootTime,
        by: BootTime,
        plan: Plan,
    },
}

impl Machine {
    /// Begins. The first [`Machine::step`] is [`Input::Tick`], at once.
    #[must_use]
    pub fn new(start: Start, now: BootTime) -> Self {
        let mut random = Random::new(start.seed);
        let own = match start.kept {
            Some(id) => Own::new(id, Opening::Kept),
            None => Own::new(random.identity(), Opening::Fresh),
        };
        let kept = start.kept.is_some();
        let mut clusters: Vec<_> = start.clusters.into_iter().map(Cluster::new).collect();
        if !kept {
            for cluster in &mut clusters {
                cluster.found = None;
            }
        }
        Self {
            node: start.node,
            own,
            clusters,
            peers: Vec::new(),
            store: Store {
                incarnation: None,
                revision: None,
                known: false,
                trusted: None,
                silent: 0,
                undone: 0,
                watching: false,
                hinted: false,
                urgent: true,
                began: now,
                ended: BootTime(Duration::ZERO),
                renew: now,
                retry: BootTime(Duration::ZERO),
            },
            phase: Phase::Idle,
            calls: 0,
            random,
            stopping: false,
            finished: false,
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }

    /// Leaves a rule out. Only for the simulation.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub fn mutated(mut self, mutation: Option<Mutation>) -> Self {
        self.mutation = mutation;
        self
    }

    #[cfg(feature = "mutations")]
    const fn mutation(&self) -> Option<Mutation> {
        self.mutation
    }

    #[cfg(not(feature = "mutations"))]
    #[expect(clippy::unused_self, reason = "as with the feature, where it is a field")]
    const fn mutation(&self) -> Option<Mutation> {
        None
    }

    /// Takes in what has happened, at a time read *after* it had, and appends what is to be done.
    pub fn step(&mut self, now: BootTime, input: Input, out: &mut Vec<Action>) {
        if self.finished {
            return;
        }
        if self.calls == 0 && self.own.opening == Opening::Fresh {
            out.push(Action::KeepIdentity(self.own.id));
        }
        self.take(now, input, out);
        self.give_up_waiting(now, out);
        self.begin_round_if_due(now, out);
        self.write_files(now, out);
        self.keep_epochs(now, out);
        self.finish_if_stopped(now, out);
        if !self.finished {
            out.push(Action::WakeAt(self.wake_at(now)));
        }
    }

    fn take(&mut self, now: BootTime, input: Input, out: &mut Vec<Action>) {
        match input {
            Input::Tick => {}
            Input::Read(call, reading) => self.take_reading(now, call, reading, out),
            Input::Changed(call, verdict) => self.take_verdict(now, call, verdict, out),
            Input::Hint => self.store.hinted = true,
            Input::Watching(watching) => {
                self.store.watching = watching;
                self.store.hinted = true;
            }
            Input::StateWritten { cluster, done } => self.take_written(now, &cluster, done, out),
            Input::EpochKept { cluster, epoch, done } => self.take_epoch(now, &cluster, epoch, done, out),
            Input::Drain { cluster, wait } => {
                let duty = if wait { Duty::Draining } else { Duty::Out };
                self.assign(&cluster, duty);
            }
            Input::Drained(cluster) => {
                if self.find(&cluster).is_some_and(|found| found.duty == Duty::Draining) {
                    self.assign(&cluster, Duty::Out);
                }
            }
            Input::Undrain(cluster) => self.assign(&cluster, Duty::Serve),
            Input::Configure(clusters) => self.configure(clusters),
            Input::Stop => {
                self.stopping = true;
                self.store.urgent = true;
            }
        }
    }

    fn find(&mut self, name: &ClusterName) -> Option<&mut Cluster> {
        self.clusters.iter_mut().find(|cluster| cluster.config.name == *name)
    }

    fn assign(&mut self, name: &ClusterName, duty: Duty) {
        if let Some(cluster) = self.find(name) {
            cluster.duty = duty;
            self.store.urgent = true;
        }
    }

    fn configure(&mut self, starts: Vec<ClusterStart>) {
        for cluster in &mut self.clusters {
            if !starts.iter().any(|start| start.config.name == cluster.config.name) {
                cluster.duty = Duty::Removed;
            }
        }
        for start in starts {
            match self.find(&start.config.name) {
                Some(cluster) => {
                    cluster.config = start.config;
                    if cluster.duty == Duty::Removed {
                        cluster.duty = if start.drained { Duty::Out } else { Duty::Serve };
                    }
                }
                None => self.clusters.push(Cluster {
                    found: None,
                    ..Cluster::new(start)
                }),
            }
        }
        // What is being read is of the old list.
        if matches!(self.phase, Phase::Reading { .. }) {
            self.phase = Phase::Idle;
        }
        self.store.urgent = true;
    }

    fn take_written(&mut self, now: BootTime, name: &ClusterName, done: bool, out: &mut Vec<Action>) {
        let stopping = self.stopping;
        let Some(cluster) = self.find(name) else { return };
        cluster.file.written(now, done);
        if !done {
            out.push(Action::Notify(Notice::Unwritable(name.clone())));
            if let Some(holder) = &mut cluster.holder {
                holder.failed = true;
            }
            cluster.fit_since = None;
        }
        let leaving = cluster.holder.is_some() && cluster.leaving(stopping);
        self.store.urgent |= leaving;
    }

    fn take_epoch(&mut self, now: BootTime, name: &ClusterName, epoch: u64, done: bool, out: &mut Vec<Action>) {
        let Some(cluster) = self.find(name) else { return };
        let epochs = &mut cluster.epochs;
        epochs.asked = None;
        if done {
            epochs.kept = epochs.kept.max(epoch);
            epochs.usable = Some(epoch);
        } else {
            epochs.retry = now.after(Duration::from_secs(1));
            out.push(Action::Notify(Notice::NoEpoch(name.clone())));
        }
    }

    fn write_files(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let (trusted, mutation) = (self.store.trusted, self.mutation());
        for cluster in &mut self.clusters {
            // Nothing says that it holds what it found once that is over.
            cluster.found = cluster.found.filter(|(until, _)| *until > now);
            let Some(desired) = cluster.desired(now, self.stopping) else {
                continue;
            };
            let late = cluster.holder.as_ref().and_then(|holder| holder.valid);
            if let (Some(holder), true) = (&mut cluster.holder, late.is_some_and(|until| until <= now)) {
                if !core::mem::replace(&mut holder.over_told, true) {
                    out.push(Action::Notify(Notice::LeaseOver(cluster.config.name.clone())));
                }
            }
            // Only who is about to win must show that it can write.
            let soon = cluster.ready_at(trusted, mutation).is_some_and(|at| at <= now) && cluster.duty == Duty::Serve;
            let proof = (cluster.holder.is_none() && soon).then(|| cluster.proof(now));
            if let Some(content) = cluster.file.write(now, desired, proof) {
                let cluster = cluster.config.name.clone();
                out.push(Action::WriteState { cluster, content });
            }
        }
    }

    fn keep_epochs(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if !self.store.known {
            return;
        }
        for cluster in &mut self.clusters {
            if cluster.holder.is_some() {
                continue;
            }
            if let Some(epoch) = cluster.epoch_to_keep(now) {
                let cluster = cluster.config.name.clone();
                out.push(Action::PersistEpoch { cluster, epoch });
            }
        }
    }

    fn finish_if_stopped(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let closed = matches!(self.own.opening, Opening::Fresh | Opening::Sent);
        let idle = matches!(self.phase, Phase::Idle) && closed;
        if self.stopping && idle && self.clusters.iter().all(|cluster| cluster.file.horizon() <= now) {
            self.finished = true;
            out.push(Action::Stopped);
        }
    }

    /// The session is over: everything it held, and its identity.
    fn lose_session(&mut self, why: Loss, out: &mut Vec<Action>) {
        for cluster in &mut self.clusters {
            if cluster.holder.is_some() {
                out.push(Action::Notify(Notice::Lost(cluster.config.name.clone())));
            }
            cluster.drop_lease();
            cluster.attempt = None;
            cluster.found = None;
        }
        out.push(Action::Notify(Notice::SessionLost(why)));
        self.renew_identity(out);
    }

    fn renew_identity(&mut self, out: &mut Vec<Action>) {
        let version = self.own.version;
        self.own = Own::new(self.random.identity(), Opening::Fresh);
        self.own.version = version;
        out.push(Action::KeepIdentity(self.own.id));
    }

    /// The shortest of the leases: what the session is renewed for.
    fn shortest(&self) -> LeaseDuration {
        let leases = self.clusters.iter().map(|cluster| cluster.config.timing.lease());
        leases.min().unwrap_or(LeaseDuration::LONGEST)
    }

    /// The longest: after that another session of this node's name holds nothing any more.
    fn longest(&self) -> LeaseDuration {
        let leases = self.clusters.iter().map(Cluster::term);
        leases.max().unwrap_or(LeaseDuration::SHORTEST)
    }
}
