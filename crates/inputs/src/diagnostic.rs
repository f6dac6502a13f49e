//! Messages about what is wrong: for people on stderr, and for the log.

use policy::config::Problem;
use policy::display;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// How many invalid lines a message shows; the others are counted.
const MOST_PROBLEMS: usize = 5;

/// A message in its two forms.
pub struct Diagnostic {
    /// For people: perhaps several lines, with the place and a caret.
    pub full: String,
    /// For the log: one line.
    pub summary: String,
}

impl Diagnostic {
    /// A message of one line in both forms.
    pub fn plain(text: String) -> Self {
        Self {
            full: text.clone(),
            summary: text,
        }
    }

    /// A problem of a file, or of the option that `origin` names.
    pub fn of(problem: &Problem, origin: &[u8]) -> Self {
        Self {
            full: problem.report(origin).to_string(),
            summary: problem.summary(origin),
        }
    }

    /// Several problems of a file, at least one: all for people, the first for the log.
    pub fn of_all(problems: &[Problem], origin: &[u8]) -> Self {
        let reports = problems
            .iter()
            .take(MOST_PROBLEMS)
            .map(|problem| problem.report(origin).to_string());
        let mut full = reports.collect::<Vec<_>>().join("\n");
        if problems.len() > MOST_PROBLEMS {
            let _ = write!(full, "\n({} more invalid lines)", problems.len() - MOST_PROBLEMS);
        }
        Self {
            full,
            summary: problems[0].summary(origin),
        }
    }
}

/// A path or another text of the user's in a message: see [`policy::display`].
pub fn shown(text: &OsStr) -> String {
    display::escaped(text.as_bytes()).into_owned()
}
