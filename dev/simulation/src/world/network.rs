//! Messages between the nodes and the store.

use super::trace::describe_change;
use super::{Event, Life, World};
use crate::Micros;
use crate::checker::{Broken, Violation};
use lease::{Call, Change, Input, Key, Verdict};

#[derive(Clone)]
pub(super) enum Request {
    Read(Vec<Key>),
    Change(Change),
}

impl World {
    pub(super) fn send(&mut self, life: Life, call: Call, request: Request) {
        let lost = self.random.per_mille(self.profile.lost_requests) || !self.nodes[life.node].link.requests;
        if self.random.per_mille(self.profile.duplicates) {
            let at = self.now + self.random.between(1, self.profile.max_delay);
            let copy = Box::new(request.clone());
            self.queue.put(at, Event::Request(life, call, copy));
        }
        if !lost {
            let at = self.now + self.random_delay();
            self.queue.put(at, Event::Request(life, call, Box::new(request)));
        }
    }

    pub(super) fn answer_request(&mut self, life: Life, call: Call, request: &Request) {
        if !self.store.up {
            // The kernel rejects the connection, or nothing comes back.
            if self.random.per_mille(500) {
                let input = match request {
                    Request::Read(_) => Input::Read(call, None),
                    Request::Change(_) => Input::Changed(call, Verdict::NoAnswer),
                };
                self.send_back(life, input);
            }
            return;
        }
        let node = life.node;
        let input = match request {
            Request::Read(keys) => Input::Read(call, Some(self.store.read(keys))),
            Request::Change(change) => {
                let overwritten = self.spoilt_record(change);
                let verdict = self.store.change(change);
                if let (Some(cluster), Verdict::Done) = (overwritten, verdict) {
                    self.broken.get_or_insert(Violation {
                        at: self.now,
                        what: Broken::Overwritten { cluster, node },
                    });
                }
                self.note(|| format!("the store to n{node}: {verdict:?}, {}", describe_change(change)));
                if verdict == Verdict::Done && change.writes.len() > 1 {
                    self.hint_others(node);
                }
                self.look_at_sessions();
                Input::Changed(call, verdict)
            }
        };
        if !self.random.per_mille(self.profile.lost_answers) {
            self.send_back(life, input);
        }
    }

    /// The index of a cluster that the change writes although its record is spoilt.
    fn spoilt_record(&self, change: &Change) -> Option<usize> {
        change.writes.iter().find_map(|(key, _)| match key {
            Key::Cluster(name) if self.store.is_spoilt(name) => Some(self.cluster_index(name)),
            _ => None,
        })
    }

    /// The store's watch hints at a change of clusters.
    fn hint_others(&mut self, changed_by: usize) {
        if !self.profile.hints {
            return;
        }
        for node in (0..self.nodes.len()).filter(|node| *node != changed_by) {
            self.send_back(self.life(node), Input::Hint);
        }
    }

    fn send_back(&mut self, life: Life, input: Input) {
        let at = self.now + self.random_delay();
        self.queue.put(at, Event::Message(life, Box::new(input)));
    }

    fn random_delay(&mut self) -> Micros {
        let profile = self.profile;
        let longest = if self.random.per_mille(profile.late_messages) {
            profile.max_delay
        } else {
            profile.usual_delay
        };
        self.random.between(profile.min_delay, longest)
    }
}
