//! What faults and people do to the world.

use super::World;
use crate::faults::{Fault, Weather};
use crate::store::Loss;
use crate::{Micros, SECOND};
use lease::{ClusterName, Input, LeaseDuration, Timing};
use std::time::Duration;

impl World {
    fn start(&mut self, node: usize) {
        if self.nodes[node].process.is_none() {
            let seed = [self.random.bits(), self.random.bits()];
            let (now, mutation) = (self.now, self.mutation);
            self.nodes[node].start(now, seed, mutation);
            if self.weather.hints {
                if let Some(process) = &mut self.nodes[node].process {
                    process.inbox.push_back(Input::Watching(true));
                }
            }
            self.go(node);
        }
    }

    fn tell_all(&mut self, node: usize, input: impl Fn(ClusterName) -> Input) {
        let names = self.names.clone();
        if let Some(process) = &mut self.nodes[node].process {
            process.inbox.extend(names.into_iter().map(input));
        }
        self.go(node);
    }

    pub(super) fn strike(&mut self, fault: Fault) {
        self.note(|| format!("-- {fault:?}"));
        match fault {
            Fault::Pause(node, span) => self.pause(node, span),
            Fault::Kill(node) => self.nodes[node].process = None,
            Fault::Start(node) => self.start(node),
            Fault::Reboot(node) => {
                self.nodes[node].process = None;
                let (now, offset) = (self.now, self.random.below(10 * SECOND));
                self.nodes[node].reboot(now, offset);
                self.checker.rebooted(node, now);
            }
            Fault::LoseDisk(node) => {
                self.nodes[node].epochs.fill(0);
                self.nodes[node].drained = false;
                self.checker.disk_lost(node);
            }
            Fault::CutTo(node, cut) => self.nodes[node].reaches[0] = !cut,
            Fault::CutFrom(node, cut) => self.nodes[node].reaches[1] = !cut,
            Fault::StoreDown => self.store.up = false,
            Fault::StoreUp(loss) => {
                self.store.up = true;
                self.lose(loss);
            }
            Fault::StoreLoses(loss) => self.lose(loss),
            Fault::Snapshot => self.store.take_snapshot(),
            Fault::Writable(node, writable) => self.nodes[node].writable = writable,
            Fault::Drain(node, wait) => {
                self.nodes[node].drained = true;
                self.tell_all(node, |cluster| Input::Drain { cluster, wait });
            }
            Fault::Drained(node) => self.tell_all(node, Input::Drained),
            Fault::Undrain(node) => {
                self.nodes[node].drained = false;
                self.tell_all(node, Input::Undrain);
            }
            Fault::Stop(node) => {
                self.nodes[node].stopping = true;
                self.tell_one(node, Input::Stop);
            }
            Fault::Priority(node, priority) => {
                self.nodes[node]
                    .configs
                    .iter_mut()
                    .for_each(|config| config.priority = priority);
                self.configure(node);
            }
            Fault::Lease(node, lease) => {
                for config in &mut self.nodes[node].configs {
                    config.timing = with_lease(&config.timing, lease);
                }
                self.configure(node);
            }
            Fault::Heal => self.heal(),
        }
    }

    fn tell_one(&mut self, node: usize, input: Input) {
        if let Some(process) = &mut self.nodes[node].process {
            process.inbox.push_back(input);
        }
        self.go(node);
    }

    fn configure(&mut self, node: usize) {
        let starts = self.nodes[node].starts();
        self.tell_one(node, Input::Configure(starts));
    }

    fn lose(&mut self, loss: Loss) {
        self.store.lose(loss);
        if matches!(loss, Loss::All | Loss::Back) {
            self.checker.store_lost();
        }
    }

    fn heal(&mut self) {
        self.weather = Weather {
            hints: self.weather.hints,
            ..Weather::FINE
        };
        self.healed = true;
        self.store.up = true;
        for node in 0..self.nodes.len() {
            self.nodes[node].writable = true;
            self.nodes[node].reaches = [true, true];
            self.nodes[node].drained = false;
            if self.nodes[node].stopping {
                self.nodes[node].process = None;
            }
            self.nodes[node].paused = self.now;
            self.start(node);
            self.tell_all(node, Input::Undrain);
        }
    }
}

/// The same spans with another lease.
fn with_lease(timing: &Timing, lease: Micros) -> Timing {
    let lease = Duration::from_micros(lease).clamp(LeaseDuration::SHORTEST.get(), LeaseDuration::LONGEST.get());
    Timing::new(lease, timing.settle(), timing.grace(), timing.preempt_delay()).unwrap_or(*timing)
}
