//! One job of a crontab.

use crate::schedule::Schedule;
use crate::table::{Kind, take_field, trim_start};
use crate::variables::Variables;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::iter;

/// The search path of jobs, where the crontab sets none.
pub(crate) const DEFAULT_PATH: &[u8] = b"/usr/bin:/bin";

/// One job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'t> {
    /// The number of its line, from 1.
    pub line: usize,
    /// As written: `@reboot`, or five fields and the blanks between them.
    pub schedule: &'t [u8],
    /// When it runs. `None` if cron rejects the line: [`crate::Crontab::mistakes`] has the reason.
    pub when: Option<Schedule>,
    /// The user that the job runs as.
    pub user: &'t [u8],
    /// What the shell gets: the text up to an unescaped `%`, with `\%` replaced by `%`.
    pub command: Vec<u8>,
    /// The column of the unescaped `%` that ends the command, from 1. The rest of the line is the command's input.
    pub percent: Option<usize>,
    /// Whether a carriage return ends the line. cron passes it to the command, of which it is not a part here.
    pub has_carriage_return: bool,
    /// The line without the blanks at its end.
    text: &'t [u8],
    /// Where the command begins in it.
    start: usize,
    pub(crate) variables: Arc<Variables<'t>>,
}

impl<'t> Entry<'t> {
    pub(crate) fn parse(
        line: &'t [u8],
        number: usize,
        kind: Kind<'t>,
        when: Option<Schedule>,
        variables: &Arc<Variables<'t>>,
    ) -> Option<Self> {
        let mut rest = trim_start(line);
        let from = line.len() - rest.len();
        let fields = if rest.starts_with(b"@") { 1 } else { 5 };
        let mut to = from;
        for _ in 0..fields {
            to = line.len() - rest.len();
            to += take_field(&mut rest)?.len();
        }
        let user = match kind {
            Kind::User(user) => user,
            Kind::System => take_field(&mut rest)?,
        };
        let start = line.len() - rest.len();
        let text = line.trim_ascii_end();
        let command: Vec<u8> = command_bytes(text, start).map(|(_, byte)| byte).collect();
        let (last, _) = command_bytes(text, start).last()?;
        let end = last + if text[last..].starts_with(br"\%") { 2 } else { 1 };
        Some(Self {
            line: number,
            schedule: &line[from..to],
            when,
            user,
            command,
            has_carriage_return: line.ends_with(b"\r"),
            percent: (text.get(end) == Some(&b'%')).then(|| column(text, end)),
            text,
            start,
            variables: Arc::clone(variables),
        })
    }

    /// The column of a byte of the command, in characters, from 1.
    #[must_use]
    pub fn column(&self, offset: usize) -> usize {
        let byte = command_bytes(self.text, self.start).take(offset + 1).last();
        column(self.text, byte.map_or(self.start, |(at, _)| at))
    }

    /// Whether a backslash ends the line. cron passes it to the shell; it does not continue the line.
    #[must_use]
    pub fn has_last_backslash(&self) -> bool {
        self.text.ends_with(b"\\")
    }

    /// The column behind the last character of the line.
    #[must_use]
    pub fn end_column(&self) -> usize {
        column(self.text, self.text.len())
    }

    /// The column of the user in a system crontab.
    #[must_use]
    pub fn user_column(&self) -> usize {
        let before = self.text[..self.start].trim_ascii_end();
        column(self.text, before.len().saturating_sub(self.user.len()))
    }

    /// The value of a variable that the crontab sets above this line.
    #[must_use]
    pub fn variable(&self, name: &[u8]) -> Option<&'t [u8]> {
        self.variables.value(name, self.line)
    }

    /// The directories in which cron's shell searches programs.
    #[must_use]
    pub fn path(&self) -> &'t [u8] {
        self.variable(b"PATH").unwrap_or(DEFAULT_PATH)
    }

    /// The shell that executes the command, if its grammar is not the one that [`crate::shell`] knows.
    #[must_use]
    pub fn other_shell(&self) -> Option<&'t [u8]> {
        let shell = self.variable(b"SHELL")?;
        (!crate::script::is_shell(shell)).then_some(shell)
    }
}

/// Each byte of the command with the position of its written form: `\%` is a `%`, and any other `%` ends the command.
fn command_bytes(text: &[u8], start: usize) -> impl Iterator<Item = (usize, u8)> {
    let mut next = start;
    iter::from_fn(move || {
        let (byte, length) = match text.get(next..)? {
            [] | [b'%', ..] => return None,
            [b'\\', b'%', ..] => (b'%', 2),
            [byte, ..] => (*byte, 1),
        };
        next += length;
        Some((next - length, byte))
    })
}

/// The column of a byte of a line, in characters, from 1.
pub(crate) fn column(text: &[u8], at: usize) -> usize {
    String::from_utf8_lossy(&text[..at]).chars().count() + 1
}
