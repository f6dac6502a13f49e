//! What to change, after a read.

use super::{Machine, Phase};
use crate::cluster::Cluster;
use crate::message::{Action, Change, Key, Record, Version};
use crate::mutation::Mutation;
use crate::name::NodeName;
use crate::own::Opening;
use crate::record::{ClusterRecord, Ownership, SessionRecord, SessionRef, SessionState};
use crate::timing::LeaseDuration;
use crate::watch::{HolderSession, Seen};
use alloc::vec::Vec;
use policy::moment::BootTime;

/// etcd takes 128 operations in a transaction; a takeover is two.
const MOST_CLUSTERS: usize = 50;

/// What a change will have done, cluster by cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) items: Vec<(usize, Item)>,
    /// The session that is opened over another, and its version.
    pub(super) over: Option<Version>,
    /// It opens the session, or renews it.
    pub(super) opens: bool,
    /// It ends it.
    pub(super) ends: bool,
}

/// What is done to a cluster.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// Take it, from that node.
    Take { epoch: u64, from: Option<NodeName> },
    /// Give it back.
    Free { handover_target: Option<NodeName> },
    /// Write what the configuration says, or an ask.
    Rewrite(ClusterRecord),
}

impl Machine {
    /// Sends what there is to change.
    pub(super) fn change(&mut self, now: BootTime, sent: BootTime, out: &mut Vec<Action>) {
        let Some(plan) = self.plan(now, sent) else { return };
        let change = self.compose(&plan);
        for (index, item) in &plan.items {
            let cluster = &mut self.clusters[*index];
            match item {
                Item::Take { epoch, .. } => cluster.attempt = Some(*epoch),
                // From here on it may be free at any moment, whatever anybody says. A later change that is done tells.
                Item::Free { .. } => cluster.holder.iter_mut().for_each(|holder| holder.valid = None),
                Item::Rewrite(_) => {}
            }
        }
        if self.own.opening == Opening::Fresh {
            self.own.opening = Opening::Sent;
        }
        self.calls += 1;
        let (call, by) = (self.calls, now.after(self.shortest().call_limit()));
        self.phase = Phase::Changing { call, sent, by, plan };
        out.push(Action::Change { call, change, by });
    }

    fn plan(&mut self, now: BootTime, sent: BootTime) -> Option<Plan> {
        let open = self.own.is_open();
        if !open && (self.stopping || !self.own.may_open) {
            return None;
        }
        let mut plan = Plan {
            opens: !open,
            over: self.own.version.filter(|_| !open),
            ..Plan::default()
        };
        for (index, cluster) in self.clusters.iter().enumerate() {
            if let Some(item) = self.item(cluster, now, sent) {
                plan.items.push((index, item));
            }
            if plan.items.len() == MOST_CLUSTERS {
                self.store.urgent = true;
                break;
            }
        }
        let freed = |index| {
            plan.items
                .iter()
                .any(|(of, item)| *of == index && matches!(item, Item::Free { .. }))
        };
        let mut clusters = self.clusters.iter().enumerate();
        plan.ends = self.stopping && clusters.all(|(index, cluster)| cluster.holder.is_none() || freed(index));
        let due = plan.opens || plan.ends || !plan.items.is_empty() || now >= self.store.renew;
        due.then_some(plan)
    }

    fn item(&self, cluster: &Cluster, now: BootTime, sent: BootTime) -> Option<Item> {
        if let Some(holder) = &cluster.holder {
            if !cluster.confirmed {
                return None;
            }
            if cluster.leaving(self.stopping) {
                let handover_target = holder.handover_target.clone();
                return (now >= cluster.release_at(self.mutation())).then_some(Item::Free { handover_target });
            }
            return self.amended(cluster, sent).map(Item::Rewrite);
        }
        if self.stopping {
            return None;
        }
        if cluster.fit(now)
            && cluster
                .ready_at(self.store.trusted, self.mutation())
                .is_some_and(|at| at <= now)
        {
            let from = cluster.current().map(|record| match &record.tenure {
                Ownership::Held { by, .. } => by.node.clone(),
                Ownership::Free { last, .. } => last.clone(),
            });
            let epoch = self.next_epoch(cluster)?;
            return Some(Item::Take { epoch, from });
        }
        self.asking(cluster, now).map(Item::Rewrite)
    }

    fn next_epoch(&self, cluster: &Cluster) -> Option<u64> {
        if self.mutation() == Some(Mutation::EpochFromStoreOnly) {
            return Some(cluster.current().map_or(0, |record| record.epoch) + 1);
        }
        cluster.epochs.usable
    }

    /// The holder's record as its configuration is now. A shorter lease is written once the state file keeps to it.
    fn amended(&self, cluster: &Cluster, sent: BootTime) -> Option<ClusterRecord> {
        let (lease, priority) = (cluster.config.timing.lease(), cluster.config.priority);
        let record = cluster.current()?;
        let Ownership::Held { by, ask } = &record.tenure else {
            return None;
        };
        let at_once = self.mutation() == Some(Mutation::LoweredAtOnce);
        let kept = lease > record.lease || at_once || Self::keeps_to(cluster, sent.after(lease.keep()));
        let lease = if kept { lease } else { record.lease };
        if lease == record.lease && priority == by.priority {
            return None;
        }
        let by = SessionRef { priority, ..by.clone() };
        let ask = ask.clone();
        Some(ClusterRecord {
            lease,
            tenure: Ownership::Held { by, ask },
            ..record.clone()
        })
    }

