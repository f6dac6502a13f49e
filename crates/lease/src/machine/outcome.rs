//! What a change came to.

use super::plan::{Item, Plan};
use super::{Machine, Phase};
use crate::cluster::{Cluster, Holder};
use crate::message::{Action, Call, Verdict};
use crate::mutation::Mutation;
use crate::record::{ClusterRecord, Ownership};
use crate::tell::Notice;
use crate::watch::{HolderSession, Seen};
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;

/// The first and the longest pause after a takeover that failed.
const BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

impl Machine {
    pub(super) fn take_verdict(&mut self, now: BootTime, call: Call, verdict: Verdict, out: &mut Vec<Action>) {
        match &self.phase {
            Phase::Changing { call: asked, .. } if *asked == call => {}
            _ => return,
        }
        match verdict {
            Verdict::NoAnswer => self.unanswered(now, out),
            Verdict::Done => {
                if let Some((sent, plan)) = self.end_change(now) {
                    self.answered(now, out);
                    self.done(now, sent, plan, out);
                }
            }
            Verdict::Refused => {
                if let Some((_, plan)) = self.end_change(now) {
                    self.answered(now, out);
                    self.refused(now, &plan, out);
                }
            }
        }
    }

    fn end_change(&mut self, now: BootTime) -> Option<(BootTime, Plan)> {
        match core::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Changing { sent, plan, .. } => {
                self.store.ended = now;
                Some((sent, plan))
            }
            _ => None,
        }
    }

    pub(super) fn unanswered(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let Some((sent, plan)) = self.end_change(now) else {
            return;
        };
        self.own.doubt = true;
        self.store.undone = self.store.undone.saturating_add(1);
        self.back_off(now, &plan, None);
        self.no_answer(now, out);
        if self.mutation() == Some(Mutation::NoAnswerIsDone) {
            self.prolong(now, sent);
        }
    }

    fn refused(&mut self, now: BootTime, plan: &Plan, out: &mut Vec<Action>) {
        self.back_off(now, plan, Some(out));
        self.store.urgent = true;
        // With no other condition, and no change of its own under way, somebody else has altered the session.
        if plan.items.is_empty() && !self.own.doubt {
            for holder in self.clusters.iter_mut().filter_map(|cluster| cluster.holder.as_mut()) {
                holder.valid = None;
            }
        }
        let again = self.random.jitter(Duration::from_millis(20));
        self.store.retry = now.after(again);
    }

    fn back_off(&mut self, now: BootTime, plan: &Plan, mut out: Option<&mut Vec<Action>>) {
        for (index, item) in &plan.items {
            if !matches!(item, Item::Take { .. }) {
                continue;
            }
            let cluster = &mut self.clusters[*index];
            let span = BACKOFF
                .saturating_mul(1 << cluster.failures.min(6))
                .min(LONGEST_BACKOFF);
            cluster.failures += 1;
            cluster.not_before = now.after(self.random.jitter(span));
            if let Some(out) = out.as_deref_mut() {
                // An earlier one that was not answered may be what refused this one.
                cluster.attempt = cluster.attempt.filter(|_| self.own.doubt);
                out.push(Action::Notify(Notice::Outrun(cluster.config.name.clone())));
            }
        }
    }

    fn done(&mut self, now: BootTime, sent: BootTime, plan: Plan, out: &mut Vec<Action>) {
        if plan.opens {
            out.push(Action::Notify(Notice::SessionOpened));
            self.replaced(&plan);
        }
        self.own.done();
        self.store.renew = sent.after(self.shortest().third());
        for cluster in &mut self.clusters {
            cluster.attempt = None;
        }
        for (index, item) in plan.items {
            self.done_item(now, index, item, out);
        }
        self.prolong(now, sent);
        for cluster in &mut self.clusters {
            let able = cluster.able();
            cluster.fit_since = cluster.fit_since.filter(|_| able).or(able.then_some(now));
        }
        if plan.ends {
            self.renew_identity(out);
            self.own.may_open = false;
        }
    }

    /// This change has replaced this node's own old session, which had been watched at that version: the watch goes on.
    fn replaced(&mut self, plan: &Plan) {
        for cluster in &mut self.clusters {
            let holder = cluster.current().and_then(ClusterRecord::holder);
            let mine = holder.is_some_and(|by| by.node == self.node);
            if let (true, Some(watch)) = (mine, &mut cluster.watch) {
                if let Seen::Held { session, .. } = &mut watch.seen {
                    if plan
                        .over
                        .is_some_and(|version| *session == HolderSession::Open(version))
                    {
                        *session = HolderSession::Replaced;
                    }
                }
            }
        }
    }

    fn done_item(&mut self, now: BootTime, index: usize, item: Item, out: &mut Vec<Action>) {
        let cluster = &mut self.clusters[index];
        let name = cluster.config.name.clone();
        match item {
            Item::Take { epoch, from } => {
                let settle = if from.as_ref() == Some(&self.node) {
                    Duration::ZERO
                } else {
                    cluster.config.timing.settle()
                };
                cluster.holder = Some(Holder {
                    epoch,
                    valid: None,
                    active_from: now.after(settle),
                    handover_target: None,
                    failed: false,
                    over_told: false,
                });
                cluster.last_lease = cluster.config.timing.lease();
                cluster.confirmed = true;
                cluster.watch = None;
                cluster.failures = 0;
                cluster.epochs.usable = None;
                out.push(Action::Notify(Notice::Won {
                    cluster: name,
                    epoch,
                    from,
                }));
            }
            Item::Free { .. } => {
                cluster.drop_lease();
                cluster.confirmed = false;
                // Who freed it for good looks again with the next round; that will find it free.
                cluster.watch = None;
                out.push(Action::Notify(Notice::Released(name)));
            }
            Item::Rewrite(record) => {
                cluster.last_lease = record.lease;
                if let (None, Ownership::Held { by, ask: Some(_) }) = (&cluster.holder, &record.tenure) {
                    out.push(Action::Notify(Notice::Asked {
                        cluster: name,
                        holder: by.node.clone(),
                    }));
                }
                if let Ok(Some((_, current))) = &mut cluster.record {
                    *current = record;
                }
            }
        }
    }

    /// What this session was seen to hold when the round began, it holds for a lease from before that.
    fn prolong(&mut self, now: BootTime, sent: BootTime) {
        let mutation = self.mutation();
        let from = if mutation == Some(Mutation::DeadlineFromAnswer) {
            now
        } else {
            sent
        };
        for cluster in self.clusters.iter_mut().filter(|cluster| cluster.confirmed) {
            let until = from.after(kept_for(cluster, mutation));
            if let Some(holder) = &mut cluster.holder {
                holder.valid = Some(until);
                holder.over_told &= until <= now;
            }
        }
    }
}

/// The shorter of the two leases: others wait no longer than the record says.
fn kept_for(cluster: &Cluster, mutation: Option<Mutation>) -> Duration {
    let lease = cluster.config.timing.lease().min(cluster.last_lease);
    if mutation == Some(Mutation::NoMargin) {
        lease.get()
    } else {
        lease.keep()
    }
}
