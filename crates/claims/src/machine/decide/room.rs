//! Whether a tick may be started beside earlier attempts of its job.

use super::{Decision, Round, end_entry, end_session};
use crate::machine::Machine;
use crate::machine::run::{Run, RunKey};
use crate::mutation::Mutation;
use crate::record::{EntryState, MOST_ENTRIES};
use crate::sessions::Over;
use policy::moment::BootTime;

/// Whether a tick may be started beside the attempts that still run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// It will be known at this time; `None`: after the next read.
    NotYet(Option<BootTime>),
    None,
}

impl Machine {
    /// Ends older entries that nothing can follow once this tick is claimed, and finds out whether the tick may be started beside
    /// those that still run.
    pub(super) fn make_room(&self, round: &Round, key: &RunKey, run: &Run, decision: &mut Decision) -> Room {
        let waits = self.overlap_ends(round, run, decision);
        if let Some(room) = waits {
            return room;
        }
        let mut at = 0;
        let (mut running, mut runs_already) = (0, false);
        while let Some(entry) = decision.draft.record.entries.get(at).cloned() {
            let end = match entry.state {
                EntryState::NeverStarted | EntryState::CutOff => None,
                EntryState::Running => match self.entry_over(round, &entry) {
                    Over::Yes { end } => end,
                    Over::NotBefore(_) => {
                        running += 1;
                        // A tick that was started by a wrong clock and reopened: it is not started beside itself.
                        runs_already |= entry.tick == run.tick && !self.is_mutated(Mutation::ReopenedBesideItself);
                        at += 1;
                        continue;
                    }
                },
            };
            if let Some((version, record)) = end {
                end_session(&mut decision.draft, &entry, version, &record);
            }
            end_entry(&key.job, at, &entry, decision);
        }
        if running == 0 || (!run.skips_overlap && !runs_already && running < MOST_ENTRIES) {
            Room::Free
        } else {
            Room::None
        }
    }

    /// With `overlap = skip`: an attempt that may have died with its server is waited for, if it can be known in time whether it has.
    fn overlap_ends(&self, round: &Round, run: &Run, decision: &Decision) -> Option<Room> {
        let entries = decision.draft.record.entries.iter();
        let running = entries.filter(|entry| run.skips_overlap && entry.state == EntryState::Running);
        let mut latest = None;
        let mut must_wait = false;
        for entry in running {
            if let Over::NotBefore(moment) = self.entry_over(round, entry) {
                let in_time = moment.is_none_or(|moment| moment < run.deadline);
                if self.is_alive(round, entry) || !in_time {
                    return None;
                }
                must_wait = true;
                latest = latest.max(moment);
            }
        }
        must_wait.then_some(Room::NotYet(latest))
    }

    /// Whether an attempt of another tick than the one at this place may still run.
    pub(super) fn runs_beside(&self, round: &Round, at: usize, decision: &Decision) -> bool {
        let mut entries = decision.draft.record.entries.iter().enumerate();
        entries.any(|(other, entry)| {
            let is_running = other != at && entry.state == EntryState::Running;
            is_running && matches!(self.entry_over(round, entry), Over::NotBefore(_))
        })
    }
}
