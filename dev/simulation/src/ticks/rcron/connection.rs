//! The connection between an rcron and the daemon of its server.

use super::{Item, LAST_WORD, RETRY_RUNNING, RETRY_WAITING, Stage};
use crate::ticks::world::{Event, FromRcron, TickWorld};
use policy::claim::{Answer, Ended};

impl TickWorld {
    pub(super) fn connect(&mut self, rcron: usize) {
        let of = &self.rcrons[rcron];
        let node = of.node;
        let job = &self.jobs[of.job];
        let greeting = match &of.stage {
            _ if of.connection.is_some() => return,
            Stage::Waiting if !of.still_waits(job, self.boot_clock(node)) => {
                self.note(|| format!("r{rcron} no longer waits"));
                self.end_rcron(rcron);
                return;
            }
            Stage::Waiting => FromRcron::Claim,
            Stage::Running => {
                let Some(run) = &of.started else { return };
                FromRcron::Held {
                    tick: run.tick,
                    attempt: run.attempt,
                }
            }
            _ => return,
        };
        if !self.open_connection(rcron, greeting) {
            let retry = match self.rcrons[rcron].stage {
                Stage::Waiting => RETRY_WAITING,
                _ => RETRY_RUNNING,
            };
            self.put_item(self.now() + retry, rcron, Item::Connect);
        }
    }

    /// Connects and says the first line; `false` if there is no daemon.
    fn open_connection(&mut self, rcron: usize, greeting: FromRcron) -> bool {
        let node = self.rcrons[rcron].node;
        self.connections += 1;
        let connection = self.connections;
        let Some(daemon) = &mut self.servers[node].daemon else {
            return false;
        };
        daemon.clients.insert(connection, rcron);
        self.rcrons[rcron].connection = Some(connection);
        self.say(rcron, greeting);
        true
    }

    /// Says how the job ended, over a new connection if there is none; or ends at once if there is no daemon.
    pub(super) fn say_last_word(&mut self, rcron: usize, ended: Ended) {
        self.rcrons[rcron].stage = Stage::Leaving;
        if self.rcrons[rcron].connection.is_none() {
            let Some(run) = &self.rcrons[rcron].started else { return };
            let greeting = FromRcron::Held {
                tick: run.tick,
                attempt: run.attempt,
            };
            if !self.open_connection(rcron, greeting) {
                self.end_rcron(rcron);
                return;
            }
        }
        self.say(rcron, FromRcron::Ended(ended));
        self.put_item(self.now() + LAST_WORD, rcron, Item::Leave);
    }

    /// The grant is not used.
    pub(super) fn refuse_grant(&mut self, rcron: usize) {
        self.rcrons[rcron].stage = Stage::Leaving;
        if self.rcrons[rcron].connection.is_none() {
            self.end_rcron(rcron);
            return;
        }
        self.say(rcron, FromRcron::NotStarted);
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
        self.put_item(at, rcron, Item::Answer(connection, answer));
    }

    /// The daemon is gone, and with it all its connections.
    pub(in crate::ticks) fn close_connections(&mut self, clients: impl IntoIterator<Item = (u64, usize)>) {
        for (connection, rcron) in clients {
            let of = &mut self.rcrons[rcron];
            let at = (self.lease.now + 20).max(of.order[1] + 1);
            of.order[1] = at;
            self.put_item(at, rcron, Item::Closed(connection));
        }
    }

    pub(super) fn lose_connection(&mut self, rcron: usize, connection: u64) {
        if self.rcrons[rcron].connection != Some(connection) {
            return;
        }
        self.rcrons[rcron].connection = None;
        match self.rcrons[rcron].stage {
            Stage::Waiting | Stage::Running => self.connect(rcron),
            Stage::Leaving => self.end_rcron(rcron),
            Stage::Starting(_) | Stage::Gone => {}
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
