//! Faults put into the logic on purpose, to show that the simulation sees them.

/// One rule left out.
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
    /// The deadline counts from the answer to the renewal.
    DeadlineFromAnswer,
    /// A missing record is free.
    MissingIsFree,
    /// A takeover is not conditional on the old session's version.
    TakeoverWithoutSessionVersion,
    /// A takeover does not end the old session.
    TakeoverLeavesOldSession,
    /// A store with other data is the same store.
    IncarnationIgnored,
    /// Holder and candidate count the same span.
    NoMargin,
    /// A candidate counts from before its read was sent.
    WatchFromRequest,
    /// A renewal that is not answered counts as done.
    NoAnswerIsDone,
    /// The lease is released before the state file is known to be passive.
    ReleaseBeforePassive,
    /// A node's change is not conditional on its own session.
    OwnSessionUnconditional,
    /// A holder whose lease is over goes on in a store with other data.
    ResumeInNewIncarnation,
    /// A restarted daemon goes on whether its lease is over or not.
    AdoptExpired,
    /// The epoch is counted in the store only.
    EpochFromStoreOnly,
    /// A new holder does not wait for the old one's jobs.
    GraceIgnored,
    /// What a session held for a longer lease is over with it.
    EndedWhateverTheLease,
    /// What is free in a store with other data is free at once.
    FreeAfterLoss,
    /// The record's lease is lowered while the state file still says a longer one.
    LoweredAtOnce,
}
