//! What is told, in the form of `rcronctl check`: a subject, below it a row for each thing.

use std::fmt::Write;
use std::process::ExitCode;

/// Below the text that stands behind the label.
const INDENT: &str = "            ";

/// What was looked at so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    text: String,
    wrong: usize,
    hints: usize,
}

impl Report {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// What the next rows are about.
    pub(super) fn about(&mut self, subject: &str) {
        let _ = writeln!(self.text, "{subject}");
    }

    /// As it should be.
    pub(super) fn fine(&mut self, what: &str) {
        self.row("fine", what);
    }

    /// It does harm, or will: exit status 1.
    pub(super) fn wrong(&mut self, what: &str, remedy: &str) {
        self.wrong += 1;
        self.row("wrong", what);
        self.advise(remedy);
    }

    /// It may be meant so.
    pub(super) fn hint(&mut self, what: &str, remedy: Option<&str>) {
        self.hints += 1;
        self.row("hint", what);
        if let Some(remedy) = remedy {
            self.advise(remedy);
        }
    }

    /// A text of several lines is indented as a whole.
    fn row(&mut self, label: &str, text: &str) {
        let _ = writeln!(self.text, "  {label:10}{}", text.replace('\n', &format!("\n{INDENT}")));
    }

    fn advise(&mut self, remedy: &str) {
        let _ = writeln!(self.text, "{INDENT}-> {remedy}");
    }

    /// The rows so far.
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Prints it all and ends with the exit status.
    pub(super) fn print(mut self) -> ExitCode {
        let summary = self.summary();
        let _ = writeln!(self.text, "{summary}");
        let is_told = sys::output::to_stdout(self.text.as_bytes()).is_ok();
        ExitCode::from(u8::from(self.wrong > 0 || !is_told))
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
