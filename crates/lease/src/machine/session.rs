//! How this node's session is lost, and what replaces it.

use super::Machine;
use crate::cluster::Cluster;
use crate::message::{Action, Found};
use crate::notice::{Loss, Notice};
use crate::own_session::OwnSession;
use alloc::vec::Vec;
use policy::moment::BootTime;

impl Machine {
    /// Takes in the record under this node's name. `watched_from`: from when a wait counts that this read begins.
    pub(super) fn take_own_session(
        &mut self,
        own: Option<&Found>,
        now: BootTime,
        watched_from: BootTime,
        out: &mut Vec<Action>,
    ) {
        let result = self.session.take_record(own).and_then(|()| self.check_epochs());
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

    /// The session is lost, and with it all clusters that it held.
    pub(super) fn lose_session(&mut self, why: Loss, out: &mut Vec<Action>) {
        for cluster in &mut self.clusters {
            if cluster.holder.is_some() {
                out.push(Action::Notify(Notice::Lost(cluster.config.name.clone())));
            }
            cluster.drop_lease();
            cluster.unanswered_takeover = None;
            cluster.inherited = None;
        }
        out.push(Action::Notify(Notice::SessionLost(why)));
        self.make_new_session(out);
    }

    pub(super) fn make_new_session(&mut self, out: &mut Vec<Action>) {
        let version = self.session.version;
        self.session = OwnSession::new(self.random.session_id());
        self.session.version = version;
        out.push(Action::KeepIdentity(self.session.id));
    }
}
