//! A node's daemon: it takes in inputs, executes actions, and pauses between any two of them.

use super::network::Request;
use super::trace::{describe_change, describe_content};
use super::{Event, Life, World};
use crate::checker::Violation;
use crate::{MILLISECOND, Micros};
use lease::{Action, Change, ClusterName, ClusterRecord, Input, Key, Record, StateFileContent};

/// How long a write to disk takes that is not slow; and how long afterwards the daemon learns of it.
const WRITE: Micros = 100;

impl World {
    /// The process continues until it waits for an input, or pauses.
    pub(super) fn run_process(&mut self, node: usize) {
        loop {
            let now = self.now;
            let server = &mut self.nodes[node];
            if server.paused_until > now {
                return;
            }
            let local = server.clock.at(now);
            let Some(process) = &mut server.process else { return };
            if let Some(action) = process.actions.pop_front() {
                let has_no_effect = matches!(action, Action::WakeAt(_) | Action::Notify(_));
                if !has_no_effect && self.random.per_mille(self.profile.pauses) {
                    process.actions.push_front(action);
                    let duration = self.random.between(1, self.profile.max_pause);
                    self.pause(node, duration);
                    return;
                }
                self.execute(node, action);
            } else if let Some(input) = process.inputs.pop_front() {
                let mut out = Vec::with_capacity(4);
                let is_read = matches!(input, Input::Read(..));
                process.machine.step(local, input, &mut out);
                process.actions.extend(out);
                server.steps += 1;
                server.save_shared_leases();
                if let (true, Some(process)) = (is_read, &server.process) {
                    let records = process.machine.views().map(|view| view.record).enumerate();
                    for (cluster, record) in records.filter_map(|(cluster, record)| Some((cluster, record?))) {
                        self.checker.epoch_seen(node, cluster, record.epoch);
                    }
                }
            } else {
                return;
            }
        }
    }

    pub(super) fn pass_input(&mut self, life: Life, input: Input) {
        if self.is_alive(life) {
            if let Some(process) = &mut self.nodes[life.node].process {
                process.inputs.push_back(input);
            }
            self.run_process(life.node);
        }
    }

    pub(super) fn wake(&mut self, life: Life) {
        if !self.is_alive(life) {
            return;
        }
        let now = self.now;
        let process = self.nodes[life.node].process.as_mut();
        // Only the last WakeAt counts.
        if process.is_some_and(|process| process.wake.take_if(|at| *at == now).is_some()) {
            self.pass_input(life, Input::Tick);
        }
    }

    pub(crate) fn pause(&mut self, node: usize, duration: Micros) {
        let until = self.now + duration;
        self.note(|| format!("n{node} pauses for {} ms", duration / MILLISECOND));
        self.nodes[node].paused_until = self.nodes[node].paused_until.max(until);
        let life = self.life(node);
        self.queue.put(until, Event::Resume(life));
    }

    fn execute(&mut self, node: usize, action: Action) {
        let life = self.life(node);
        match action {
            Action::Read { call, keys, .. } => self.send(life, call, Request::Read(keys)),
            Action::Change { call, change, .. } => {
                self.note(|| format!("n{node} asks {}", describe_change(&change)));
                self.check_takeovers(node, &change);
                self.send(life, call, Request::Change(change));
            }
            Action::WriteState { cluster, content } => self.begin_write(life, cluster, content),
            Action::PersistEpoch { cluster, epoch } => self.save_epoch(life, cluster, epoch),
            Action::KeepIdentity(id) => self.nodes[node].kept = Some(id),
            Action::Notify(notice) => self.note(|| format!("n{node} says {notice:?}")),
            Action::WakeAt(local) => {
                let at = self.nodes[node].clock.when(local).max(self.now + 1);
                let process = self.nodes[node].process.as_mut();
                if process.is_some_and(|process| process.wake.replace(at) != Some(at)) {
                    self.queue.put(at, Event::Wake(life));
                }
            }
            Action::Stopped => {
                self.note(|| format!("n{node} has stopped"));
                self.nodes[node].process = None;
            }
        }
    }

    fn save_epoch(&mut self, life: Life, cluster: ClusterName, epoch: u64) {
        let index = self.cluster_index(&cluster);
        let saving = self.nodes[life.node].disk.epochs;
        let done = saving && !self.random.per_mille(self.profile.failed_writes);
        if done || (saving && self.random.per_mille(300)) {
            let saved = &mut self.nodes[life.node].epochs[index];
            *saved = epoch.max(*saved);
        }
        let input = Input::EpochKept { cluster, epoch, done };
        let at = self.now + self.write_duration() + WRITE;
        self.queue.put(at, Event::DiskResult(life, Box::new(input)));
    }

    fn write_duration(&mut self) -> Micros {
        if self.random.per_mille(self.profile.slow_writes) {
            self.random.between(WRITE, self.profile.max_pause)
        } else {
            WRITE
        }
    }

    /// The clusters that the change takes over must get epochs that are new to the node.
    fn check_takeovers(&mut self, node: usize, change: &Change) {
        let Some(process) = &self.nodes[node].process else {
            return;
        };
        for (cluster, view) in process.machine.views().enumerate() {
            let key = Key::Cluster(view.config.name.clone());
            let written = change.writes.iter().find_map(|(of, record)| match record {
                Record::Cluster(record) if *of == key => Some(record),
                _ => None,
            });
            let Some(written) = written else { continue };
            let session = |record: &ClusterRecord| record.holder().map(|by| by.session);
            let is_takeover = session(written).is_some() && view.record.and_then(session) != session(written);
            if is_takeover {
                let result = self.checker.check_takeover(self.now, node, cluster, written.epoch);
                self.broken = self.broken.take().or(result.err());
            }
        }
    }

    fn begin_write(&mut self, life: Life, cluster: ClusterName, content: StateFileContent) {
        let writable = self.nodes[life.node].disk.state_files;
        let done = writable && !self.random.per_mille(self.profile.failed_writes);
        let duration = self.write_duration();
        let index = self.cluster_index(&cluster);
        // A write can fail after the rename: the file then has the new content.
        if done || (writable && self.random.per_mille(300)) {
            let event = Event::Written(life, index, content);
            self.queue.put(self.now + duration, event);
        }
        let input = Input::StateWritten { cluster, done };
        let event = Event::DiskResult(life, Box::new(input));
        self.queue.put(self.now + duration + WRITE, event);
    }

    pub(super) fn complete_write(
        &mut self,
        life: Life,
        cluster: usize,
        content: StateFileContent,
    ) -> Result<(), Violation> {
        if !self.is_alive(life) {
            return Ok(());
        }
        let node = life.node;
        self.note(|| format!("n{node}'s state file of c{cluster}: {}", describe_content(content)));
        self.nodes[node].write_state_file(cluster, content);
        self.note_claim(node, cluster, content);
        self.checker.check_written(self.now, &self.nodes, node, cluster)
    }
}
