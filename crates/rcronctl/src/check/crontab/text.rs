//! A crontab's text, taken apart as cron(8) does: crontab(5).

/// Whose crontab it is: system ones name the user in each line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// /etc/crontab and /etc/cron.d.
    System,
    /// A user's own.
    Of(String),
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From 1.
    pub(crate) line: usize,
    /// `@reboot`, or the five fields' first.
    pub(crate) schedule: Vec<u8>,
    pub(crate) user: String,
    /// The command up to an unescaped `%`, without the backslashes before other ones.
    pub(crate) command: Vec<u8>,
    /// For each byte of the command, its column in the line.
    columns: Vec<usize>,
    /// Where the line is cut: what follows an unescaped `%` is the command's input.
    pub(crate) percent: Option<usize>,
    /// The variables that stand above it.
    pub(crate) variables: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Whoever may write a crontab must not hold the doctor up with it. Debian's cron takes commands of 1000 bytes.
const LONGEST_LINE: usize = 4096;
const MOST_LINES: usize = 10_000;
const MOST_VARIABLES: usize = 200;

/// cron's own, where the crontab sets none.
const DEFAULT_PATH: &[u8] = b"/usr/bin:/bin";

impl Entry {
    /// The column of a byte of the command, from 1.
    pub(crate) fn column(&self, offset: usize) -> usize {
        let last = self.columns.last().copied().unwrap_or(1);
        self.columns.get(offset).copied().unwrap_or(last)
    }

    pub(crate) fn variable(&self, name: &[u8]) -> Option<&[u8]> {
        let set = self.variables.iter().rev().find(|(known, _)| known == name);
        set.map(|(_, value)| value.as_slice())
    }

    /// Where cron looks for programs.
    pub(crate) fn path(&self) -> &[u8] {
        self.variable(b"PATH").unwrap_or(DEFAULT_PATH)
    }

    /// Whether a shell reads the command whose grammar is known here.
    pub(crate) fn has_posix_shell(&self) -> bool {
        let shell = self.variable(b"SHELL").unwrap_or(b"/bin/sh");
        let name = shell.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        [&b"sh"[..], b"bash", b"dash", b"ksh", b"mksh", b"zsh", b"ash"].contains(&name)
    }
}

/// Every job of a crontab. Lines that are none are left out: cron says so itself.
pub(crate) fn entries(text: &[u8], kind: &Kind) -> Vec<Entry> {
    let mut variables = Vec::new();
    let mut entries = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').take(MOST_LINES).enumerate() {
        let start = line.len() - trimmed_start(line).len();
        if matches!(line.get(start), None | Some(b'#')) || line.len() > LONGEST_LINE {
            continue;
        }
        if let Some(variable) = variable(line) {
            if variables.len() < MOST_VARIABLES {
                variables.push(variable);
            }
        } else if let Some(entry) = entry(line, index + 1, kind, &variables) {
            entries.push(entry);
        }
    }
    entries
}

fn entry(line: &[u8], number: usize, kind: &Kind, variables: &[(Vec<u8>, Vec<u8>)]) -> Option<Entry> {
    let mut rest = trimmed_start(line);
    let schedule = field(&mut rest)?;
    if schedule.first() != Some(&b'@') {
        for _ in 0..4 {
            field(&mut rest)?;
        }
    }
    let user = match kind {
        Kind::Of(user) => user.clone(),
        Kind::System => String::from_utf8_lossy(field(&mut rest)?).into_owned(),
    };
    let mut entry = Entry {
        line: number,
        schedule: schedule.to_vec(),
        user,
        command: Vec::new(),
        columns: Vec::new(),
        percent: None,
        variables: variables.to_vec(),
    };
    entry.take_command(line, line.len() - rest.len());
    (!entry.command.is_empty()).then_some(entry)
}

impl Entry {
    /// `\%` is a `%`; the first other one ends the command.
    fn take_command(&mut self, line: &[u8], start: usize) {
        let end = line.trim_ascii_end().len();
        let mut at = start;
        while at < end {
            let column = String::from_utf8_lossy(&line[..at]).chars().count() + 1;
            match &line[at..end] {
                [b'%', ..] => {
                    self.percent = Some(column);
                    return;
                }
                [b'\\', b'%', ..] => at += 1,
                _ => {}
            }
            self.command.push(line[at]);
            self.columns.push(column);
            at += 1;
        }
    }
}

/// `NAME = value`, with quotes around either: cron's load_env.
fn variable(line: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let line = line.trim_ascii();
    let (name, rest) = match line.first()? {
        quote @ (b'"' | b'\'') => {
            let length = line[1..].iter().position(|byte| byte == quote)?;
            (&line[1..=length], &line[length + 2..])
        }
        _ => {
            let length = line
                .iter()
                .position(|byte| *byte == b'=' || byte.is_ascii_whitespace())?;
            line.split_at(length)
        }
    };
    let value = trimmed_start(rest).strip_prefix(b"=")?.trim_ascii();
    let unquoted = match value {
        [first @ (b'"' | b'\''), inside @ .., last] if first == last => inside,
        _ => value,
    };
    Some((name.to_vec(), unquoted.to_vec()))
}

fn trimmed_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[blanks..]
}

/// Takes one field and the blanks after it.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = rest.iter().position(|byte| matches!(byte, b' ' | b'\t'))?;
    let (field, after) = rest.split_at(length);
    *rest = trimmed_start(after);
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str, kind: &Kind) -> Vec<(usize, String, String)> {
        let entries = entries(text.as_bytes(), kind);
        let shown = |entry: Entry| {
            let command = String::from_utf8_lossy(&entry.command).into_owned();
            (entry.line, entry.user, command)
        };
        entries.into_iter().map(shown).collect()
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
        assert_eq!(commands(text, &Kind::Of(me())), expected);
    }

    #[test]
    fn a_system_crontab_names_the_user() {
        let found = commands("0 3 * * * root\trcron a\n@hourly www b\n", &Kind::System);
        let expected = [(1, "root".into(), "rcron a".into()), (2, "www".into(), "b".into())];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_percent_sign_ends_the_command_unless_it_is_escaped() {
        for (line, command, percent) in [
            (r"@daily a %b", "a ", Some(10)),
            (r"@daily date +\%F", "date +%F", None),
            (r"@daily a \% b%c", "a % b", Some(14)),
            (r"@daily grün %x", "grün ", Some(13)),
        ] {
            let entry = entries(line.as_bytes(), &Kind::Of("me".into())).remove(0);
            assert_eq!(String::from_utf8_lossy(&entry.command), command);
            assert_eq!(entry.percent, percent, "{line}");
        }
        let entry = entries(br"@daily \%x y", &Kind::Of("me".into())).remove(0);
        assert_eq!((entry.column(0), entry.column(1), entry.column(3)), (8, 10, 12));
    }

    #[test]
    fn variables_are_those_above_the_job() {
        let text = b"A=1\n@daily x\n \"B b\" = ' two '\nA = \"2\nPATH=/a:/b\n@daily y\n0 0 * * * X=1 z\n";
        let found = entries(text, &Kind::Of("me".into()));
        assert_eq!(found[0].variable(b"A"), Some(&b"1"[..]));
        assert_eq!(found[0].path(), DEFAULT_PATH);
        assert_eq!(found[1].variable(b"A"), Some(&b"\"2"[..]));
        assert_eq!(found[1].variable(b"B b"), Some(&b" two "[..]));
        assert_eq!(found[1].path(), b"/a:/b");
        assert_eq!(found[2].command, b"X=1 z");
    }
}
