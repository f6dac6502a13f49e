//! The text of a crontab as cron(8) parses it: crontab(5).

use crate::entry::{Entry, column};
use crate::mistake::{Mistake, Reason};
use crate::schedule::{BadField, Dialect, Field, Schedule, Times};
use crate::variables::{Assignment, Variables};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The longest line that is parsed as a job or a variable, in bytes.
pub const LONGEST_LINE: usize = 4096;

/// Where the user of a job is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'t> {
    /// /etc/crontab and /etc/cron.d: each line names its user.
    System,
    /// A crontab of this user: all jobs run as the user.
    User(&'t [u8]),
}

/// A crontab. A line that cron rejects is among the entries if it has a command, and among the mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crontab<'t> {
    /// In the order of their lines.
    pub entries: Vec<Entry<'t>>,
    /// What cron rejects, in the order of the lines; at most one for each line. Whether a user exists is not known here.
    pub mistakes: Vec<Mistake<'t>>,
    /// The numbers of the lines that are longer than [`LONGEST_LINE`]. Each may be a job or a variable; only their schedules and
    /// lengths were examined.
    pub skipped: Vec<usize>,
    /// The number of the last line, if it is a job or a variable and no newline ends it.
    pub unfinished: Option<usize>,
}

impl<'t> Crontab<'t> {
    /// Parses a whole crontab.
    #[must_use]
    pub fn parse(text: &'t [u8], kind: Kind<'t>, dialect: Dialect) -> Self {
        let (mut assignments, mut jobs) = (Vec::new(), Vec::new());
        let (mut mistakes, mut skipped, mut last) = (Vec::new(), Vec::new(), None);
        let mut before: &[u8] = b"";
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let content = trim_start(line);
            let follows_backslash = before.trim_ascii_end().ends_with(b"\\");
            (before, last) = (line, None);
            if matches!(content.first(), None | Some(b'#')) {
                continue;
            }
            last = Some(number);
            let assignment = Assignment::parse(content, number);
            let when = match &assignment {
                Some(_) => None,
                None => match schedule(line, kind, dialect) {
                    Ok(when) => Some(when),
                    Err((at, reason)) => {
                        let column = column(line, at);
                        mistakes.push(Mistake {
                            line: number,
                            column,
                            reason,
                            text: line,
                            follows_backslash,
                        });
                        None
                    }
                },
            };
            match assignment {
                _ if line.len() > LONGEST_LINE => skipped.push(number),
                Some(assignment) => assignments.push(assignment),
                None => jobs.push((line, number, when)),
            }
        }
        let variables = Arc::new(Variables::new(assignments));
        let entry = |(line, number, when)| Entry::parse(line, number, kind, when, &variables);
        let entries = jobs.into_iter().filter_map(entry).collect();
        Self {
            entries,
            mistakes,
            skipped,
            unfinished: last,
        }
    }
}

/// The schedule of a line that cron accepts as a job. Otherwise the offset of what it rejects, and the reason.
fn schedule<'t>(line: &'t [u8], kind: Kind, dialect: Dialect) -> Result<Schedule, (usize, Reason<'t>)> {
    if let Some(at) = line.iter().position(|byte| *byte == 0) {
        return Err((at, Reason::Nul));
    }
    let mut rest = trim_start(line);
    let is_roots = matches!(kind, Kind::System | Kind::User(b"root"));
    if dialect == Dialect::Cronie && is_roots {
        rest = rest.strip_prefix(b"-").unwrap_or(rest); // the start is not logged
    }
    let start = line.len() - rest.len();
    let schedule = match rest.strip_prefix(b"@") {
        Some(_) => {
            let word = next_word(&mut rest);
            Schedule::of_nickname(&word[1..]).ok_or((start, Reason::BadNickname(word)))?
        }
        None => {
            let fields = [(); 5].map(|()| {
                let at = line.len() - rest.len();
                (next_word(&mut rest), at)
            });
            let bad = |BadField { field, offset }| {
                let index = Field::ALL.iter().position(|other| *other == field).unwrap_or_default();
                (offset, Reason::BadField(field, fields[index].0))
            };
            Schedule::Times(Times::parse(fields, dialect).map_err(bad)?)
        }
    };
    let at = line.len() - rest.len();
    if rest.starts_with(b"*") {
        return Err((at, Reason::SixthField(next_word(&mut rest))));
    }
    let length = match kind {
        Kind::System => {
            let user = rest.iter().position(is_blank).ok_or((line.len(), Reason::NoCommand))?;
            let length = rest.len() - user - 1; // with further blanks
            next_word(&mut rest);
            length
        }
        Kind::User(_) if rest.is_empty() && dialect == Dialect::Cronie => return Err((line.len(), Reason::NoCommand)),
        Kind::User(_) => rest.len(),
    };
    if length > dialect.longest_command() {
        return Err((line.len() - rest.len(), Reason::TooLong { length }));
    }
    Ok(schedule)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "for iterators over bytes")]
fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_blank(byte)).count();
    &text[blanks..]
}

/// Takes one field and the blanks after it. `None` if no blank follows: then the line has no command.
pub(crate) fn take_field<'t>(rest: &mut &'t [u8]) -> Option<&'t [u8]> {
    rest.iter().any(is_blank).then(|| next_word(rest))
}

/// Takes the bytes before the next blank, and the blanks.
fn next_word<'t>(rest: &mut &'t [u8]) -> &'t [u8] {
    let length = rest.iter().position(is_blank).unwrap_or(rest.len());
    let (word, after) = rest.split_at(length);
    *rest = trim_start(after);
    word
}

#[cfg(test)]
mod tests;
