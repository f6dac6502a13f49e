//! The text of a crontab as cron(8) parses it: crontab(5).

use crate::variables::{Assignment, Variables};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::iter;

/// The longest line that is parsed, in bytes. Debian's cron accepts commands of up to 1000 bytes.
pub const LONGEST_LINE: usize = 4096;

/// The search path of jobs, where the crontab sets none.
const DEFAULT_PATH: &[u8] = b"/usr/bin:/bin";

/// Where the user of a job is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'t> {
    /// /etc/crontab and /etc/cron.d: each line names its user.
    System,
    /// A crontab of this user: all jobs run as the user.
    User(&'t [u8]),
}

/// A crontab. Lines that cron itself rejects are left out, since cron reports them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crontab<'t> {
    /// In the order of their lines.
    pub entries: Vec<Entry<'t>>,
    /// The numbers of the lines that are longer than [`LONGEST_LINE`]. They were not parsed; each may be a job or a variable.
    pub skipped: Vec<usize>,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'t> {
    /// The number of its line, from 1.
    pub line: usize,
    /// As written: `@reboot`, or five fields and the blanks between them.
    pub schedule: &'t [u8],
    /// The user that the job runs as.
    pub user: &'t [u8],
    /// What the shell gets: the text up to an unescaped `%`, with `\%` replaced by `%`.
    pub command: Vec<u8>,
    /// The column of the unescaped `%` that ends the command, from 1. The rest of the line is the command's input.
    pub percent: Option<usize>,
    /// The line without the blanks at its end.
    text: &'t [u8],
    /// Where the command begins in it.
    start: usize,
    variables: Arc<Variables<'t>>,
}

impl<'t> Crontab<'t> {
    /// Parses a whole crontab.
    #[must_use]
    pub fn parse(text: &'t [u8], kind: Kind<'t>) -> Self {
        let (mut assignments, mut jobs, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let content = trim_start(line);
            if matches!(content.first(), None | Some(b'#')) {
                continue;
            }
            if line.len() > LONGEST_LINE {
                skipped.push(number);
            } else if let Some(assignment) = Assignment::parse(line, number) {
                assignments.push(assignment);
            } else {
                jobs.push((line, number));
            }
        }
        let variables = Arc::new(Variables::new(assignments));
        let entry = |(line, number)| Entry::parse(line, number, kind, &variables);
        let entries = jobs.into_iter().filter_map(entry).collect();
        Self { entries, skipped }
    }
}

impl<'t> Entry<'t> {
    fn parse(line: &'t [u8], number: usize, kind: Kind<'t>, variables: &Arc<Variables<'t>>) -> Option<Self> {
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
            user,
            command,
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

    /// Whether the shell that executes the command has the grammar that [`crate::shell`] knows.
    #[must_use]
    pub fn has_posix_shell(&self) -> bool {
        let shell = self.variable(b"SHELL").unwrap_or(b"/bin/sh");
        let name = crate::call::base_name(shell);
        [&b"sh"[..], b"bash", b"dash", b"ksh", b"mksh", b"zsh", b"ash"].contains(&name)
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

fn column(text: &[u8], at: usize) -> usize {
    String::from_utf8_lossy(&text[..at]).chars().count() + 1
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[blanks..]
}

/// Takes one field and the blanks after it. `None` if no blank follows: then the line has no command.
fn take_field<'t>(rest: &mut &'t [u8]) -> Option<&'t [u8]> {
    let length = rest.iter().position(|byte| matches!(byte, b' ' | b'\t'))?;
    let (field, after) = rest.split_at(length);
    *rest = trim_start(after);
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;
    use alloc::format;

    const MINE: Kind = Kind::User(b"me");

    fn commands(text: &str, kind: Kind) -> Vec<(usize, String, String)> {
        let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = |entry: Entry| (entry.line, text_of(entry.user), text_of(&entry.command));
        let crontab = Crontab::parse(text.as_bytes(), kind);
        crontab.entries.into_iter().map(shown).collect()
    }

    fn only_entry(line: &str) -> Entry<'_> {
        Crontab::parse(line.as_bytes(), MINE).entries.remove(0)
    }

