//! Whether the store still has the data that this node has seen.

use super::Machine;
use super::store::DataIdentity;
use crate::message::{Action, Reading};
use crate::mutation::Mutation;
use crate::notice::{Loss, Notice};
use alloc::vec::Vec;
use policy::moment::BootTime;

impl Machine {
    /// Finds out whether the store has other data than at the last read. That makes void all that was watched.
    pub(super) fn compare_data(&mut self, now: BootTime, reading: &Reading, out: &mut Vec<Action>) {
        let data = DataIdentity {
            incarnation: reading.incarnation.clone(),
            revision: reading.revision,
        };
        let Some(before) = self.store.data.replace(data) else {
            // What this incarnation was before this process started is not known.
            if reading.incarnation.is_some() {
                self.distrust_data(now);
            }
            return;
        };
        let changed = reading.incarnation != before.incarnation || reading.revision < before.revision;
        if !changed || self.mutation() == Some(Mutation::IncarnationIgnored) {
            return;
        }
        out.push(Action::Notify(Notice::NewIncarnation));
        self.session.name_conflict = None;
        let mut expired = false;
        for cluster in &mut self.clusters {
            cluster.unanswered_takeover = None;
            let holder = cluster.holder.as_ref();
            expired |= holder.is_some_and(|holder| holder.valid_until.is_none_or(|until| until <= now));
        }
        if self.mutation() != Some(Mutation::SharedInNewIncarnation) {
            expired |= self.session.has_expired_share(now);
        }
        // Another node may have taken over before the store went back.
        if expired && self.mutation() != Some(Mutation::ResumeInNewIncarnation) {
            self.lose_session(Loss::Incarnation, out);
        }
        self.distrust_data(now);
    }

    /// The data may be older than those before: all waiting begins again.
    pub(super) fn distrust_data(&mut self, now: BootTime) {
        self.store.trusted_since = Some(now);
        let mutation = self.mutation();
        for cluster in &mut self.clusters {
            cluster.forget_last_ownership(mutation);
            cluster.watch = None;
            cluster.asker = None;
        }
    }
}
