//! Whether this node may start a tick now, and until when.

use crate::message::{ClusterFacts, Facts, Permission, StopReason};
use crate::mutation::Mutation;
use alloc::string::{String, ToString};
use core::mem::Discriminant;
use core::time::Duration;
use lease::{ClusterName, LeaseDuration, SessionId, Version};
use policy::claim::WaitReason;
use policy::moment::BootTime;

/// What a claim of this node needs, beside the job's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permit {
    /// This node's session, which is open.
    pub(super) session: SessionId,
    /// The version that it was read with: a condition of the claim.
    pub(super) version: Version,
    /// The end of the lease as it was known before the read.
    pub(super) until: BootTime,
    /// What the state file must still say when the job is started.
    pub(super) identity: String,
    /// The terms of this node's entries.
    pub(super) lease: LeaseDuration,
    /// The same.
    pub(super) grace: Duration,
}

/// What a round knows of this node: from before its read, and now.
pub(super) struct Standing<'a> {
    pub(super) before: &'a Facts,
    pub(super) now: &'a Facts,
    /// This node's session, if the read found it open.
    pub(super) session: Option<(SessionId, Version)>,
    pub(super) time: BootTime,
}

impl Standing<'_> {
    /// The permit for this cluster.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn permit(
        &self,
        cluster: &ClusterName,
        mutated: &dyn Fn(Mutation) -> bool,
    ) -> Result<Permit, WaitReason> {
        let (session, version) = self.session.ok_or(WaitReason::NoSession)?;
        let now = self.now.clusters.get(cluster).ok_or(WaitReason::Passive)?;
        let before = self.before.clusters.get(cluster).ok_or(WaitReason::Passive)?;
        let latest = identity(now.permission, session);
        let known = identity(before.permission, session);
        if mutated(Mutation::ClaimWithoutPermission) {
            return Ok(Permit {
                session,
                version,
                until: self.time.after(Duration::from_secs(3600)),
                identity: latest.map_or_else(|_| String::new(), |(identity, _)| identity),
                lease: now.lease,
                grace: now.grace,
            });
        }
        let ((identity, _), (earlier, until)) = (latest?, known?);
        // A lease that was lost and regained between the two does not permit what was begun before.
        if identity != earlier || self.before.session != Some(session) {
            return Err(WaitReason::Passive);
        }
        if until <= self.time {
            return Err(WaitReason::Passive);
        }
        Ok(Permit {
            session,
            version,
            until,
            identity,
            lease: now.lease,
            grace: now.grace,
        })
    }
}

/// The text that a state file with this permission has as its identity, and the lease's end.
fn identity(permission: Permission, session: SessionId) -> Result<(String, BootTime), WaitReason> {
    match permission {
        Permission::None(StopReason::Passive) => Err(WaitReason::Passive),
        Permission::None(StopReason::ClockAhead) => Err(WaitReason::ClockAhead),
        Permission::Active { until, epoch } => Ok((epoch.to_string(), until)),
        Permission::Shared { until } => Ok((session.to_string(), until)),
    }
}

/// What must change so that a waiting claim is looked at again: not the lease's end, which moves with each renewal.
pub(super) fn kind(facts: &ClusterFacts) -> (Discriminant<Permission>, Option<u64>) {
    let epoch = match facts.permission {
        Permission::Active { epoch, .. } => Some(epoch),
        _ => None,
    };
    (core::mem::discriminant(&facts.permission), epoch)
}
