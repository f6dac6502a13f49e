//! What cron rejects in a crontab.

use crate::schedule::{Dialect, Field};
use core::fmt;

/// A mistake in a line of a crontab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake<'t> {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: Reason<'t>,
    /// The whole line.
    pub text: &'t [u8],
    /// Whether a backslash ends the line before: cron knows no continuation lines.
    pub follows_backslash: bool,
}

/// Why cron rejects a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'t> {
    /// A field of the schedule, as it is written.
    BadField(Field, &'t [u8]),
    /// A word with `@` that is not a nickname of a schedule.
    BadNickname(&'t [u8]),
    /// The line ends before the command, or before the user.
    NoCommand,
    /// The field after the schedule begins with `*`.
    SixthField(&'t [u8]),
    /// The command has more bytes than cron accepts.
    TooLong {
        /// Of the command, with escapes and with the input after a `%`.
        length: usize,
    },
    /// The line has a NUL.
    Nul,
}

impl Dialect {
    /// The longest command, in bytes.
    #[must_use]
    pub const fn longest_command(self) -> usize {
        match self {
            Self::Debian => 998,
            Self::Cronie => 131_071,
        }
    }
}

impl Reason<'_> {
    /// The text that is wrong, or nothing. It is the user's own: escape it before it is printed.
    #[must_use]
    pub const fn word(&self) -> &[u8] {
        match self {
            Self::BadField(_, word) | Self::BadNickname(word) | Self::SixthField(word) => word,
            Self::NoCommand | Self::TooLong { .. } | Self::Nul => b"",
        }
    }
}

/// Without the word.
impl fmt::Display for Reason<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadField(field, _) => write!(out, "bad {}", field.name()),
            Self::BadNickname(_) => out.write_str("unknown schedule"),
            Self::NoCommand => out.write_str("the line ends before the command"),
            Self::SixthField(_) => out.write_str("a schedule has five fields; this is the sixth"),
            Self::TooLong { length } => write!(out, "the command is too long: {length} bytes"),
            Self::Nul => out.write_str("the line contains a NUL byte"),
        }
    }
}
