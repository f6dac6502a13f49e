//! The connection between an rcron and the daemon of its server.

use super::{Item, LAST_WORD, RETRY, Stage};
use crate::ticks::world::{Event, FromRcron, TickWorld};
use policy::claim::wait::Event as WaitEvent;
use policy::claim::{Answer, Ended, Request};

impl TickWorld {
    /// Connects; `false` if there is no daemon.
    pub(super) fn open_connection(&mut self, rcron: usize) -> bool {
        let node = self.rcrons[rcron].node;
        self.connections += 1;
        let connection = self.connections;
        let Some(daemon) = &mut self.servers[node].daemon else {
            return false;
        };
        daemon.clients.insert(connection, rcron);
        self.rcrons[rcron].connection = Some(connection);
        true
    }

    /// What a waiting rcron says.
    pub(super) fn say_waiting(&mut self, rcron: usize, request: &Request) -> WaitEvent {
        if !self.is_connected(rcron) {
            self.rcrons[rcron].connection = None;
            return WaitEvent::Closed;
        }
        match request {
            Request::NotStarted { why } => {
                self.note(|| format!("r{rcron} does not use its grant: {why}"));
                self.say(rcron, FromRcron::NotStarted);
            }
            _ => self.say(rcron, FromRcron::Claim),
        }
        WaitEvent::Sent
    }

    /// The job runs: connects again and says so.
    pub(super) fn connect_held(&mut self, rcron: usize) {
        if self.rcrons[rcron].connection.is_some() || self.rcrons[rcron].stage != Stage::Running {
            return;
        }
        if self.open_connection(rcron) {
            self.say_held(rcron);
        } else {
            self.put_item(self.now() + RETRY, rcron, Item::Connect);
        }
    }

    fn say_held(&mut self, rcron: usize) {
        let Some(run) = &self.rcrons[rcron].started else { return };
        let (tick, attempt) = (run.tick, run.attempt);
        self.say(rcron, FromRcron::Held { tick, attempt });
    }

    /// Says how the job ended, over a new connection if there is none; or ends at once if there is no daemon.
    pub(super) fn say_last_word(&mut self, rcron: usize, ended: Ended) {
        self.rcrons[rcron].stage = Stage::Leaving;
        if !self.is_connected(rcron) {
            if !self.open_connection(rcron) {
                self.end_rcron(rcron);
                return;
            }
            self.say_held(rcron);
        }
        self.say(rcron, FromRcron::Ended(ended));
        self.put_item(self.now() + LAST_WORD, rcron, Item::Leave);
    }

    fn say(&mut self, rcron: usize, message: FromRcron) {
        let of = &mut self.rcrons[rcron];
        let (Some(connection), node) = (of.connection, of.node) else {
            return;
        };
        let at = (self.lease.now + self.random.between(20, 300)).max(of.order[0] + 1);
        of.order[0] = at;
        if let Some(life) = self.life(node) {
            self.queue.put(at, Event::Message(life, connection, rcron, message));
        }
    }

    pub(in crate::ticks) fn send_to_rcron(&mut self, rcron: usize, connection: u64, answer: Answer) {
        let of = &mut self.rcrons[rcron];
        let at = (self.lease.now + self.random.between(20, 300)).max(of.order[1] + 1);
        of.order[1] = at;
        self.queue
            .put(at, Event::AnswerToRcron(rcron, connection, Some(answer)));
    }

    /// The daemon is gone, and with it all its connections.
    pub(in crate::ticks) fn close_connections(&mut self, clients: impl IntoIterator<Item = (u64, usize)>) {
        for (connection, rcron) in clients {
            let of = &mut self.rcrons[rcron];
            let at = (self.lease.now + 20).max(of.order[1] + 1);
            of.order[1] = at;
            self.queue.put(at, Event::AnswerToRcron(rcron, connection, None));
        }
    }

    pub(super) fn hang_up(&mut self, rcron: usize) {
        if self.is_connected(rcron) {
            self.say(rcron, FromRcron::HungUp);
        }
        self.rcrons[rcron].connection = None;
    }

    /// Whether it is connected to a daemon that runs.
    pub(in crate::ticks) fn is_connected(&self, rcron: usize) -> bool {
        let of = &self.rcrons[rcron];
        let daemon = self.servers[of.node].daemon.as_ref();
        of.connection
            .is_some_and(|connection| daemon.is_some_and(|daemon| daemon.clients.contains_key(&connection)))
    }
}
