//! A server: its clock, its disk, and its daemon, if one runs.

use crate::Micros;
use crate::clock::Clock;
use lease::{
    Action, ClusterConfig, ClusterStart, Input, LeaseDuration, Machine, Mutation, NodeName, SessionId, Start,
    StateFileContent,
};
use policy::decide::Reading;
use policy::moment::{BootTime, WallTime};
use policy::state::State;
use std::collections::VecDeque;
use std::time::Duration;

/// A server.
#[derive(Clone, Debug)]
pub struct Node {
    /// `n0`, `n1`, and so on.
    pub name: NodeName,
    /// Begins again with each boot.
    pub clock: Clock,
    /// The number of boots after the first.
    pub reboots: u32,
    /// One for each cluster, in the same order on all nodes.
    pub configs: Vec<ClusterConfig>,
    /// The state file of each cluster.
    files: Vec<Option<StateFile>>,
    /// How often a state file was written: changes with each of them.
    pub file_writes: u32,
    /// The highest saved epoch of each cluster.
    pub epochs: Vec<u64>,
    /// All clusters are drained here. Survives a restart.
    pub drained: bool,
    /// The identity under /run.
    pub kept: Option<SessionId>,
    /// With it: the leases with which the session has shared the clusters.
    kept_leases: Vec<Option<LeaseDuration>>,
    /// The running daemon.
    pub process: Option<Process>,
    /// How many processes were started: distinguishes an event for an earlier one.
    pub lives: u32,
    /// How often a machine was started or has taken a step: as long as it is the same, its views are.
    pub steps: u64,
    /// The process got SIGTERM.
    pub stopping: bool,
    /// The process does nothing before this.
    pub paused_until: Micros,
    /// What can be written.
    pub disk: Disk,
    /// The network.
    pub link: Link,
}

/// Which messages between a node and the store arrive.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// From the node to the store.
    pub requests: bool,
    /// From the store to the node.
    pub answers: bool,
}

/// What can be written. State files and epochs are on different file systems.
#[derive(Clone, Copy, Debug)]
pub struct Disk {
    /// Under /run.
    pub state_files: bool,
    /// Under /var.
    pub epochs: bool,
}

/// A state file as it was written, and as rcron reads it.
#[derive(Clone, Debug)]
struct StateFile {
    content: StateFileContent,
    boot: u32,
    reading: Reading,
}

/// A running rcrond.
#[derive(Clone, Debug)]
pub struct Process {
    /// The logic that is checked.
    pub machine: Machine,
    /// Inputs that the machine has not taken in yet.
    pub inputs: VecDeque<Input>,
    /// Actions that are not executed yet.
    pub actions: VecDeque<Action>,
    /// The time of the last [`Action::WakeAt`], if it has not come yet.
    pub wake: Option<Micros>,
}

impl Node {
    /// A server that has never run anything.
    ///
    /// # Panics
    /// Never: `n` and a number is a node's name.
    #[must_use]
    pub fn new(index: usize, clock: Clock, configs: Vec<ClusterConfig>) -> Self {
        Self {
            name: NodeName::new(&format!("n{index}")).expect("visible ASCII characters"),
            clock,
            reboots: 0,
            files: vec![None; configs.len()],
            file_writes: 0,
            epochs: vec![0; configs.len()],
            configs,
            drained: false,
            kept: None,
            kept_leases: Vec::new(),
            process: None,
            lives: 0,
            steps: 0,
            stopping: false,
            paused_until: 0,
            disk: Disk::WRITABLE,
            link: Link::UP,
        }
    }

    /// The clusters as a daemon finds them now.
    #[must_use]
    pub fn cluster_starts(&self) -> Vec<ClusterStart> {
        let configs = self.configs.iter().enumerate();
        configs
            .map(|(cluster, config)| ClusterStart {
                config: config.clone(),
                drained: self.drained,
                epoch: self.epochs[cluster],
                file: self.content_of_this_boot(cluster),
                shared: self.kept_leases.get(cluster).is_some_and(Option::is_some),
            })
            .collect()
    }

