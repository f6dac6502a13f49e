//! Faults that the simulation puts into the logic, to show that it would notice them.

/// A rule that is left out.
#[cfg_attr(
    not(feature = "mutations"),
    expect(
        unreachable_pub,
        reason = "only the simulation has one; without it all of this is optimised away"
    )
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A claim, or another change of a job, has not the record's version as a condition.
    ChangeWithoutJobVersion,
    /// A claim has not this node's session as a condition.
    ClaimWithoutSession,
    /// A floor that is missing counts as 0.
    MissingFloorIsZero,
    /// The floor is not raised in a new incarnation, or after the store's revision went back.
    FloorIsKept,
    /// A revision that went back is not noticed.
    RevisionIsIgnored,
    /// The floor is set to the own clock, without `max_skew`.
    FloorWithoutSkew,
    /// The floor is set as if no `--tick` could name a tick that is ahead.
    FloorWithoutNamedAhead,
    /// A claim that a read finds is granted although its tick is not above the floor.
    GrantBelowFloor,
    /// An administrator's request lowers what right clocks can have closed, too.
    ReopenWithoutSkew,
    /// A tick that was reopened is started beside its first run.
    ReopenedBesideItself,
    /// An attempt is started again before its session is ended.
    AgainWithoutEnding,
    /// The reader's lease and grace count, not the entry's.
    OwnTermsForSessions,
    /// `start_by` is the tick's deadline alone.
    StartByDeadlineOnly,
    /// A read that finds the run in an entry is a grant, although a change that gives it back may still be done.
    GrantOnRead,
    /// A change without an answer counts as done.
    GrantOnNoAnswer,
    /// A claim that is given back is forgotten: its entry stays.
    NothingIsGivenBack,
    /// A tick is recorded as missed as soon as `start_within` is over.
    MissedWithoutSkew,
    /// An open entry of an older tick is started again.
    AgainForAnOlderTick,
    /// The asker's `rerun` counts, not the entry's.
    AskersReruns,
    /// A tick is claimed although it is not above *closed*.
    ClosedIsIgnored,
    /// A tick is claimed although this server has no permission.
    ClaimWithoutPermission,
    /// A run that is not connected for 10 s is not given up.
    LostRunsStay,
}
