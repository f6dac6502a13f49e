//! How this node's session is lost, and what replaces it.

use super::Machine;
use crate::message::Action;
use crate::notice::{Loss, Notice};
use crate::own_session::OwnSession;
use alloc::vec::Vec;

impl Machine {
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
