//! Claims, which the witness watches: they begin with the state files that permit them.

use super::{Event, World};
use crate::checker::{Broken, Violation, permits_grants};
use crate::node::Node;
use crate::witness::{Claim, Identity};
use lease::StateFileContent;

impl World {
    /// The node's state file has this content now.
    pub(super) fn note_claim(&mut self, node: usize, cluster: usize, content: StateFileContent) {
        let now = self.now;
        let Some(witness) = &mut self.witness else { return };
        let identity = match content {
            StateFileContent::Passive => None,
            StateFileContent::Active { epoch, .. } => Some(Identity::Epoch(epoch)),
            StateFileContent::Shared { session, .. } => Some(Identity::Session(session)),
        };
        let mut others = witness.claims.iter_mut();
        others
            .by_ref()
            .filter(|claim| claim.node == node && claim.cluster == cluster && Some(claim.identity) != identity)
            .for_each(|claim| claim.end = claim.end.min(now));
        let server = &self.nodes[node];
        let (Some(identity), Some(until)) = (identity, content.until()) else {
            return;
        };
        let is_watched = witness.watches_active || matches!(identity, Identity::Session(_));
        if is_watched && witness.find(node, cluster, identity).is_none() {
            witness.claims.extend(new_claim(server, node, cluster, identity));
        }
        let end = server.clock.when(until);
        if let Some(claim) = witness.find(node, cluster, identity) {
            claim.end = if end > now { end } else { claim.end.min(now) };
            if claim.is_over && permits_grants(server, cluster, now) {
                let what = Broken::OverAndPermitted { cluster, node };
                self.broken.get_or_insert(Violation { at: now, what });
            }
        }
        self.look_at_sessions();
    }

    /// The node was rebooted, so that nothing of what it has claimed goes on.
    pub(super) fn forget_claims(&mut self, node: usize) {
        if let Some(witness) = &mut self.witness {
            witness.claims.retain(|claim| claim.node != node);
        }
    }

    /// To be called after each change in the store.
    pub(super) fn look_at_sessions(&mut self) {
        let Some(witness) = &mut self.witness else { return };
        let (over, next) = witness.look(self.now, &mut self.store, &self.nodes);
        if let Some(next) = next.filter(|next| self.witness_looks_at != Some(*next)) {
            self.witness_looks_at = Some(next);
            self.queue.put(next, Event::Look);
        }
        for claim in over {
            self.claim_is_over(&claim);
        }
    }

    fn claim_is_over(&mut self, claim: &Claim) {
        let (now, node, cluster) = (self.now, claim.node, claim.cluster);
        self.note(|| format!("what n{node} has claimed in c{cluster} as {:?} is over", claim.identity));
        // Both clocks may be wrong: the node's, and that of the reader, which counts `grace`.
        let grace = u64::try_from(claim.grace.as_micros()).unwrap_or(u64::MAX) / 100 * 98;
        if claim.end + grace > now {
            let what = Broken::OverAndPermitted { cluster, node };
            self.broken.get_or_insert(Violation { at: now, what });
        }
    }
}

/// What the node's process would claim with its state file now.
fn new_claim(server: &Node, node: usize, cluster: usize, identity: Identity) -> Option<Claim> {
    let process = server.process.as_ref()?;
    let config = &server.configs[cluster];
    let view = process.machine.views().find(|view| view.config.name == config.name)?;
    let session = match identity {
        Identity::Session(session) => session,
        Identity::Epoch(_) => process.machine.open_session().filter(|_| view.held_lease.is_some())?,
    };
    let terms = (session, view.claim_lease, config.timing.grace());
    Some(Claim::new(node, cluster, identity, terms))
}
