//! What follows from the answer to a change.

use super::plan::{ClusterChange, Plan, SessionChange, takeovers};
use super::{Demand, Machine, Phase};
use crate::cluster::{Cluster, Holder, LastRecord};
use crate::message::{Action, Call, Verdict, Version};
use crate::mutation::Mutation;
use crate::name::NodeName;
use crate::notice::Notice;
use crate::record::{ClusterRecord, Ownership};
use crate::watch::{HolderSession, Seen};
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;

/// The first and the longest pause after a takeover that failed.
const BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// The longest pause after a change was refused.
const REFUSED_PAUSE: Duration = Duration::from_millis(20);

impl Machine {
    pub(super) fn take_verdict(&mut self, now: BootTime, call: Call, verdict: Verdict, out: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Changing { call: asked, .. } if asked == call) {
            return;
        }
        if verdict == Verdict::NoAnswer {
            self.take_unanswered_change(now, out);
            return;
        }
        let Some((sent, plan)) = self.end_change(now) else {
            return;
        };
        self.take_answered(now, out);
        if verdict == Verdict::Done {
            self.take_done(now, sent, plan, out);
        } else {
            self.take_refused(now, plan);
        }
    }

    fn end_change(&mut self, now: BootTime) -> Option<(BootTime, Plan)> {
        match core::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Changing { sent, plan, .. } => {
                self.store.round_ended = now;
                Some((sent, plan))
            }
            _ => None,
        }
    }

    pub(super) fn take_unanswered_change(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let Some((sent, plan)) = self.end_change(now) else {
            return;
        };
        self.session.has_unanswered_change = true;
        self.store.unanswered_changes = self.store.unanswered_changes.saturating_add(1);
        for index in takeovers(&plan) {
            self.back_off(now, index);
        }
        self.take_no_answer(now, out);
        if self.mutation() == Some(Mutation::NoAnswerIsDone) {
            self.session.confirmed_at = self.session.confirmed_at.max(Some(sent));
            self.renew_confirmed(now, sent);
        }
    }

    fn take_refused(&mut self, now: BootTime, plan: Plan) {
        for index in takeovers(&plan) {
            self.back_off(now, index);
            let cluster = &mut self.clusters[index];
            // An earlier takeover without an answer may be the reason for the refusal.
            if !self.session.has_unanswered_change {
                cluster.unanswered_takeover = None;
            }
        }
        self.store.demand(Demand::Urgent);
        // Without another condition, and without an earlier change under way, another node has changed the session.
        if plan.clusters.is_empty() && !self.session.has_unanswered_change {
            for holder in self.clusters.iter_mut().filter_map(|cluster| cluster.holder.as_mut()) {
                holder.valid_until = None;
            }
            self.session.confirmed_at = None;
        }
        self.store.retry_at = now.after(self.random.jitter(REFUSED_PAUSE));
        self.keep_refusal(plan);
    }

    fn back_off(&mut self, now: BootTime, index: usize) {
        let cluster = &mut self.clusters[index];
        let pause = BACKOFF
            .saturating_mul(1 << cluster.failed_takeovers.min(6))
            .min(LONGEST_BACKOFF);
        cluster.failed_takeovers += 1;
        cluster.no_takeover_before = now.after(self.random.jitter(pause));
    }

    fn take_done(&mut self, now: BootTime, sent: BootTime, plan: Plan, out: &mut Vec<Action>) {
        if let SessionChange::Open { replaces } = plan.session {
            out.push(Action::Notify(Notice::SessionOpened));
            if let Some(version) = replaces {
                self.mark_replaced(version);
            }
        }
        self.session.change_done(match self.mutation() {
            Some(Mutation::SharedFromAnswer) => now,
            _ => sent,
        });
        self.store.renew_at = sent.after(self.shortest_lease().third());
        for cluster in &mut self.clusters {
            cluster.unanswered_takeover = None;
        }
        let mutation = self.mutation();
        for (index, change) in plan.clusters {
            take_done_change(&mut self.clusters[index], change, now, &self.node, mutation, out);
        }
        self.renew_confirmed(now, sent);
        for cluster in &mut self.clusters {
            let able = cluster.is_able_candidate();
            cluster.able_since = cluster.able_since.filter(|_| able).or(able.then_some(now));
        }
        if plan.session == SessionChange::End {
            self.make_new_session(out);
        }
    }

    /// This session has replaced this node's own earlier one, which was watched at that version. The watch continues.
    fn mark_replaced(&mut self, version: Version) {
        for cluster in &mut self.clusters {
            let holder = cluster.record().and_then(ClusterRecord::holder);
            let is_own = holder.is_some_and(|by| by.node == self.node);
            let seen = cluster.watch.as_mut().map(|watch| &mut watch.seen);
            if let (true, Some(Seen::Held { session, .. })) = (is_own, seen) {
                if *session == HolderSession::Open(version) {
                    *session = HolderSession::Replaced;
                }
            }
        }
    }

    /// Each cluster that the round found held by this session is held for a lease from before the round.
    fn renew_confirmed(&mut self, now: BootTime, sent: BootTime) {
        let mutation = self.mutation();
        for cluster in self.clusters.iter_mut().filter(|cluster| cluster.confirmed) {
            cluster.renew(now, sent, mutation);
        }
    }
}

fn take_done_change(
    cluster: &mut Cluster,
    change: ClusterChange,
    now: BootTime,
    own_node: &NodeName,
    mutation: Option<Mutation>,
    out: &mut Vec<Action>,
) {
    let name = cluster.config.name.clone();
    match change {
        ClusterChange::TakeOver { epoch, from } => {
            let active_from = cluster.active_from(now, from.as_ref() == Some(own_node), mutation);
            cluster.holder = Some(Holder::new(epoch, active_from));
            cluster.last_lease = cluster.config.timing.lease();
            cluster.confirmed = true;
            cluster.watch = None;
            cluster.failed_takeovers = 0;
            cluster.epochs.discard();
            out.push(Action::Notify(Notice::Won {
                cluster: name,
                epoch,
                from,
            }));
        }
        ClusterChange::Release { .. } => {
            cluster.drop_lease();
            cluster.confirmed = false;
            // The next round's read finds the cluster free, and begins a watch.
            cluster.watch = None;
            out.push(Action::Notify(Notice::Released(name)));
        }
        ClusterChange::Rewrite(record) => {
            cluster.last_lease = record.lease;
            if let (None, Ownership::Held { by, ask: Some(_) }) = (&cluster.holder, &record.ownership) {
                out.push(Action::Notify(Notice::Asked {
                    cluster: name,
                    holder: by.node.clone(),
                }));
            }
            if let LastRecord::Readable(_, current) = &mut cluster.record {
                *current = record;
            }
        }
    }
}
