//! What a read shows.

use super::{Demand, Machine, Phase};
use crate::cluster::{Cluster, RecordFault};
use crate::message::{Action, Call, Found, Reading};
use crate::mutation::Mutation;
use crate::name::{ClusterName, NodeName};
use crate::notice::{Loss, Notice};
use crate::own_session::OwnSessionState;
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
        self.explain_refusal(&reading, out);
        self.compare_data(now, &reading, out);
        let mut records = reading.records;
        let peer_records = records.split_off(1 + self.clusters.len());
        let own = records[0].take();
        let mutation = self.mutation();
        for (cluster, found) in self.clusters.iter_mut().zip(records.drain(1..)) {
            let fault = cluster.take_record(found, mutation);
            out.extend(fault.map(|fault| Action::Notify(describe_fault(fault, &cluster.config.name))));
        }
        self.take_own_session(own.as_ref(), now, watched_from, out);
        self.take_clusters(now, watched_from, own.as_ref(), &peer_records, out);
        self.find_peers();
    }

    /// Finds out which clusters this node holds, and what it watches in the others.
    fn take_clusters(
        &mut self,
        now: BootTime,
        watched_from: BootTime,
        own: Option<&Found>,
        peer_records: &[Option<Found>],
        out: &mut Vec<Action>,
    ) {
        let sessions = Sessions {
            node: &self.node,
            own,
            peers: &self.peers,
            records: peer_records,
            mutation: self.mutation(),
        };
        report_unreadable(&sessions, &mut self.unreadable_sessions, out);
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
    }

    /// Takes in the record under this node's name. A wait that this read begins counts from `watched_from`.
    fn take_own_session(&mut self, own: Option<&Found>, now: BootTime, watched_from: BootTime, out: &mut Vec<Action>) {
        let is_resumed = self.session.state == OwnSessionState::Resumed;
        let result = self.session.take_record(own).and_then(|()| self.check_epochs());
        let result = result.and_then(|()| self.resume_shares(is_resumed, now));
        if let Err(why) = result {
            self.lose_session(why, out);
            if why != Loss::Ended {
                // No node does this to a session that renews. So the store has lost data, whatever its incarnation is.
                self.distrust_data(now);
            }
        }
        let wait = self.longest_lease().wait_duration();
        if self.session.look_for_name_conflict(own, watched_from, wait) {
            out.push(Action::Notify(Notice::NameTaken));
        }
    }

    /// An earlier process has shared clusters with this session. While state files show that it was renewed within a lease, no other
    /// node has ended it. Otherwise the store may have gone back to a time when it was open.
    fn resume_shares(&mut self, is_resumed: bool, now: BootTime) -> Result<(), Loss> {
        if !is_resumed || !self.session.is_open() {
            return Ok(());
        }
        let clusters = self.clusters.iter();
        let confirmed = clusters.filter_map(|cluster| cluster.inherited_confirmation(now, &self.node, &self.session));
        self.session.confirmed_at = confirmed.max();
        if self.session.has_expired_share(now) && self.mutation() != Some(Mutation::SharedAfterExpiry) {
            return Err(Loss::Expired);
        }
        Ok(())
    }

    /// Each cluster that names this session must have the epoch with which this node won it. Otherwise the store went back unnoticed.
    fn check_epochs(&self) -> Result<(), Loss> {
        let agrees = |cluster: &Cluster| {
            let recorded = cluster.epoch_held_by(&self.node, self.session.id);
            let won = cluster.holder.as_ref().map(|holder| holder.epoch);
            recorded.is_none() || won.is_none() || recorded == won
        };
        if !self.session.is_open() || self.clusters.iter().all(agrees) {
            Ok(())
        } else {
            Err(Loss::Foreign)
        }
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

fn describe_fault(fault: RecordFault, cluster: &ClusterName) -> Notice {
    let cluster = cluster.clone();
    match fault {
        RecordFault::Foreign => Notice::Unreadable(cluster),
        RecordFault::Epoch(epoch) => Notice::EpochTooLarge { cluster, epoch },
    }
}

/// `reported`: the nodes of the last read whose session records were unreadable.
fn report_unreadable(sessions: &Sessions<'_>, reported: &mut Vec<NodeName>, out: &mut Vec<Action>) {
    let unreadable: Vec<NodeName> = sessions.unreadable().cloned().collect();
    let new = unreadable.iter().filter(|node| !reported.contains(node));
    out.extend(new.cloned().map(|node| Action::Notify(Notice::SessionUnreadable(node))));
    *reported = unreadable;
}
