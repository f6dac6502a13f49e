//! Job names that two jobs share: in log and journal nobody can tell them apart.

use crate::check::finding::{Finding, Kind, Place, Report};
use inputs::command_line::Invocation;
use inputs::words::text_of;

/// A wrapped job, for comparison.
#[derive(Clone, Debug)]
pub(crate) struct Wrapped {
    pub(crate) place: Place,
    name: Option<Vec<u8>>,
    /// Its words.
    pub(crate) text: Vec<u8>,
}

impl Wrapped {
    pub(crate) fn new(place: Place, invocation: &Invocation) -> Self {
        Self {
            place,
            name: invocation.options.job_name.clone(),
            text: invocation.job.text(usize::MAX),
        }
    }
}

pub(crate) fn check(wrapped: &[Wrapped], report: &mut Report) {
    for (index, job) in wrapped.iter().enumerate() {
        let Some(name) = &job.name else { continue };
        let mut earlier = wrapped[..index].iter();
        let Some(first) = earlier.find(|other| other.name.as_ref() == Some(name) && other.text != job.text) else {
            continue;
        };
        let what = format!(
            "the job name {} also belongs to another command, in {}",
            text_of(name),
            first.place
        );
        let remedy = "give each command a --job name of its own";
        report.add(Finding::doubtful(Kind::JobNameTwice, job.place.clone(), what, remedy));
    }
}
