//! The rules of the claims machine that can be left out.

use claims::Mutation;

/// All of them.
pub const ALL: [Mutation; 22] = [
    Mutation::ChangeWithoutJobVersion,
    Mutation::ClaimWithoutSession,
    Mutation::MissingFloorIsZero,
    Mutation::FloorIsKept,
    Mutation::RevisionIsIgnored,
    Mutation::FloorWithoutSkew,
    Mutation::FloorWithoutNamedAhead,
    Mutation::GrantBelowFloor,
    Mutation::ReopenWithoutSkew,
    Mutation::ReopenedBesideItself,
    Mutation::AgainWithoutEnding,
    Mutation::OwnTermsForSessions,
    Mutation::StartByDeadlineOnly,
    Mutation::GrantOnNoAnswer,
    Mutation::GrantOnRead,
    Mutation::NothingIsGivenBack,
    Mutation::MissedWithoutSkew,
    Mutation::AgainForAnOlderTick,
    Mutation::AskersReruns,
    Mutation::ClosedIsIgnored,
    Mutation::ClaimWithoutPermission,
    Mutation::LostRunsStay,
];

/// The rule of this name, as [`Mutation`]'s variants are called.
#[must_use]
pub fn named(name: &str) -> Option<Mutation> {
    ALL.into_iter().find(|mutation| format!("{mutation:?}") == name)
}
