//! A server: its clock, what it keeps, and its process, if one runs.

use crate::Micros;
use crate::clock::Clock;
use lease::{
    Action, ClusterConfig, ClusterStart, Input, Machine, Mutation, NodeName, SessionId, Start, StateFileContent,
};
use policy::decide::Reading;
use policy::moment::{BootTime, WallTime};
use policy::state::State;
use std::collections::VecDeque;
use std::time::Duration;

/// A server.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// Its boot clock.
    pub clock: Clock,
    /// How often it was booted.
    pub boots: u32,
    /// Its configuration.
    pub configs: Vec<ClusterConfig>,
    /// Its state files.
    files: Vec<Option<File>>,
    /// The highest epochs on its disk.
    pub epochs: Vec<u64>,
    /// `drain` was said. On disk too.
    pub drained: bool,
    /// The identity under /run.
    pub kept: Option<SessionId>,
    /// The process.
    pub process: Option<Process>,
    /// How many processes there were.
    pub lives: u32,
    /// Its process was told to stop.
    pub stopping: bool,
    /// Until when it stands still.
    pub paused: Micros,
    /// Whether state files can be written.
    pub writable: bool,
    /// Whether requests arrive, and answers.
    pub reaches: [bool; 2],
}

/// A state file: what it says, as rcron reads it.
#[derive(Clone, Debug)]
struct File {
    content: StateFileContent,
    boot: u32,
    reading: Reading,
}

/// A running rcrond.
#[derive(Clone, Debug)]
pub struct Process {
    /// The logic.
    pub machine: Machine,
    /// What it has not taken in yet.
    pub inbox: VecDeque<Input>,
    /// What it has not done yet.
    pub todo: VecDeque<Action>,
    /// When it wants to be woken.
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
            name: NodeName::new(&format!("n{index}")).expect("a plain name"),
            clock,
            boots: 0,
            files: vec![None; configs.len()],
            epochs: vec![0; configs.len()],
            configs,
            drained: false,
            kept: None,
            process: None,
            lives: 0,
            stopping: false,
            paused: 0,
            writable: true,
            reaches: [true, true],
        }
    }

    /// What the clusters are now.
    #[must_use]
    pub fn starts(&self) -> Vec<ClusterStart> {
        let configs = self.configs.iter().enumerate();
        configs
            .map(|(cluster, config)| ClusterStart {
                config: config.clone(),
                drained: self.drained,
                epoch: self.epochs[cluster],
                file: self.found(cluster),
            })
            .collect()
    }

    /// Starts the daemon.
    pub fn start(&mut self, now: Micros, seed: [u64; 2], mutation: Option<Mutation>) {
        let start = Start {
            node: self.name.clone(),
            kept: self.kept,
            seed,
            clusters: self.starts(),
        };
        self.lives += 1;
        self.stopping = false;
        self.paused = now;
        self.process = Some(Process {
            machine: Machine::new(start, self.clock.at(now)).mutated(mutation),
            inbox: VecDeque::from([Input::Tick]),
            todo: VecDeque::new(),
            wake: None,
        });
    }

    /// The id of this boot.
    #[must_use]
    pub fn boot_id(&self) -> Vec<u8> {
        vec![b'a' + u8::try_from(self.boots % 26).unwrap_or(0)]
    }

    /// Boots anew: /run is empty, the state file may be left, the clock begins anew.
    pub fn reboot(&mut self, now: Micros, offset: Micros) {
        self.boots += 1;
        self.kept = None;
        self.clock.booted = now;
        self.clock.offset = offset;
    }

    /// Replaces the state file.
    pub fn write(&mut self, cluster: usize, content: StateFileContent) {
        let state = content.to_state(&self.boot_id(), &self.name, b"2026-11-23T09:15:02Z");
        let reading = Reading::File {
            content: State::parse(&state.line()),
            modified: WallTime(Duration::ZERO),
        };
        let boot = self.boots;
        self.files[cluster] = Some(File { content, boot, reading });
    }

    /// What rcron reads.
    #[must_use]
    pub fn reading(&self, cluster: usize) -> Option<&Reading> {
        self.files[cluster].as_ref().map(|file| &file.reading)
    }

    fn found(&self, cluster: usize) -> Option<(BootTime, u64)> {
        match self.files[cluster].as_ref() {
            Some(File {
                content: StateFileContent::Active { until, epoch, .. },
                boot,
                ..
            }) if *boot == self.boots => Some((*until, *epoch)),
            _ => None,
        }
    }

    /// When its state file stops to be active, in true time.
    #[must_use]
    pub fn active_end(&self, cluster: usize) -> Option<Micros> {
        self.found(cluster).map(|(until, _)| self.clock.when(until))
    }

    /// The epoch of its state file.
    #[must_use]
    pub fn epoch(&self, cluster: usize) -> Option<u64> {
        self.found(cluster).map(|(_, epoch)| epoch)
    }
}