    /// Neither the state file nor the lease as it stands goes beyond.
    fn keeps_to(cluster: &Cluster, end: BootTime) -> bool {
        let valid = cluster.holder.as_ref().and_then(|holder| holder.valid);
        cluster.file.horizon() <= end && valid.is_some_and(|until| until <= end)
    }

    /// When this node will ask for the cluster.
    pub(super) fn ask_at(&self, cluster: &Cluster) -> Option<BootTime> {
        let Ownership::Held { by, ask } = &cluster.current()?.tenure else {
            return None;
        };
        let fit_since = cluster.fit_since.filter(|_| self.own.is_open())?;
        if by.priority >= cluster.config.priority {
            return None;
        }
        let at = fit_since.after(cluster.config.timing.preempt_delay());
        match ask {
            Some(ask) if ask.node == self.node && ask.session == self.own.id => None,
            Some(ask) if ask.priority >= cluster.config.priority => {
                // An asker that has not moved for a lease is gone.
                let pulse = cluster.asker.as_ref().filter(|pulse| pulse.id == ask.session)?;
                Some(at.max(pulse.at.after(cluster.term().wait())))
            }
            _ => Some(at),
        }
    }

    /// The record with this node's ask in it, or out of it.
    fn asking(&self, cluster: &Cluster, now: BootTime) -> Option<ClusterRecord> {
        let record = cluster.current()?;
        let Ownership::Held { by, ask } = &record.tenure else {
            return None;
        };
        let standing = ask.as_ref().is_some_and(|ask| ask.node == self.node);
        let me = SessionRef {
            node: self.node.clone(),
            session: self.own.id,
            priority: cluster.config.priority,
        };
        let unfit = !cluster.able() || by.priority >= me.priority;
        let ask = if standing && unfit {
            None
        } else if cluster.able() && self.ask_at(cluster).is_some_and(|at| at <= now) {
            Some(me)
        } else {
            return None;
        };
        let by = by.clone();
        Some(ClusterRecord {
            tenure: Ownership::Held { by, ask },
            ..record.clone()
        })
    }

    /// The change itself. Whatever else it does, it is conditional on this node's session and rewrites it.
    fn compose(&mut self, plan: &Plan) -> Change {
        let mut change = Change {
            incarnation: self.store.incarnation.clone(),
            conditions: Vec::with_capacity(1 + plan.items.len() * 2),
            writes: Vec::with_capacity(1 + plan.items.len() * 2),
        };
        if self.mutation() == Some(Mutation::IncarnationIgnored) {
            change.incarnation = None;
        }
        let own = Key::Session(self.node.clone());
        if self.mutation() != Some(Mutation::OwnSessionUnconditional) {
            change.conditions.push((own.clone(), self.own.version));
        }
        let state = if plan.ends {
            SessionState::Ended {
                lease: LeaseDuration::LONGEST,
            }
        } else {
            SessionState::Open
        };
        change.writes.push((own, Record::Session(self.own.beat(state))));
        for (index, item) in &plan.items {
            self.compose_item(&self.clusters[*index], item, &mut change);
        }
        change
    }

    fn compose_item(&self, cluster: &Cluster, item: &Item, change: &mut Change) {
        let key = Key::Cluster(cluster.config.name.clone());
        change.conditions.push((key.clone(), cluster.version()));
        let record = match item {
            Item::Rewrite(record) => record.clone(),
            Item::Free { handover_target } => ClusterRecord {
                epoch: cluster.holder.as_ref().map_or(0, |holder| holder.epoch),
                lease: cluster.config.timing.lease(),
                tenure: Ownership::Free {
                    last: self.node.clone(),
                    handover_target: handover_target.clone(),
                },
            },
            Item::Take { epoch, .. } => {
                self.end_old_session(cluster, change);
                ClusterRecord {
                    epoch: *epoch,
                    lease: cluster.config.timing.lease(),
                    tenure: Ownership::Held {
                        by: SessionRef {
                            node: self.node.clone(),
                            session: self.own.id,
                            priority: cluster.config.priority,
                        },
                        ask: None,
                    },
                }
            }
        };
        change.writes.push((key, Record::Cluster(record)));
    }

    /// The holder's session must be as it was watched, and is ended: a holder that comes back finds its renewal refused.
    fn end_old_session(&self, cluster: &Cluster, change: &mut Change) {
        let Some(Seen::Held { id, session, .. }) = cluster.watch.as_ref().map(|watch| &watch.seen) else {
            return;
        };
        let version = match session {
            HolderSession::Open(version) => Some(*version),
            HolderSession::Missing => None,
            HolderSession::Ended(_) | HolderSession::Replaced => return,
        };
        let Some(by) = cluster.current().and_then(ClusterRecord::holder) else {
            return;
        };
        if by.node == self.node {
            return; // this change writes its own session there
        }
        let (key, lease) = (Key::Session(by.node.clone()), cluster.term());
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
                beat: 0,
                state: SessionState::Ended { lease },
            };
            change.writes.push((key, Record::Session(ended)));
        }
    }
}
