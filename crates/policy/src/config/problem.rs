//! What is wrong with a line, reported with place, line, caret and hint.

use crate::display;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// A place in a line, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Number of the line, from 1.
    pub line: usize,
    /// Column in the line, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    excerpt: Excerpt,
    span: Span,
}

/// The line as it is printed, and which part of it is underlined, in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Excerpt {
    text: String,
    before: usize,
    marked: usize,
}

/// The widest excerpt, in characters: a line of 64 KB must not hide its own message.
const WIDEST: usize = 100;
/// How many characters are printed before the mark if the line is too wide.
const CONTEXT: usize = 30;

impl Problem {
    pub(super) fn new(span: Span, message: String) -> Self {
        Self {
            line: 1,
            column: span.start + 1,
            message,
            help: None,
            excerpt: Excerpt::default(),
            span,
        }
    }

    /// A problem at these bytes of a text of several lines. The report shows the line on which they begin.
    #[must_use]
    pub fn in_text(text: &[u8], bytes: Range<usize>, message: String) -> Self {
        let (before, after) = text.split_at(bytes.start.min(text.len()));
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = after.iter().position(|byte| *byte == b'\n').unwrap_or(after.len()) + before.len();
        let number = before.split(|byte| *byte == b'\n').count();
        let span = Span {
            start: before.len() - start,
            end: bytes.end.clamp(before.len(), end) - start,
        };
        Self::new(span, message).on_line(number, &text[start..end])
    }

    /// Adds what to do about the problem.
    #[must_use]
    pub fn with_help(mut self, help: String) -> Self {
        self.help = Some(help);
        self
    }

    /// Sets the line that is reported.
    pub(super) fn on_line(mut self, number: usize, line: &[u8]) -> Self {
        let line = line.trim_ascii_end();
        let (before, marked) = line.split_at(self.span.start.min(line.len()));
        let marked = &marked[..marked.len().min(self.span.end - self.span.start)];
        self.line = number;
        self.column = characters(before) + 1;
        self.excerpt = Excerpt::of(before, marked, &line[before.len() + marked.len()..]);
        self
    }

    /// The report; `origin` is the file's name, or the option.
    #[must_use]
    pub fn report<'a>(&'a self, origin: &'a [u8]) -> Report<'a> {
        Report { problem: self, origin }
    }

    /// The first line of the report, for a log.
    #[must_use]
    pub fn summary(&self, origin: &[u8]) -> String {
        let origin = display::escaped(origin);
        let help = self.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
        format!("{origin}:{}:{}: {}{help}", self.line, self.column, self.message)
    }
}

/// A [`Problem`] as it is printed: with the line, and a caret and the hint below it. No newline at the end.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    problem: &'a Problem,
    origin: &'a [u8],
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            line,
            column,
            message,
            help,
            excerpt,
            ..
        } = self.problem;
        let origin = display::escaped(self.origin);
        let margin = format!("{line}").len();
        writeln!(out, "{origin}:{line}:{column}: {message}")?;
        writeln!(out, "  {line} | {}", excerpt.text)?;
        write!(out, "  {:margin$} | {:2$}^", "", "", excerpt.before)?;
        for _ in 1..excerpt.marked {
            out.write_str("~")?;
        }
        match help {
            Some(help) => write!(out, " {help}"),
            None => Ok(()),
        }
    }
}

impl Excerpt {
    fn of(before: &[u8], marked: &[u8], after: &[u8]) -> Self {
        let (before, marked, after) = (shown(before), shown(marked), shown(after));
        let skipped = if before.len() + marked.len() + after.len() > WIDEST {
            before.len().saturating_sub(CONTEXT)
        } else {
            0
        };
        let ellipsis = if skipped > 0 { "…" } else { "" };
        let mut text = String::from(ellipsis);
        let visible = before[skipped..].iter().chain(&marked).chain(&after);
        text.extend(visible.take(WIDEST));
        if before.len() - skipped + marked.len() + after.len() > WIDEST {
            text.push('…');
        }
        let before = before.len() - skipped + ellipsis.chars().count();
        Self {
            text,
            before,
            marked: marked.len().min(WIDEST - CONTEXT),
        }
    }
}

/// One printable character for each of the line, so that the caret is below the right one.
fn shown(bytes: &[u8]) -> Vec<char> {
    let visible = |character: char| match character {
        '\t' => ' ',
        printable if display::is_printable(printable) => printable,
        _ => char::REPLACEMENT_CHARACTER,
    };
    String::from_utf8_lossy(bytes).chars().map(visible).collect()
}

fn characters(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).chars().count()
}
