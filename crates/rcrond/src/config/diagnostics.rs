//! The text of the file, and what is wrong with it so far.

use super::redact;
use inputs::diagnostic::Diagnostic;
use policy::config::Problem;
use std::ops::Range;

/// A file with more problems is another file: each one costs a look through the text.
const MOST_PROBLEMS: usize = 100;

/// What is wrong with a value, before its place is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValueError {
    message: String,
    help: Option<String>,
}

impl ValueError {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    /// One that needs no advice, or has it in the message.
    pub(super) fn bare(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }
}

/// Collects what is wrong, so that all of it can be told at once.
#[derive(Default)]
pub(super) struct Diagnostics {
    refused: Vec<(Range<usize>, ValueError)>,
    warnings: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Something is wrong with these bytes of the text.
    pub(super) fn refuse(&mut self, place: Range<usize>, refusal: ValueError) {
        self.refused.push((place, refusal));
    }

    /// What is no reason to refuse the file.
    pub(super) fn warn(&mut self, text: String) {
        self.warnings.push(Diagnostic::plain(text));
    }

    /// The warnings; or every problem, in the order of the file.
    pub(super) fn finish(mut self, text: &[u8], origin: &[u8]) -> Result<Vec<Diagnostic>, Diagnostic> {
        if self.refused.is_empty() {
            return Ok(self.warnings);
        }
        self.refused.sort_by_key(|(place, _)| place.start);
        let shown = redact::redact_passwords(text);
        let problems: Vec<Problem> = self
            .refused
            .into_iter()
            .take(MOST_PROBLEMS)
            .map(|(place, refusal)| {
                let problem = Problem::in_text(&shown, place, refusal.message);
                match refusal.help {
                    Some(help) => problem.with_help(help),
                    None => problem,
                }
            })
            .collect();
        Err(Diagnostic::of_all(&problems, origin))
    }
}
