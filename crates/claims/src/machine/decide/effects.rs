//! What a waiting rcron is told.

use crate::machine::draft::Draft;
use crate::machine::outcome::Effect;
use crate::machine::run::{Run, RunKey};
use crate::record::Outcome;
use alloc::string::String;
use policy::claim::{OverReason, RunResult, WaitReason};

pub(super) fn over(key: &RunKey, reason: OverReason, by: Option<String>) -> Effect {
    Effect::Over {
        key: key.clone(),
        reason,
        by,
        ended: None,
    }
}

/// The tick has ended. A run that has waited for that says so.
pub(super) fn over_done(key: &RunKey, run: &Run, by: Option<String>, ended: Option<RunResult>) -> Effect {
    let reason = if run.follows && ended.is_some() {
        OverReason::Elsewhere
    } else {
        OverReason::Done
    };
    Effect::Over {
        key: key.clone(),
        reason,
        by,
        ended,
    }
}

const fn result(outcome: Outcome) -> Option<RunResult> {
    match outcome {
        Outcome::Exited(0) => Some(RunResult::Ok),
        Outcome::Exited(_) | Outcome::Killed(_) => Some(RunResult::Failed),
        Outcome::Interrupted => Some(RunResult::Interrupted),
        Outcome::Lost => Some(RunResult::Lost),
        Outcome::Skipped | Outcome::Missed(_) => None,
    }
}

pub(super) fn wait(key: &RunKey, reason: WaitReason, by: Option<String>) -> Effect {
    Effect::Wait {
        key: key.clone(),
        reason,
        by,
    }
}

pub(super) fn missed(key: &RunKey, gap: crate::Gap) -> Effect {
    Effect::Notify(crate::Notice::Missed {
        job: key.job.clone(),
        gap,
        reason: crate::MissReason::NotAsked,
    })
}

/// The tick is closed and has no entry that could be started again.
pub(super) fn over_ended(key: &RunKey, run: &Run, draft: &Draft) -> Effect {
    let record = &draft.record;
    let last = record
        .last
        .as_ref()
        .filter(|last| last.tick == run.tick || record.closed > run.tick);
    let newest = record.entries.iter().find(|entry| entry.tick == record.closed);
    let by = newest.map(|entry| String::from(&entry.node));
    if run.tick < record.closed {
        let ended = last.and_then(|last| last.node.as_ref()).map(String::from);
        return over(key, OverReason::Superseded, by.or(ended));
    }
    match last {
        Some(last) if last.outcome == Outcome::Skipped => over(key, OverReason::Overlap, None),
        last => {
            let by = last.and_then(|last| last.node.as_ref()).map(String::from);
            over_done(key, run, by, last.and_then(|last| result(last.outcome)))
        }
    }
}