    /// Starts the daemon.
    pub fn start(&mut self, now: Micros, seed: [u64; 2], mutation: Option<Mutation>) {
        let start = Start {
            node: self.name.clone(),
            kept: self.kept.filter(|_| self.has_kept_leases()),
            seed,
            clusters: self.cluster_starts(),
        };
        self.lives += 1;
        self.steps += 1;
        self.stopping = false;
        self.paused_until = now;
        self.process = Some(Process {
            machine: Machine::new(start, self.clock.at(now)).mutated(mutation),
            inputs: VecDeque::from([Input::Tick]),
            actions: VecDeque::new(),
            wake: None,
        });
    }

    /// The daemon saves with the identity what the session shares.
    pub fn save_shared_leases(&mut self) {
        if let Some(process) = &self.process {
            self.kept_leases.clear();
            self.kept_leases
                .extend(process.machine.views().map(|view| view.shared_lease));
        }
    }

    /// An identity is not used if it has shared a cluster with another lease than the one that is configured.
    fn has_kept_leases(&self) -> bool {
        let mut pairs = self.kept_leases.iter().zip(&self.configs);
        pairs.all(|(kept, config)| kept.is_none_or(|kept| kept == config.timing.lease()))
    }

    /// Differs from boot to boot.
    #[must_use]
    pub fn boot_id(&self) -> Vec<u8> {
        vec![b'a' + u8::try_from(self.reboots % 26).unwrap_or(0)]
    }

    /// /run is empty after a boot, and the clock begins again. The state file may be on a disk.
    pub fn reboot(&mut self, now: Micros, offset: Micros) {
        self.process = None;
        self.reboots += 1;
        self.kept = None;
        self.clock.booted = now;
        self.clock.offset = offset;
    }

    /// Replaces the state file.
    pub fn write_state_file(&mut self, cluster: usize, content: StateFileContent) {
        let state = content.to_state(&self.boot_id(), &self.name, b"2026-11-23T09:15:02Z");
        let reading = Reading::File {
            content: State::parse(&state.line()),
            modified: WallTime(Duration::ZERO),
        };
        let boot = self.reboots;
        self.files[cluster] = Some(StateFile { content, boot, reading });
        self.file_writes += 1;
    }

    /// What rcron reads from the state file; `None` if it was never written.
    #[must_use]
    pub fn state_file(&self, cluster: usize) -> Option<&Reading> {
        self.files[cluster].as_ref().map(|file| &file.reading)
    }

    /// What the state file says, if it was written on this boot and is not passive.
    #[must_use]
    pub fn content_of_this_boot(&self, cluster: usize) -> Option<StateFileContent> {
        let file = self.files[cluster].as_ref()?;
        let has_lease = file.content != StateFileContent::Passive && file.boot == self.reboots;
        has_lease.then_some(file.content)
    }

    /// `until` and epoch of an active state file of this boot.
    fn lease_in_file(&self, cluster: usize) -> Option<(BootTime, u64)> {
        match self.content_of_this_boot(cluster)? {
            StateFileContent::Active { until, epoch, .. } => Some((until, epoch)),
            _ => None,
        }
    }

    /// When the state file's lease ends, in true time.
    #[must_use]
    pub fn active_until(&self, cluster: usize) -> Option<Micros> {
        self.lease_in_file(cluster).map(|(until, _)| self.clock.when(until))
    }

    /// The epoch in the state file.
    #[must_use]
    pub fn epoch(&self, cluster: usize) -> Option<u64> {
        self.lease_in_file(cluster).map(|(_, epoch)| epoch)
    }
}

impl Disk {
    /// Everything.
    pub const WRITABLE: Self = Self {
        state_files: true,
        epochs: true,
    };
}

impl Link {
    /// Nothing is cut.
    pub const UP: Self = Self {
        requests: true,
        answers: true,
    };
}
