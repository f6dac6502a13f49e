//! What goes to this node's disk: state files and reserved epochs.

use super::{Demand, Machine};
use crate::cluster::{Part, Reservation};
use crate::message::Action;
use crate::mutation::Mutation;
use crate::name::ClusterName;
use crate::notice::Notice;
use alloc::vec::Vec;
use policy::moment::BootTime;

impl Machine {
    pub(super) fn write_state_files(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let (trusted_since, mutation) = (self.store.trusted_since, self.mutation());
        let stopping = self.is_stopping();
        for cluster in &mut self.clusters {
            let is_confirmed = self.session.confirmed_at.is_some() || mutation == Some(Mutation::SharedBeforeOpen);
            if cluster.is_to_be_shared(stopping) && is_confirmed {
                self.session.share(&cluster.config.name, cluster.config.timing.lease());
            }
            let part = Part {
                session: &self.session,
                stopping,
                mutation,
            };
            if cluster.has_newly_expired(now) {
                out.push(Action::Notify(Notice::LeaseOver(cluster.config.name.clone())));
            }
            // A node that is about to win must prove that it can write.
            let wins_soon =
                cluster.is_candidate() && cluster.takeover_at(trusted_since, mutation).is_some_and(|at| at <= now);
            if let Some(content) = cluster.write_state_file(now, &part, wins_soon) {
                out.extend(cluster.report_share(content, &part).map(Action::Notify));
                let cluster = cluster.config.name.clone();
                out.push(Action::WriteState { cluster, content });
            }
        }
    }

    pub(super) fn take_state_written(&mut self, now: BootTime, name: &ClusterName, done: bool, out: &mut Vec<Action>) {
        let stopping = self.is_stopping();
        let Some(cluster) = self.find_cluster(name) else { return };
        cluster.state_file.end_write(now, done);
        if !done {
            out.push(Action::Notify(Notice::Unwritable(name.clone())));
            if let Some(holder) = &mut cluster.holder {
                holder.giving_up = true;
            }
            cluster.able_since = None;
        }
        // The release, or the end of the session, may have waited for this write.
        if stopping || (cluster.holder.is_some() && cluster.must_release(stopping)) {
            self.store.demand(Demand::Urgent);
        }
    }

    /// Nothing is reserved before the first read, which tells the epochs in the store.
    pub(super) fn reserve_epochs(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if !self.store.was_read() {
            return;
        }
        for cluster in &mut self.clusters {
            let reservation = cluster.reserve_epoch(now);
            let name = || cluster.config.name.clone();
            match reservation {
                Reservation::None => {}
                Reservation::Save(epoch) => out.push(Action::PersistEpoch { cluster: name(), epoch }),
                Reservation::UsedUp(epoch) => out.push(Action::Notify(Notice::EpochsUsedUp { cluster: name(), epoch })),
            }
        }
    }

    pub(super) fn take_epoch_saved(
        &mut self,
        now: BootTime,
        name: &ClusterName,
        epoch: u64,
        done: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(cluster) = self.find_cluster(name) else { return };
        if done {
            cluster.epochs.saved(epoch);
        } else {
            cluster.epochs.save_failed(now);
            out.push(Action::Notify(Notice::NoEpoch(name.clone())));
        }
    }
}
