//! Faults put into the logic on purpose, to show that the simulation detects them.

/// The rule that is left out.
#[cfg_attr(
    not(feature = "mutations"),
    expect(
        dead_code,
        unreachable_pub,
        reason = "only the simulation has one; without it all of this is optimised away"
    )
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The lease counts from the answer to the renewal, not from before the read.
    DeadlineFromAnswer,
    /// A cluster without a record is taken over without waiting.
    MissingIsFree,
    /// A takeover is not conditional on the version of the old session.
    TakeoverWithoutSessionVersion,
    /// A takeover does not end the old session.
    TakeoverLeavesOldSession,
    /// A new incarnation of the store is not noticed.
    IncarnationIgnored,
    /// Holder and candidate count the same duration.
    NoMargin,
    /// A candidate's wait counts from before its read was sent.
    WatchFromRequest,
    /// A renewal without an answer counts as done.
    NoAnswerIsDone,
    /// The lease is released before the state file is known to be passive.
    ReleaseBeforePassive,
    /// A node's change is not conditional on its own session.
    OwnSessionUnconditional,
    /// A holder whose lease has expired goes on in a store with other data.
    ResumeInNewIncarnation,
    /// A restarted daemon goes on although no valid state file confirms its lease.
    AdoptExpired,
    /// A new epoch is greater than the store's only, not than those that this node has seen.
    EpochFromStoreOnly,
    /// An epoch that was seen counts only while the store has it, or once a later one is on disk.
    EpochSeenButNotCounted,
    /// No `grace` is given to the jobs of the old holder.
    GraceIgnored,
    /// A session that ended for a shorter lease counts as ended for a longer one.
    EndedWhateverTheLease,
    /// A cluster that is free in a store with other data is taken over without waiting.
    FreeAfterLoss,
    /// The record's lease is lowered while the state file still has a longer one.
    LoweredAtOnce,
    /// A node that wins a cluster is active at once.
    SettleIgnored,
    /// `settle` is skipped if the store's record names this node as the last holder.
    SettleFromRecord,
    /// `settle` is skipped although another node may have held the cluster in data that the store has lost.
    SettleSkippedAfterLoss,
    /// A node that held the cluster last is active at once, although it had not settled then.
    SettleCutShort,
    /// The holder's session counts as ended if its record is unreadable.
    UnreadableSessionIsEnded,
    /// A cluster's record that is unreadable counts as missing.
    UnreadableClusterIsMissing,
    /// The lease of a shared state counts from the answer to the renewal, not from before the read.
    SharedFromAnswer,
    /// A shared state is written although the store has not confirmed its session.
    SharedBeforeOpen,
    /// A node that stops ends its session although its state file may still be shared.
    EndedWhileShared,
    /// A cluster that is no longer configured is forgotten although its state file may still be shared.
    ForgottenWhileShared,
    /// A shared state that has expired is renewed with the same session in a store with other data.
    SharedInNewIncarnation,
    /// A restarted daemon goes on with its session although a shared state of it has expired.
    SharedAfterExpiry,
    /// The lease of a shared state is raised while claims of its session name a shorter one.
    SharedLeaseRaised,
}
