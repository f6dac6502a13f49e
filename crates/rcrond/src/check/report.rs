//! The report, in the form of `rcronctl check`: a subject, and below it a row for each result.

use crate::cli;
use inputs::fold::fold;
use std::env;
use std::fmt::Write;
use std::io::stdout;
use std::process::ExitCode;

/// Aligns further lines with the text after the label.
const INDENT: usize = 12;
/// Before a remedy.
const ARROW: &str = "-> ";

/// The results so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    text: String,
    wrong: usize,
    hints: usize,
    /// The width of the terminal; `None` if there is none, and sentences are not folded.
    columns: Option<usize>,
}

impl Report {
    /// A report for stdout. Its width is found as rcronctl finds it.
    pub(super) fn new() -> Self {
        let requested = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let own = || terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
        Self {
            columns: requested.or_else(own).filter(|columns| *columns > 0),
            ..Self::default()
        }
    }

    /// Begins the rows of a subject.
    pub(super) fn begin_subject(&mut self, subject: &str) {
        let _ = writeln!(self.text, "{subject}");
    }

    /// Reports that something is correct.
    pub(super) fn fine(&mut self, what: &str) {
        self.row("fine", what);
    }

    /// Reports something that does or will do harm. The exit status becomes 1.
    pub(super) fn wrong(&mut self, what: &str, remedy: &str) {
        self.wrong += 1;
        self.row("wrong", what);
        self.advise(remedy);
    }

    /// Reports something that may be intended.
    pub(super) fn hint(&mut self, what: &str, remedy: Option<&str>) {
        self.hints += 1;
        self.row("hint", what);
        if let Some(remedy) = remedy {
            self.advise(remedy);
        }
    }

    /// Further lines of the text are indented.
    fn row(&mut self, label: &str, text: &str) {
        let text = self.fold(text, INDENT);
        let _ = writeln!(self.text, "  {label:10}{text}");
    }

    fn advise(&mut self, remedy: &str) {
        let remedy = self.fold(remedy, INDENT + ARROW.len());
        let _ = writeln!(self.text, "{:INDENT$}{ARROW}{remedy}", "");
    }

    fn fold(&self, text: &str, indent: usize) -> String {
        fold(text, indent, self.columns, |text| text.chars().count())
    }

    /// The rows so far.
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Prints the report and returns the exit status.
    pub(super) fn print(mut self) -> ExitCode {
        let summary = self.summary();
        let _ = writeln!(self.text, "{summary}");
        let printed = cli::print(&self.text);
        if self.wrong > 0 { ExitCode::FAILURE } else { printed }
    }

    fn summary(&self) -> String {
        let wrong = match self.wrong {
            0 => "nothing is wrong".to_owned(),
            count => format!("{count} wrong"),
        };
        match self.hints {
            0 => wrong,
            1 => format!("{wrong}, 1 hint"),
            count => format!("{wrong}, {count} hints"),
        }
    }
}
