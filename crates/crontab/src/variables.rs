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

/// How much of a line cron reads as an assignment, in bytes.
const LONGEST: usize = 999;

impl<'t> Assignment<'t> {
    /// Parses `NAME = value`, where either may be quoted. `None` if cron takes the line as a job.
    pub(crate) fn parse(text: &'t [u8], line: usize) -> Option<Self> {
        let text = &text[..text.len().min(LONGEST)];
        let (name, rest) = match text.split_first()? {
            (quote @ (b'"' | b'\''), inside) => {
                let length = inside.iter().position(|byte| byte == quote)?;
                let name = &inside[..length];
                (!name.contains(&b'=')).then_some((name, &inside[length + 1..]))?
            }
            _ => {
                let ends_name = |byte: &u8| *byte == b'=' || is_space(*byte);
                text.split_at(text.iter().position(ends_name)?)
            }
        };
        let value = trim_start(trim_start(rest).strip_prefix(b"=")?);
        let value = match value.split_first()? {
            (quote @ (b'"' | b'\''), inside) => {
                let length = inside.iter().position(|byte| byte == quote)?;
                let (value, after) = (&inside[..length], &inside[length + 1..]);
                after.iter().all(|byte| is_space(*byte)).then_some(value)?
            }
            _ => {
                let end = value.iter().rposition(|byte| !is_space(*byte))?;
                &value[..=end]
            }
        };
        Some(Self { name, line, value })
    }
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_space(**byte)).count();
    &text[blanks..]
}

/// isspace(3), with the vertical tab.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_those_of_cron() {
        for (line, expected) in [
            ("A=1", Some(("A", "1"))),
            ("A = 1 2 \r", Some(("A", "1 2"))),
            ("A\t=\t1", Some(("A", "1"))),
            ("'A B'=1", Some(("A B", "1"))),
            ("A=' 1 ' ", Some(("A", " 1 "))),
            ("A=\"\"", Some(("A", ""))),
            ("A=1 'x", Some(("A", "1 'x"))),
            ("A=x=y", Some(("A", "x=y"))),
            ("=1", Some(("", "1"))),
            ("A=", None),
            ("A= ", None),
            ("A", None),
            ("A B = 1", None),
            ("export A=1", None),
            ("'A=1", None),
            ("'A=1'=2", None),
            ("A='1", None),
            ("A='1' x", None),
            ("0 3 * * * x=1", None),
            ("", None),
        ] {
            let found = Assignment::parse(line.as_bytes(), 1);
            let expected = expected.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            assert_eq!(found.map(|found| (found.name, found.value)), expected, "{line}");
        }
    }

    #[test]
    fn only_the_beginning_of_a_line_is_read() {
        let long = |value: &str| [b"A=", value.as_bytes()].concat();
        let text = long(&"x".repeat(2000));
        assert_eq!(Assignment::parse(&text, 1).expect("one").value.len(), 997);
        let text = long(&["'", &"x".repeat(1100), "'"].concat());
        assert_eq!(Assignment::parse(&text, 1), None);
    }
}
