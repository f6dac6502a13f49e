//! Injects faults and checks what follows.

use super::Scenario;
use crate::check;
use crate::node::Node;
use crate::sampler::Holder;
use crate::table::Row;
use inputs::clock::boot_time;
use policy::moment::BootTime;
use std::time::{Duration, Instant};

/// How many times its bound a failover may take on a slow machine.
const TOLERANCE: u32 = 3;

impl Scenario {
    /// Something happens to the active node, and another one takes over. Returns the old node and the new one.
    pub(crate) fn fails_over(&self, fault: &str, bound: Duration, act: impl FnOnce(&Node)) -> (&Node, &Node) {
        let old = self.steady_holder();
        self.say(&format!("{fault}: {}", self.node(old).name()));
        let begun = boot_time();
        act(self.node(old));
        self.taken_over(fault, bound, begun, old)
    }

    /// After `begun`, another node than `old` becomes active.
    pub(crate) fn taken_over(&self, fault: &str, bound: Duration, begun: BootTime, old: Holder) -> (&Node, &Node) {
        let next = || self.sampler.active().into_iter().find(|holder| holder.node != old.node);
        let new = self.wait(&format!("another node to take over ({fault})"), next);
        assert!(new.epoch > old.epoch, "{fault}: {old:?} {new:?}");
        self.record(fault, Some((bound, begun)), begun, (old, new), new.since);
        (self.node(old), self.node(new))
    }

    /// Something happens, and the active node stays active with the same epoch, at least for one more lease.
    pub(crate) fn keeps(&self, fault: &str, act: impl FnOnce(&Node)) {
        let old = self.steady_holder();
        self.say(&format!("{fault} ({} is active)", self.node(old).name()));
        let begun = boot_time();
        act(self.node(old));
        let renewed_until = boot_time().after(self.settings.lease * 2);
        let kept = self.wait(&format!("the lease to be renewed ({fault})"), || {
            let now = self.sampler.active();
            let same = |now: &Holder| (now.node, now.epoch) == (old.node, old.epoch);
            assert!(
                now.len() == 1 && same(&now[0]),
                "{fault}: it must keep its lease: {old:?} {now:?}"
            );
            now.into_iter().find(|now| now.until >= renewed_until)
        });
        self.record(fault, None, begun, (old, kept), boot_time());
    }

    /// Something happens to the store, and afterwards a lease is won or renewed. Whether it is the old node's depends on the
    /// store.
    pub(crate) fn survives(&self, fault: &str, bound: Duration, act: impl FnOnce()) {
        let old = self.steady_holder();
        self.say(&format!("{fault} ({} is active)", self.node(old).name()));
        let begun = boot_time();
        act();
        // No lease that was renewed before lasts as long.
        let renewed = boot_time().after(self.settings.lease);
        let new = self.wait(&format!("a lease won or renewed ({fault})"), || {
            self.sampler.active().into_iter().find(|holder| holder.until > renewed)
        });
        let bound = (new.epoch != old.epoch).then_some((bound, begun));
        self.record(fault, bound, begun, (old, new), new.since.max(begun));
    }

    /// No node has been active since `dark`, and the store answers again since `back`. Then any node, perhaps the old one,
    /// becomes active.
    pub(crate) fn comes_back(&self, fault: &str, bound: Duration, dark: BootTime, back: BootTime, old: Holder) {
        let new = self.holder();
        assert!(new.until > dark, "{new:?}");
        let first = self.sampler.seen().first_active_after(dark);
        self.record(
            fault,
            Some((bound, back)),
            dark,
            (old, new),
            first.expect("it was just seen"),
        );
    }

    /// No node is active for this long.
    pub(crate) fn stays_passive(&self, span: Duration) {
        let end = Instant::now() + span;
        self.wait("nothing to happen", || {
            let active = self.sampler.active();
            assert!(active.is_empty(), "no node can be active: {active:?}");
            (Instant::now() > end).then_some(())
        });
    }

    /// Waits for a run after `active`, the time at which the new holder was active, and records the durations. `bound` is the
    /// longest duration, and the time from which it counts.
    fn record(
        &self,
        fault: &str,
        bound: Option<(Duration, BootTime)>,
        begun: BootTime,
        (old, new): (Holder, Holder),
        active: BootTime,
    ) {
        let runs = self.wait(&format!("a run on {} ({fault})", self.node(new).name()), || {
            let runs = self.ticker.runs();
            let has_run = runs.iter().any(|run| run.epoch == new.epoch && run.at > active);
            has_run.then_some(runs)
        });
        let gap = check::longest_gap(&runs, begun);
        let row = Row {
            fault: fault.to_owned(),
            from: self.node(old).name().to_owned(),
            to: self.node(new).name().to_owned(),
            lease: self.settings.lease,
            active_after: bound.map(|(_, since)| active.since(since)),
            bound: bound.map(|(bound, _)| bound),
            gap: gap.map(|(span, _)| span),
            skipped: gap.map(|(_, ticks)| ticks),
        };
        self.say(&format!("    {}", row.summary()));
        self.rows.borrow_mut().push(row);
        if let Some((bound, since)) = bound {
            let after = active.since(since);
            assert!(after < bound * TOLERANCE, "{fault}: active only after {after:?}");
        }
    }
}
