//! A cluster that this node does not hold: what it watches, and when it can take the cluster over.

use super::{Cluster, LastRecord, Mode};
use crate::message::RunOn;
use crate::mutation::Mutation;
use crate::record::Ownership;
use crate::sessions::Sessions;
use crate::timing::BOOT;
use crate::watch::{HolderSession, Liveness, Seen, Watch};
use core::time::Duration;
use policy::moment::BootTime;

impl Cluster {
    /// Takes in who holds the cluster, and whether that node's session and the asker's renew. `open`: this node's session is open.
    pub(crate) fn watch_holder(&mut self, sessions: &Sessions<'_>, open: bool, now: BootTime) {
        let seen = match &self.record {
            LastRecord::Unreadable(..) if sessions.mutation != Some(Mutation::UnreadableClusterIsMissing) => None,
            // A store may not have an incarnation. Then only the own session shows that no data were lost since.
            LastRecord::Missing | LastRecord::Unreadable(..) => open.then_some(Seen::Missing),
            LastRecord::Readable(_, record) => match &record.ownership {
                Ownership::Free { handover_target, .. } => Some(Seen::Free {
                    epoch: record.epoch,
                    for_another: handover_target.as_ref().is_some_and(|target| target != sessions.node),
                }),
                Ownership::Held { by, ask } => {
                    if let Some(ask) = ask.as_ref().filter(|ask| ask.node != *sessions.node) {
                        Liveness::update(&mut self.asker, ask.session, sessions.open_version(ask), now);
                    }
                    sessions.holder_session(by).map(|session| Seen::Held {
                        epoch: record.epoch,
                        id: by.session,
                        session,
                    })
                }
            },
        };
        match seen {
            Some(seen) => Watch::update(&mut self.watch, seen, now),
            None => self.watch = None,
        }
    }

    /// From when on what was watched allows a takeover. A cluster may be free, or its session ended, only because the store went back
    /// to an older state; so the store's data must have been trusted for a whole wait too. `trusted_since`: `None` for always.
    pub(crate) fn takeover_at(&self, trusted_since: Option<BootTime>, mutation: Option<Mutation>) -> Option<BootTime> {
        let Watch { seen, since } = self.watch.as_ref()?;
        let lease = self.longest_lease();
        let grace = match mutation {
            Some(Mutation::GraceIgnored) => Duration::ZERO,
            _ => self.config.timing.grace(),
        };
        let whole_wait = match mutation {
            Some(Mutation::NoMargin) => lease.get() + grace,
            _ => lease.wait_duration() + grace,
        };
        let wait = match seen {
            Seen::Missing if mutation == Some(Mutation::MissingIsFree) => Duration::ZERO,
            Seen::Free { for_another: false, .. } => Duration::ZERO,
            Seen::Free { for_another: true, .. } => lease.third(),
            Seen::Held {
                session: HolderSession::Ended(ended),
                ..
            } if *ended >= lease || mutation == Some(Mutation::EndedWhateverTheLease) => grace,
            Seen::Missing | Seen::Held { .. } => whole_wait,
        };
        let trust_ignored = match seen {
            Seen::Missing => Mutation::MissingIsFree,
            _ => Mutation::FreeAfterLoss,
        };
        let trusted_since = trusted_since.filter(|_| mutation != Some(trust_ignored));
        let trusted_at = trusted_since.map_or(*since, |from| from.after(whole_wait));
        Some(since.after(wait).max(trusted_at).max(self.no_takeover_before))
    }

    /// Whether nothing but the wait keeps this node from winning: its state file was written within the last lease, and its next
    /// epoch is on disk.
    pub(crate) fn can_take_over(&self, now: BootTime) -> bool {
        let written = self.state_file.is_written_since(self.proof_since(now));
        self.is_candidate() && written && self.epochs.reserved().is_some()
    }

    /// Whether this node is a candidate whose state file could be written the last time.
    pub(crate) fn is_able_candidate(&self) -> bool {
        self.is_candidate() && self.state_file.is_written_since(BOOT)
    }

    /// Whether this node wants the cluster and does not hold it.
    pub(crate) fn is_candidate(&self) -> bool {
        self.mode == Mode::Serve && self.holder.is_none() && self.config.run_on == RunOn::Active
    }

    /// A write since then proves that the state file can be written.
    pub(super) fn proof_since(&self, now: BootTime) -> BootTime {
        BootTime(now.0.saturating_sub(self.config.timing.lease().get()))
    }
}
