//! What is known of the store: which data it has, whether it answers, and when to call it next.

use super::{Machine, Phase};
use crate::message::{Action, Incarnation};
use crate::notice::Notice;
use crate::timing::BOOT;
use alloc::vec::Vec;
use core::time::Duration;
use policy::moment::BootTime;

const RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_millis(300);
/// The holder may notice a little later than this node that the store is back. Without this pause each outage would be a failover.
const PAUSE_AFTER_OUTAGE: Duration = Duration::from_millis(400);

#[derive(Clone, Debug)]
pub(super) struct StoreState {
    /// What identifies the data of the last read; `None` before the first.
    pub(super) data: Option<DataIdentity>,
    /// Since when the data are known not to have gone back; `None` for always.
    pub(super) trusted_since: Option<BootTime>,
    /// Calls in a row without an answer. From two on the store counts as silent.
    pub(super) unanswered_calls: u32,
    /// Changes in a row without an answer. A store that answers only reads is still silent.
    pub(super) unanswered_changes: u32,
    /// Whether the store's watch works: polling can then be slower.
    pub(super) watching: bool,
    /// Why a round should begin before its usual time.
    pub(super) demand: Demand,
    /// When the last round began; the usual time of the next one counts from it.
    pub(super) round_began: BootTime,
    /// When the last round ended; rounds keep a pause between them.
    pub(super) round_ended: BootTime,
    /// When an open session must be renewed.
    pub(super) renew_at: BootTime,
    /// No round before this: the last call failed.
    pub(super) retry_at: BootTime,
}

#[derive(Clone, Debug)]
pub(super) struct DataIdentity {
    pub(super) incarnation: Option<Incarnation>,
    pub(super) revision: Option<u64>,
}

/// How soon a round should begin. A greater one includes the smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Demand {
    /// At its usual time.
    None,
    /// A hint has come. Hints that follow each other closely cause one round.
    Hinted,
    /// As soon as possible.
    Urgent,
}

impl StoreState {
    pub(super) const fn new(now: BootTime) -> Self {
        Self {
            data: None,
            trusted_since: None,
            unanswered_calls: 0,
            unanswered_changes: 0,
            watching: false,
            demand: Demand::Urgent,
            round_began: now,
            round_ended: BOOT,
            renew_at: now,
            retry_at: BOOT,
        }
    }

    pub(super) fn demand(&mut self, demand: Demand) {
        self.demand = self.demand.max(demand);
    }

    pub(super) const fn was_read(&self) -> bool {
        self.data.is_some()
    }

    pub(super) fn incarnation(&self) -> Option<Incarnation> {
        self.data.as_ref()?.incarnation.clone()
    }

    /// The last call was answered.
    pub(super) const fn is_answering(&self) -> bool {
        self.was_read() && self.unanswered_calls == 0
    }
}

impl Machine {
    /// The round is over without an answer. The next one begins after a pause.
    pub(super) fn take_no_answer(&mut self, now: BootTime, out: &mut Vec<Action>) {
        self.phase = Phase::Idle;
        let store = &mut self.store;
        let pause = RETRY
            .saturating_mul(1 << store.unanswered_calls.min(3))
            .min(LONGEST_RETRY);
        store.retry_at = now.after(self.random.jitter(pause));
        store.unanswered_calls = store.unanswered_calls.saturating_add(1);
        store.demand(Demand::Urgent);
        if store.unanswered_calls == 2 {
            out.push(Action::Notify(Notice::StoreSilent));
        }
    }

    /// A read was answered. That does not show that changes are.
    pub(super) fn take_read_answered(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if self.store.unanswered_changes == 0 {
            self.take_answered(now, out);
        }
    }

    /// A change was answered; or a read, while no change was without an answer.
    pub(super) fn take_answered(&mut self, now: BootTime, out: &mut Vec<Action>) {
        self.store.unanswered_changes = 0;
        if self.store.unanswered_calls >= 2 {
            for cluster in &mut self.clusters {
                cluster.no_takeover_before = cluster.no_takeover_before.max(now.after(PAUSE_AFTER_OUTAGE));
            }
            out.push(Action::Notify(Notice::StoreBack));
        }
        self.store.unanswered_calls = 0;
    }
}
