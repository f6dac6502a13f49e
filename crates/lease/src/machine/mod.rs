//! The machine: inputs with the time go in, actions come out as data.

mod asking;
mod change;
mod data;
mod disk;
mod outcome;
mod plan;
mod reading;
mod refusal;
mod round;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod view;

use super::cluster::{Cluster, Mode};
use super::message::{Action, Call, ClusterStart, Input, Start, StateFileContent};
use super::mutation::Mutation;
use super::name::{ClusterName, NodeName};
use super::own_session::{OwnSession, OwnSessionState};
use super::random::Random;
use super::timing::LeaseDuration;
use alloc::vec::Vec;
use plan::Plan;
use policy::moment::BootTime;
use refusal::RefusedTakeovers;
use store::{Demand, StoreState};
pub use view::{HeldLease, Permission, View};

/// One node's part in the election: one session, any number of clusters.
///
/// The machine does nothing by itself. Pass it each input with [`Machine::step`], execute the actions in their order, and answer
/// each.
#[derive(Clone, Debug)]
pub struct Machine {
    /// This node's name: the key of its session, and its name in the clusters' records.
    node: NodeName,
    /// This node's session, which holds all of its clusters.
    session: OwnSession,
    /// The configured clusters, and those that are released before they are forgotten.
    clusters: Vec<Cluster>,
    /// The other nodes whose sessions the next read covers: the holders and the askers that the last read found.
    peers: Vec<NodeName>,
    /// The nodes whose session records have been unreadable since this was reported.
    unreadable_sessions: Vec<NodeName>,
    /// The takeovers that were refused since the last read.
    refused: Option<RefusedTakeovers>,
    /// What is known of the store, and when to call it next.
    store: StoreState,
    /// The call whose answer the machine waits for. There is at most one.
    phase: Phase,
    /// The number of the last call. An answer to an earlier call is ignored.
    last_call: Call,
    /// The source of identities and jitter.
    random: Random,
    /// Whether [`Input::Stop`] has come, and has been carried out.
    lifecycle: Lifecycle,
    /// The rule that the simulation leaves out.
    #[cfg(feature = "mutations")]
    mutation: Option<Mutation>,
}

