//! The variables that a crontab sets.

use alloc::vec::Vec;

/// All assignments of a crontab. Its entries share them: a copy for each entry would need memory in proportion to the product of
/// the two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variables<'t>(Vec<Assignment<'t>>);

/// Ordered by name, then by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Assignment<'t> {
    pub(crate) name: &'t [u8],
    pub(crate) line: usize,
    pub(crate) value: &'t [u8],
}

impl<'t> Variables<'t> {
    pub(crate) fn new(mut assignments: Vec<Assignment<'t>>) -> Self {
        assignments.sort_unstable();
        Self(assignments)
    }

    /// The value that a job on this line gets: the last one that is set above it.
    pub(crate) fn value(&self, name: &[u8], line: usize) -> Option<&'t [u8]> {
        let above = self.0.partition_point(|known| (known.name, known.line) < (name, line));
        let last = self.0[..above].last()?;
        (last.name == name).then_some(last.value)
    }
}

impl<'t> Assignment<'t> {
    /// Parses `NAME = value`. Either may be quoted, as in `load_env` of cron.
    pub(crate) fn parse(text: &'t [u8], line: usize) -> Option<Self> {
        let text = text.trim_ascii();
        let (name, rest) = match text.first()? {
            quote @ (b'"' | b'\'') => {
                let length = text[1..].iter().position(|byte| byte == quote)?;
                (&text[1..=length], &text[length + 2..])
            }
            _ => {
                let ends_name = |byte: &u8| *byte == b'=' || byte.is_ascii_whitespace();
                text.split_at(text.iter().position(ends_name)?)
            }
        };
        let value = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
        let value = match value {
            [first @ (b'"' | b'\''), inside @ .., last] if first == last => inside,
            _ => value,
        };
        Some(Self { name, line, value })
    }
}
