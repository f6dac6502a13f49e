//! A round's change: it is composed of conditions and records, and sent.

use super::plan::{ClusterChange, Plan, SessionChange, takeovers};
use super::{Machine, Phase};
use crate::cluster::Cluster;
use crate::message::{Action, Change, Key, Record};
use crate::mutation::Mutation;
use crate::own_session::OwnSessionState;
use crate::record::{ClusterRecord, Ownership, SessionRecord, SessionState};
use crate::timing::LeaseDuration;
use crate::watch::{HolderSession, Seen};
use alloc::vec::Vec;
use policy::moment::BootTime;

impl Machine {
    /// Sends the round's change, if something must be changed.
    pub(super) fn send_change(&mut self, now: BootTime, sent: BootTime, out: &mut Vec<Action>) {
        let Some(mut plan) = self.plan(now, sent) else { return };
        let change = self.compose(&plan);
        if takeovers(&plan).next().is_some() {
            plan.conditions.clone_from(&change.conditions);
        }
        for (index, change) in &plan.clusters {
            let cluster = &mut self.clusters[*index];
            match change {
                ClusterChange::TakeOver { epoch, .. } => cluster.unanswered_takeover = Some(*epoch),
                // From here on the cluster may be free at any moment, whatever is decided here, until a later change is done.
                ClusterChange::Release { .. } => {
                    if let Some(holder) = &mut cluster.holder {
                        holder.valid_until = None;
                    }
                }
                ClusterChange::Rewrite(_) => {}
            }
        }
        if self.session.state == OwnSessionState::New {
            self.session.state = OwnSessionState::Opening;
        }
        let (call, by) = self.next_call(now);
        self.phase = Phase::Changing { call, sent, by, plan };
        out.push(Action::Change { call, change, by });
    }

    /// Whatever a change does, it is conditional on this node's session, and rewrites it.
    fn compose(&mut self, plan: &Plan) -> Change {
        let most = 1 + plan.clusters.len() * 2;
        let mut change = Change {
            incarnation: self.store.incarnation(),
            conditions: Vec::with_capacity(most),
            writes: Vec::with_capacity(most),
        };
        if self.mutation() == Some(Mutation::IncarnationIgnored) {
            change.incarnation = None;
        }
        let own = Key::Session(self.node.clone());
        if self.mutation() != Some(Mutation::OwnSessionUnconditional) {
            change.conditions.push((own.clone(), self.session.version));
        }
        let state = match plan.session {
            // All clusters are released, whatever their leases were.
            SessionChange::End => SessionState::Ended {
                lease: LeaseDuration::LONGEST,
            },
            SessionChange::Open { .. } | SessionChange::Renew => SessionState::Open,
        };
        change
            .writes
            .push((own, Record::Session(self.session.next_record(state))));
        for (index, cluster_change) in &plan.clusters {
            self.compose_cluster(&self.clusters[*index], cluster_change, &mut change);
        }
        change
    }

    fn compose_cluster(&self, cluster: &Cluster, cluster_change: &ClusterChange, change: &mut Change) {
        let key = Key::Cluster(cluster.config.name.clone());
        change.conditions.push((key.clone(), cluster.record_version()));
        let lease = cluster.config.timing.lease();
        let record = match cluster_change {
            ClusterChange::Rewrite(record) => record.clone(),
            ClusterChange::Release { handover_target } => ClusterRecord {
                epoch: cluster.holder.as_ref().map_or(0, |holder| holder.epoch),
                lease,
                ownership: Ownership::Free {
                    last: self.node.clone(),
                    handover_target: handover_target.clone(),
                },
            },
            ClusterChange::TakeOver { epoch, .. } => {
                self.end_holder_session(cluster, change);
                ClusterRecord {
                    epoch: *epoch,
                    lease,
                    ownership: Ownership::Held {
                        by: self.own_reference(cluster),
                        ask: None,
                    },
                }
            }
        };
        change.writes.push((key, Record::Cluster(record)));
    }

    /// The holder's session must still be as it was watched, and is ended. If the holder comes back, its renewal is refused.
    fn end_holder_session(&self, cluster: &Cluster, change: &mut Change) {
        let Some(Seen::Held { id, session, .. }) = cluster.watch.as_ref().map(|watch| &watch.seen) else {
            return;
        };
        let version = match session {
            HolderSession::Open(version) => Some(*version),
            HolderSession::Missing => None,
            HolderSession::Ended(_) | HolderSession::Replaced => return,
        };
        let Some(by) = cluster.record().and_then(ClusterRecord::holder) else {
            return;
        };
        if by.node == self.node {
            return; // this change writes this node's own session there
        }
        let (key, lease) = (Key::Session(by.node.clone()), cluster.longest_lease());
        // The same holder may lose several clusters in one change.
        let earlier = change.writes.iter_mut().find(|(of, _)| *of == key);
        if let Some((_, Record::Session(record))) = earlier {
            if let SessionState::Ended { lease: ended } = &mut record.state {
                *ended = lease.max(*ended);
            }
            return;
        }
        if self.mutation() != Some(Mutation::TakeoverWithoutSessionVersion) {
            change.conditions.push((key.clone(), version));
        }
        if self.mutation() != Some(Mutation::TakeoverLeavesOldSession) {
            let ended = SessionRecord {
                id: *id,
                heartbeat: 0,
                state: SessionState::Ended { lease },
            };
            change.writes.push((key, Record::Session(ended)));
        }
    }
}
