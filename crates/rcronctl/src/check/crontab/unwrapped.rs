//! Jobs that look as if somebody forgot to wrap them with rcron.
//!
//! Most jobs of a server concern only that server, so the rule is narrow: either the same command is wrapped elsewhere, or most
//! jobs of the same crontab are wrapped.

use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::report::Report;
use policy::display::escaped;
use std::collections::BTreeMap;

/// The jobs of all crontabs, for comparison.
#[derive(Debug, Default)]
pub(super) struct Unwrapped {
    /// The wrapped commands, each with its first place.
    wrapped: BTreeMap<Vec<u8>, Place>,
    candidates: Vec<Candidate>,
}

/// A job without rcron.
#[derive(Debug)]
struct Candidate {
    place: Place,
    command: Vec<u8>,
    /// Whether most jobs of its crontab are wrapped.
    is_exception: bool,
}

impl Unwrapped {
    pub(super) fn add_wrapped(&mut self, place: Place, command: Vec<u8>) {
        self.wrapped.entry(command).or_insert(place);
    }

    pub(super) fn add_candidate(&mut self, place: Place, command: Vec<u8>, is_exception: bool) {
        self.candidates.push(Candidate {
            place,
            command,
            is_exception,
        });
    }

    /// To be called when all crontabs have been read.
    pub(super) fn check(&self, report: &mut Report) {
        for candidate in &self.candidates {
            let command = escaped(&candidate.command);
            let what = match self.wrapped.get(&candidate.command) {
                Some(place) => format!("{command} runs on every server, but is wrapped at {place}"),
                None if candidate.is_exception => {
                    format!("{command} runs on every server; most jobs of this crontab are wrapped")
                }
                None => continue,
            };
            let remedy = "put rcron before it, unless every server should run it";
            report.add(Finding::doubtful(Kind::Unwrapped, &candidate.place, what, remedy));
        }
    }
}
