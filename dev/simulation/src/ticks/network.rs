//! Messages between the claims machines and the store, on connections of their own.

use super::world::{Event, Life, TickWorld};
use crate::Micros;
use claims::{Call, Change, Input, Key, Record};
use lease::Verdict;

#[derive(Clone, Debug)]
pub(super) enum Request {
    Read(Vec<Key>),
    Change(Change),
}

impl TickWorld {
    pub(super) fn send(&mut self, life: Life, call: Call, request: Request) {
        let profile = self.lease.profile;
        let is_cut = !self.servers[life.node].link.requests || !self.lease.nodes[life.node].link.requests;
        let lost = self.random.per_mille(profile.lost_requests) || is_cut;
        if self.random.per_mille(profile.duplicates) {
            let at = self.now() + self.random.between(1, profile.max_delay);
            self.queue
                .put(at, Event::Request(life, call, Box::new(request.clone())));
        }
        if !lost {
            let held_for = match request {
                Request::Change(_) => self.servers[life.node].held_for.take(),
                Request::Read(_) => None,
            };
            let at = self.now() + self.random_delay() + held_for.unwrap_or(0);
            self.queue.put(at, Event::Request(life, call, Box::new(request)));
        }
    }

    pub(super) fn answer_request(&mut self, life: Life, call: Call, request: Request) {
        if !self.lease.store.up {
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
        let input = match request {
            Request::Read(keys) => Input::Read(call, Some(self.lease.store.read_ticks(&keys))),
            Request::Change(change) => Input::Changed(call, self.change(life.node, &change)),
        };
        if !self.random.per_mille(self.lease.profile.lost_answers) {
            self.send_back(life, input);
        }
    }

    fn change(&mut self, node: usize, change: &Change) -> Verdict {
        let observed = self.changed_jobs(change);
        let verdict = self.lease.store.change_ticks(change);
        self.note(|| {
            format!(
                "the store to n{node}'s claims: {verdict:?}, {}",
                describe_change(change)
            )
        });
        if verdict == Verdict::Done {
            self.observe_change(node, change, &observed);
            if change.writes.iter().any(|(key, _)| matches!(key, Key::Notify(_))) {
                self.hint_others(node);
            }
        }
        verdict
    }

    /// The store's watch hints at a change of jobs.
    fn hint_others(&mut self, changed_by: usize) {
        if !self.lease.profile.hints {
            return;
        }
        for node in (0..self.servers.len()).filter(|node| *node != changed_by) {
            if let Some(life) = self.life(node) {
                self.send_back(life, Input::Hint);
            }
        }
    }

    fn send_back(&mut self, life: Life, input: Input) {
        let at = self.now() + self.random_delay();
        self.queue.put(at, Event::Answer(life, Box::new(input)));
    }

    pub(super) fn take_answer(&mut self, life: Life, input: Input) {
        if self.servers[life.node].link.answers && self.lease.nodes[life.node].link.answers {
            self.pass_input(life, input);
        }
    }

    fn random_delay(&mut self) -> Micros {
        let profile = self.lease.profile;
        let longest = if self.random.per_mille(profile.late_messages) {
            profile.max_delay
        } else {
            profile.usual_delay
        };
        self.random.between(profile.min_delay, longest)
    }
}

/// The writes of a change.
pub(super) fn describe_change(change: &Change) -> String {
    let writes = change.writes.iter().map(|(key, record)| match record {
        Record::Session(record) => format!("{key:?} = {}", record.to_text()),
        Record::Floor(record) => record.to_text(),
        Record::Job(record) => record.to_text(),
        Record::Ended(record) => record.to_text(),
        Record::Jobs(_) => "jobs".to_owned(),
        Record::Notify(_) => "notify".to_owned(),
    });
    let text = writes.collect::<Vec<_>>().join("; ");
    text.replace("00000000-0000-4000-8000-", "").replace('\n', " | ")
}