/// The call to the store that is under way.
#[derive(Clone, Debug)]
enum Phase {
    Idle,
    /// `sent` is from before the read went out. After `by` there is no answer.
    Reading {
        call: Call,
        sent: BootTime,
        by: BootTime,
    },
    /// `sent` is that of the round's read, because the lease counts from it.
    Changing {
        call: Call,
        sent: BootTime,
        by: BootTime,
        plan: Plan,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifecycle {
    Running,
    /// All clusters are being released, then the session is ended.
    Stopping,
    /// [`Action::Stopped`] was the last action.
    Stopped,
}

impl Machine {
    /// Creates the machine. Its first [`Machine::step`] must be [`Input::Tick`], at once.
    #[must_use]
    pub fn new(start: Start, now: BootTime) -> Self {
        let mut random = Random::new(start.seed);
        let resumed = start.kept;
        let mut session = match resumed {
            Some(id) => OwnSession::resumed(id),
            None => OwnSession::new(random.session_id()),
        };
        for start in &start.clusters {
            let is_named = matches!(start.file, Some(StateFileContent::Shared { session: of, .. }) if of == session.id);
            if resumed.is_some() && (start.shared || is_named) {
                session.share(&start.config.name, start.config.timing.lease());
            }
        }
        let clusters = start.clusters.into_iter().map(|start| match resumed {
            Some(_) => Cluster::new(start),
            None => Cluster::without_inheritance(start),
        });
        Self {
            node: start.node,
            session,
            clusters: clusters.collect(),
            peers: Vec::new(),
            unreadable_sessions: Vec::new(),
            refused: None,
            store: StoreState::new(now),
            phase: Phase::Idle,
            last_call: 0,
            random,
            lifecycle: Lifecycle::Running,
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }

    /// Leaves a rule out.
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

    /// Takes in an event, with a time that was read *after* it, and appends what is to be done.
    pub fn step(&mut self, now: BootTime, input: Input, out: &mut Vec<Action>) {
        if self.is_finished() {
            return;
        }
        if self.last_call == 0 && self.session.state == OwnSessionState::New {
            out.push(Action::KeepIdentity(self.session.id));
        }
        self.take_input(now, input, out);
        self.give_up_waiting(now, out);
        self.begin_round_if_due(now, out);
        self.write_state_files(now, out);
        self.reserve_epochs(now, out);
        self.finish_if_stopped(now, out);
        if !self.is_finished() {
            out.push(Action::WakeAt(self.wake_at(now)));
        }
    }

    fn take_input(&mut self, now: BootTime, input: Input, out: &mut Vec<Action>) {
        match input {
            Input::Tick => {}
            Input::Read(call, reading) => self.take_reading(now, call, reading, out),
            Input::Changed(call, verdict) => self.take_verdict(now, call, verdict, out),
            Input::Hint => self.store.demand(Demand::Hinted),
            Input::Watching(watching) => {
                self.store.watching = watching;
                self.store.demand(Demand::Hinted);
            }
            Input::StateWritten { cluster, done } => self.take_state_written(now, &cluster, done, out),
            Input::EpochKept { cluster, epoch, done } => self.take_epoch_saved(now, &cluster, epoch, done, out),
            Input::Drain { cluster, wait } => self.set_mode(&cluster, if wait { Mode::Drain } else { Mode::Out }),
            Input::Drained(cluster) => {
                if self
                    .find_cluster(&cluster)
                    .is_some_and(|found| found.mode == Mode::Drain)
                {
                    self.set_mode(&cluster, Mode::Out);
                }
            }
            Input::Undrain(cluster) => self.set_mode(&cluster, Mode::Serve),
            Input::Configure(clusters) => self.configure(clusters),
            Input::Stop => {
                self.lifecycle = Lifecycle::Stopping;
                self.store.demand(Demand::Urgent);
            }
        }
    }

    fn find_cluster(&mut self, name: &ClusterName) -> Option<&mut Cluster> {
        self.clusters.iter_mut().find(|cluster| cluster.config.name == *name)
    }

    fn set_mode(&mut self, name: &ClusterName, mode: Mode) {
        if let Some(cluster) = self.find_cluster(name) {
            cluster.mode = mode;
            self.store.demand(Demand::Urgent);
        }
    }

    fn configure(&mut self, starts: Vec<ClusterStart>) {
        for cluster in &mut self.clusters {
            if !starts.iter().any(|start| start.config.name == cluster.config.name) {
                cluster.mode = Mode::Removed;
            }
        }
        for start in starts {
            match self.find_cluster(&start.config.name) {
                Some(cluster) => {
                    cluster.config = start.config;
                    if cluster.mode == Mode::Removed {
                        cluster.mode = Mode::at_start(start.drained);
                    }
                }
                None => self.clusters.push(Cluster::without_inheritance(start)),
            }
        }
        // A read that is under way is for the old list.
        if matches!(self.phase, Phase::Reading { .. }) {
            self.phase = Phase::Idle;
        }
        self.store.demand(Demand::Urgent);
    }

    /// The shortest lease that is configured, or that this session shares a cluster with: the session is renewed for all at once.
    fn shortest_lease(&self) -> LeaseDuration {
        let lease = |cluster: &Cluster| {
            let configured = cluster.config.timing.lease();
            let shared = self.session.shared_lease(&cluster.config.name);
            shared.map_or(configured, |shared| shared.shortest.min(configured))
        };
        self.clusters.iter().map(lease).min().unwrap_or(LeaseDuration::LONGEST)
    }

    /// The longest lease that a session of this node's name can have.
    fn longest_lease(&self) -> LeaseDuration {
        let leases = self.clusters.iter().map(Cluster::longest_lease);
        leases.max().unwrap_or(LeaseDuration::SHORTEST)
    }

    fn is_stopping(&self) -> bool {
        self.lifecycle != Lifecycle::Running
    }

    fn finish_if_stopped(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let closed = matches!(self.session.state, OwnSessionState::New | OwnSessionState::Opening);
        let idle = matches!(self.phase, Phase::Idle) && closed;
        let passive =
            |cluster: &Cluster| cluster.state_file.active_until().max(cluster.state_file.shared_until()) <= now;
        if self.is_stopping() && idle && self.clusters.iter().all(passive) {
            self.lifecycle = Lifecycle::Stopped;
            out.push(Action::Stopped);
        }
    }
}
