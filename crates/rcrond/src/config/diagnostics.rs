//! Collects what is wrong with the file.

use super::redact;
use inputs::diagnostic::Diagnostic;
use policy::config::Problem;
use std::ops::Range;

/// Each problem takes time, because its line is searched in the text. A file with more problems is most likely not an
/// rcrond.toml.
const MAX_PROBLEMS: usize = 100;

/// What is wrong with a value. Its place in the file is added later.
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

    /// An error without advice.
    pub(super) fn bare(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }
}

/// All problems and warnings, so that they can be reported together.
#[derive(Default)]
pub(super) struct Diagnostics {
    refused: Vec<(Range<usize>, ValueError)>,
    warnings: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Rejects the file because of these bytes of its text.
    pub(super) fn refuse(&mut self, place: Range<usize>, refusal: ValueError) {
        self.refused.push((place, refusal));
    }

    /// Adds a warning. The file is used anyway.
    pub(super) fn warn(&mut self, text: String) {
        self.warnings.push(Diagnostic::plain(text));
    }

    /// The warnings; or all problems, in the order of the file.
    ///
    /// # Errors
    /// The problems.
    pub(super) fn finish(mut self, text: &[u8], origin: &[u8]) -> Result<Vec<Diagnostic>, Diagnostic> {
        if self.refused.is_empty() {
            return Ok(self.warnings);
        }
        self.refused.sort_by_key(|(place, _)| place.start);
        let shown = redact::redact_passwords(text);
        let problems: Vec<Problem> = self
            .refused
            .into_iter()
            .take(MAX_PROBLEMS)
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
