//! What faults and administrators do to the world.

use super::{Event, World};
use crate::faults::{Fault, FaultProfile, Spoilt};
use crate::node::{Disk, Link};
use crate::store::Loss;
use crate::{Micros, SECOND};
use lease::{ClusterName, ClusterRecord, Input, Key, LeaseDuration, Record, Timing};
use std::time::Duration;

impl World {
    pub(super) fn inject(&mut self, fault: Fault) {
        self.note(|| format!("-- {fault:?}"));
        match fault {
            Fault::Pause(node, duration) => self.pause(node, duration),
            Fault::Kill(node) => self.nodes[node].process = None,
            Fault::Start(node) => self.start(node),
            Fault::Reboot(node) => {
                let offset = self.random.below(10 * SECOND);
                self.nodes[node].reboot(self.now, offset);
                self.checker.rebooted(node, self.now);
                self.forget_claims(node);
            }
            Fault::LoseDisk(node) => {
                self.nodes[node].epochs.fill(0);
                self.nodes[node].drained = false;
                self.checker.disk_lost(node);
            }
            Fault::CutRequests(node, cut) => self.nodes[node].link.requests = !cut,
            Fault::CutAnswers(node, cut) => self.nodes[node].link.answers = !cut,
            Fault::StoreDown => self.store.up = false,
            Fault::StoreUp(loss) => {
                self.store.up = true;
                self.lose(loss);
            }
            Fault::StoreLoses(loss) => self.lose(loss),
            Fault::Snapshot => self.store.take_snapshot(),
            Fault::Writable(node, writable) => self.nodes[node].disk.state_files = writable,
            Fault::Saving(node, saving) => self.nodes[node].disk.epochs = saving,
            Fault::SpoilSession(node) => {
                let key = Key::Session(self.nodes[node].name.clone());
                self.store.overwrite(&key, None);
            }
            Fault::SpoilCluster(cluster, spoilt) => self.spoil_cluster(cluster, spoilt),
            Fault::DeleteCluster(cluster) => self.store.delete(&self.clusters[cluster]),
            Fault::Drain(node, wait) => {
                self.nodes[node].drained = true;
                self.pass_for_each_cluster(node, |cluster| Input::Drain { cluster, wait });
            }
            Fault::Drained(node) => self.pass_for_each_cluster(node, Input::Drained),
            Fault::Undrain(node) => {
                self.nodes[node].drained = false;
                self.pass_for_each_cluster(node, Input::Undrain);
            }
            Fault::Stop(node) => {
                self.nodes[node].stopping = true;
                self.pass_input(self.life(node), Input::Stop);
            }
            Fault::Priority(node, priority) => {
                for config in &mut self.nodes[node].configs {
                    config.priority = priority;
                }
                self.reload(node);
            }
            Fault::Lease(node, lease) => {
                for config in &mut self.nodes[node].configs {
                    config.timing = with_lease(&config.timing, lease);
                }
                self.reload(node);
            }
            Fault::RunOn(node, cluster, run_on) => {
                self.nodes[node].configs[cluster].run_on = run_on;
                self.reload(node);
            }
            Fault::Unconfigure(node) => self.pass_input(self.life(node), Input::Configure(Vec::new())),
            Fault::Heal => self.heal(),
        }
    }

    fn spoil_cluster(&mut self, cluster: usize, spoilt: Spoilt) {
        let name = self.clusters[cluster].clone();
        let record = match spoilt {
            Spoilt::Bytes => None,
            Spoilt::Epoch(epoch) => {
                let Some(record) = self.store.cluster(&name) else {
                    return;
                };
                let ownership = record.ownership.clone();
                let lease = record.lease;
                Some(Record::Cluster(ClusterRecord {
                    epoch,
                    lease,
                    ownership,
                }))
            }
        };
        self.store.overwrite(&Key::Cluster(name), record);
        // The record's epoch is lost.
        self.checker.store_lost_data();
    }

    fn start(&mut self, node: usize) {
        if self.nodes[node].process.is_some() {
            return;
        }
        self.checker.started(node, &self.nodes[node].epochs);
        let seed = [self.random.bits(), self.random.bits()];
        self.nodes[node].start(self.now, seed, self.mutation);
        if let (true, Some(process)) = (self.profile.hints, &mut self.nodes[node].process) {
            process.inputs.push_back(Input::Watching(true));
        }
        self.run_process(node);
    }

    fn pass_for_each_cluster(&mut self, node: usize, input: impl Fn(ClusterName) -> Input) {
        if let Some(process) = &mut self.nodes[node].process {
            process.inputs.extend(self.clusters.iter().cloned().map(input));
        }
        self.run_process(node);
    }

    fn reload(&mut self, node: usize) {
        let starts = self.nodes[node].cluster_starts();
        self.pass_input(self.life(node), Input::Configure(starts));
    }

    fn lose(&mut self, loss: Loss) {
        self.store.lose(loss);
        if loss == Loss::Rewound {
            // Connections end when the store restarts, and what is on its way is lost.
            self.queue.retain(|event| !matches!(event, Event::Request(..)));
        }
        if matches!(loss, Loss::All | Loss::Back | Loss::Rewound) {
            self.checker.store_lost_data();
        }
    }

    fn heal(&mut self) {
        self.profile = FaultProfile {
            hints: self.profile.hints,
            ..FaultProfile::NONE
        };
        self.healed = true;
        self.store.up = true;
        for name in &self.clusters {
            if self.store.is_spoilt(name) {
                self.store.delete(name);
            }
        }
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            node.disk = Disk::WRITABLE;
            node.link = Link::UP;
            node.drained = false;
            if node.stopping {
                node.process = None;
            }
            node.paused_until = self.now;
            self.start(index);
            self.pass_for_each_cluster(index, Input::Undrain);
        }
    }
}

/// The same durations with another lease.
fn with_lease(timing: &Timing, lease: Micros) -> Timing {
    let lease = Duration::from_micros(lease).clamp(LeaseDuration::SHORTEST.get(), LeaseDuration::LONGEST.get());
    Timing::new(lease, timing.settle(), timing.grace(), timing.preempt_delay()).unwrap_or(*timing)
}