    #[test]
    fn jobs_are_found_among_comments_and_variables() {
        let text =
            "# comment\n\nPATH=/x\n  # another\n0 3 * * 1-5  rcron a b\n\t@daily\tb\n*/5 * * * *\nnonsense\n@reboot x";
        let me = || "me".to_owned();
        let expected = [
            (5, me(), "rcron a b".into()),
            (6, me(), "b".into()),
            (9, me(), "x".into()),
        ];
        assert_eq!(commands(text, MINE), expected);
    }

    #[test]
    fn schedules_are_kept_as_written() {
        assert_eq!(only_entry("  0 3\t*  * 1-5  a").schedule, b"0 3\t*  * 1-5");
        assert_eq!(only_entry("@reboot a").schedule, b"@reboot");
    }

    #[test]
    fn system_crontabs_name_the_user() {
        let found = commands("0 3 * * * root\trcron a\n@hourly www b\n", Kind::System);
        let expected = [(1, "root".into(), "rcron a".into()), (2, "www".into(), "b".into())];
        assert_eq!(found, expected);
    }

    #[test]
    fn percent_sign_ends_the_command_unless_it_is_escaped() {
        for (line, command, percent) in [
            (r"@daily a %b", "a ", Some(10)),
            (r"@daily date +\%F", "date +%F", None),
            (r"@daily a \% b%c", "a % b", Some(14)),
            (r"@daily grün %x", "grün ", Some(13)),
        ] {
            let entry = only_entry(line);
            assert_eq!(String::from_utf8_lossy(&entry.command), command);
            assert_eq!(entry.percent, percent, "{line}");
        }
        let entry = only_entry(r"@daily \%x y");
        assert_eq!((entry.column(0), entry.column(1), entry.column(3)), (8, 10, 12));
    }

    #[test]
    fn variables_are_those_above_the_job() {
        let text = b"A=1\n@daily x\n \"B b\" = ' two '\nA = \"2\nPATH=/a:/b\n@daily y\n0 0 * * * X=1 z\nA=3\n";
        let found = Crontab::parse(text, MINE).entries;
        assert_eq!(found[0].variable(b"A"), Some(&b"1"[..]));
        assert_eq!(found[0].path(), DEFAULT_PATH);
        assert_eq!(found[0].variable(b"B b"), None);
        assert_eq!(found[1].variable(b"A"), Some(&b"\"2"[..]));
        assert_eq!(found[1].variable(b"B b"), Some(&b" two "[..]));
        assert_eq!(found[1].path(), b"/a:/b");
        assert_eq!(found[2].command, b"X=1 z");
    }

    #[test]
    fn long_lines_are_returned_as_skipped() {
        let long = "x".repeat(LONGEST_LINE);
        let text = format!("@daily a\n@daily {long}\n# {long}\nA={long}\n@daily b\n");
        let crontab = Crontab::parse(text.as_bytes(), MINE);
        assert_eq!(crontab.skipped, [2, 4]);
        assert_eq!(crontab.entries.len(), 2);
    }

    /// A copy of all variables for each entry took 4 GB here.
    #[test]
    fn large_crontabs_share_their_variables() {
        let text = "A=1\n@daily x\n".repeat(70_000);
        let entries = Crontab::parse(text.as_bytes(), MINE).entries;
        assert_eq!(entries.len(), 70_000);
        let shared = entries
            .iter()
            .all(|entry| Arc::ptr_eq(&entry.variables, &entries[0].variables));
        assert!(shared);
        assert_eq!(entries[69_999].variable(b"A"), Some(&b"1"[..]));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed(text in proptest::collection::vec(proptest::sample::select(b"@a1 *\t\n\\%='\"#\xc3".to_vec()), 0..60)) {
            for kind in [MINE, Kind::System] {
                for entry in Crontab::parse(&text, kind).entries {
                    let columns: Vec<usize> = (0..entry.command.len()).map(|offset| entry.column(offset)).collect();
                    proptest::prop_assert!(columns.is_sorted() && columns[0] > 1);
                    proptest::prop_assert!(!entry.schedule.is_empty() && !entry.user.is_empty());
                }
            }
        }
    }
}
