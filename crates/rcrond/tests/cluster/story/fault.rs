//! What happens, and what must come of it.

use super::Story;
use crate::check;
use crate::node::Node;
use crate::sampler::Holder;
use crate::table::Row;
use inputs::clock::boot_time;
use policy::moment::BootTime;
use std::time::{Duration, Instant};

/// Slow machines are slow, but not so much slower than the bound.
const GENEROUS: u32 = 3;

impl Story {
    /// Something happens to the active node, and another one takes over: that one and this one.
    pub(crate) fn fails_over(&self, fault: &str, bound: Duration, act: impl FnOnce(&Node)) -> (&Node, &Node) {
        let old = self.steady_holder();
        self.say(&format!("{fault}: {}", self.node(old).name()));
        let begun = boot_time();
        act(self.node(old));
        self.taken_over(fault, bound, begun, old)
    }

    /// After this moment another node becomes active than the one that was.
    pub(crate) fn taken_over(&self, fault: &str, bound: Duration, begun: BootTime, old: Holder) -> (&Node, &Node) {
        let next = || self.sampler.active().into_iter().find(|holder| holder.node != old.node);
        let new = self.wait(&format!("another node to take over ({fault})"), next);
        assert!(new.epoch > old.epoch, "{fault}: {old:?} {new:?}");
        self.record(fault, Some((bound, begun)), begun, (old, new), new.since);
        (self.node(old), self.node(new))
    }

    /// Something happens, and the active node stays active all the time, with the same epoch, until a lease later at least.
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
                "{fault}: it was to keep its lease: {old:?} {now:?}"
            );
            now.into_iter().find(|now| now.until >= renewed_until)
        });
        self.record(fault, None, begun, (old, kept), boot_time());
    }

    /// Something happens to the store, and a lease is won or renewed after it: whether in time, that is the store's affair.
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

    /// Nobody has been active since `dark`, and the store answers again since `back`: somebody, also the same node, becomes active.
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

    /// As long as this nobody is active.
    pub(crate) fn stays_passive(&self, span: Duration) {
        let end = Instant::now() + span;
        self.wait("nothing to happen", || {
            let active = self.sampler.active();
            assert!(active.is_empty(), "nobody could be active: {active:?}");
            (Instant::now() > end).then_some(())
        });
    }

    /// Waits for a run after `active`, when the new holder was, and keeps how long all this took. `bound`: how long at most, and
    /// since when.
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
        self.say(&format!("    {}", row.sentence()));
        self.rows.borrow_mut().push(row);
        if let Some((bound, since)) = bound {
            let after = active.since(since);
            assert!(after < bound * GENEROUS, "{fault}: active only after {after:?}");
        }
    }
}
