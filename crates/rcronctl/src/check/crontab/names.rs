//! Job names that two commands share.

use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::report::Report;
use policy::display::escaped;
use std::collections::BTreeMap;

/// The names that `--job` gives.
#[derive(Debug, Default)]
pub(super) struct JobNames {
    /// For each name the first two commands that differ: each further command differs from one of them.
    commands: BTreeMap<Vec<u8>, Vec<(Vec<u8>, Place)>>,
}

impl JobNames {
    /// Adds the name of a job, and reports it if an earlier job with another command has it.
    pub(super) fn add(&mut self, place: &Place, name: Vec<u8>, command: &[u8], report: &mut Report) {
        let shown_name = escaped(&name).into_owned();
        let known = self.commands.entry(name).or_default();
        let is_known = known.iter().any(|(other, _)| other == command);
        if let Some((_, first)) = known.iter().find(|(other, _)| other != command) {
            let what = format!("another command has the job name {shown_name} too, at {first}");
            let finding = Finding::doubtful(Kind::JobNameTwice, place, what, "give each command its own --job name");
            report.add(finding.because("in the log and journal, the two cannot be distinguished"));
        }
        if !is_known && known.len() < 2 {
            known.push((command.to_vec(), place.clone()));
        }
    }
}
