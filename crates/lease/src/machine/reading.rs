//! What a read shows.

use super::{Demand, Machine, Phase};
use crate::cluster::Cluster;
use crate::message::{Action, Call, Reading};
use crate::mutation::Mutation;
use crate::name::NodeName;
use crate::notice::Notice;
use crate::record::Ownership;
use crate::sessions::Sessions;
use alloc::vec::Vec;
use policy::moment::BootTime;

impl Machine {
    pub(super) fn take_reading(&mut self, now: BootTime, call: Call, reading: Option<Reading>, out: &mut Vec<Action>) {
        let Phase::Reading { call: asked, sent, .. } = self.phase else {
            return;
        };
        if call != asked {
            return;
        }
        let expected = 1 + self.clusters.len() + self.peers.len();
        let Some(reading) = reading.filter(|reading| reading.records.len() == expected) else {
            self.take_no_answer(now, out);
            return;
        };
        self.take_read_answered(now, out);
        self.phase = Phase::Idle;
        self.take_records(now, sent, reading, out);
        self.store.round_ended = now;
        self.send_change(now, sent, out);
    }

    /// The records are in the order of the keys: this node's session, the clusters, the peers' sessions.
    fn take_records(&mut self, now: BootTime, sent: BootTime, reading: Reading, out: &mut Vec<Action>) {
        let watched_from = match self.mutation() {
            Some(Mutation::WatchFromRequest) => sent,
            _ => now,
        };
        self.compare_data(now, &reading, out);
        let mut records = reading.records;
        let peer_records = records.split_off(1 + self.clusters.len());
        let own = records[0].take();
        for (cluster, found) in self.clusters.iter_mut().zip(records.drain(1..)) {
            if cluster.take_record(found) {
                out.push(Action::Notify(Notice::Unreadable(cluster.config.name.clone())));
            }
        }
        self.take_own_session(own.as_ref(), now, watched_from, out);
        let sessions = Sessions {
            node: &self.node,
            own: own.as_ref(),
            peers: &self.peers,
            records: &peer_records,
        };
        let (id, open, stopping) = (self.session.id, self.session.is_open(), self.is_stopping());
        let mutation = self.mutation();
        let mut unexplained = false;
        for cluster in &mut self.clusters {
            cluster.confirmed = open && cluster.epoch_held_by(&self.node, id).is_some();
            if cluster.confirmed {
                unexplained |= cluster.adopt(now, mutation, out);
                cluster.listen_to_asker(&sessions, now, out);
            } else {
                cluster.lose(stopping, out);
                cluster.watch_holder(&sessions, open, watched_from);
            }
            cluster.inherited = None;
        }
        if unexplained {
            self.store.trusted_since = Some(now);
        }
        self.find_peers();
    }

    fn find_peers(&mut self) {
        let mut peers: Vec<NodeName> = Vec::new();
        for record in self.clusters.iter().filter_map(Cluster::record) {
            if let Ownership::Held { by, ask } = &record.ownership {
                for session in core::iter::once(by).chain(ask) {
                    if session.node != self.node && !peers.contains(&session.node) {
                        peers.push(session.node.clone());
                    }
                }
            }
        }
        // The sessions of new peers must be read before they can be watched.
        if peers.iter().any(|peer| !self.peers.contains(peer)) {
            self.store.demand(Demand::Urgent);
        }
        self.peers = peers;
    }
}
