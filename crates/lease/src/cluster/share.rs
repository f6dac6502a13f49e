//! A cluster whose jobs each node may run: what the state file says while this node's session is open.

use super::{Cluster, Mode, Part};
use crate::message::{RunOn, StateFileContent};
use crate::mutation::Mutation;
use crate::name::NodeName;
use crate::notice::Notice;
use crate::own_session::OwnSession;
use crate::timing::LeaseDuration;
use policy::moment::BootTime;

impl Cluster {
    /// Whether this node is to share the cluster, as far as the administrator and the configuration say.
    pub(crate) fn is_to_be_shared(&self, stopping: bool) -> bool {
        self.config.run_on == RunOn::Any && !self.must_stay_out(stopping)
    }

    /// The shared state, while the session permits it.
    pub(super) fn shared_content(&self, now: BootTime, part: &Part<'_>) -> Option<StateFileContent> {
        let lease = match part.mutation {
            Some(Mutation::SharedLeaseRaised) => self.config.timing.lease(),
            _ => part.session.shared_lease(&self.config.name)?.shortest,
        };
        let confirmed_at = match part.mutation {
            Some(Mutation::SharedBeforeOpen) => part.session.confirmed_at.unwrap_or(now),
            _ => part.session.confirmed_at?,
        };
        let until = confirmed_at.after(lease.active_duration());
        (self.is_to_be_shared(part.stopping) && until > now).then_some(StateFileContent::Shared {
            until,
            session: part.session.id,
            draining: self.mode == Mode::Drain,
        })
    }

    /// What to report when the state file gets this content: the lease is over, although the cluster is to be shared and the session
    /// is not lost.
    pub(crate) fn report_share(&mut self, content: StateFileContent, part: &Part<'_>) -> Option<Notice> {
        let is_shared = matches!(content, StateFileContent::Shared { .. });
        let was_shared = core::mem::replace(&mut self.was_shared, is_shared);
        let is_over = was_shared && !is_shared && self.is_to_be_shared(part.stopping) && part.session.is_open();
        is_over.then(|| Notice::LeaseOver(self.config.name.clone()))
    }

    /// When the earlier process of the resumed session began the round that its state file rests on, or a moment before. The lease of a
    /// shared state is unchanged since. That of an active one may have been any that this node knows of.
    pub(crate) fn inherited_confirmation(
        &self,
        now: BootTime,
        node: &NodeName,
        session: &OwnSession,
    ) -> Option<BootTime> {
        let (until, lease) = match self.inherited? {
            StateFileContent::Shared { until, session: of, .. } if of == session.id => {
                (until, self.config.timing.lease())
            }
            StateFileContent::Active { until, epoch, .. } if self.epoch_held_by(node, session.id) == Some(epoch) => {
                (until, self.longest_lease())
            }
            _ => return None,
        };
        // No lease of this cluster ends later than that, whatever the file says.
        let end = until.min(now.after(lease.active_duration()));
        (until > now).then(|| BootTime(end.0.saturating_sub(lease.active_duration())))
    }

    /// The lease that a claim must name: no state that this node writes in this session lasts longer.
    pub(crate) fn claim_lease(&self, session: &OwnSession) -> LeaseDuration {
        let shared = session.shared_lease(&self.config.name);
        shared.map_or(self.longest_lease(), |lease| lease.longest.max(self.longest_lease()))
    }
}
